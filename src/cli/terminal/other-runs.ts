/** A worker serves all runs of its store, not only its command's run. These texts say so. */

import type { CruxConfig } from '../../config/config.ts';
import type { Run } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import { canServe } from '../../store/workers.ts';
import { count, plural } from './text.ts';

/** Model calls that a worker paid for in a run other than its command's. */
export type OtherRun = { runId: string; calls: number };

/** Whether a run belongs to the work that the command was called for; null for a worker without work of its own. */
export type Own = ((runId: string) => boolean) | null;

export async function takenUpText(store: Store, config: CruxConfig, own: Own): Promise<string | null> {
  const others = await othersUnderWay(store, config, own);
  const named = (runs: Run[]) => Promise.all(runs.map((run) => progressOf(store, run)));
  const underWay = await named(others.filter(({ state }) => state === 'running'));
  const resting = await named(others.filter(({ state }) => state === 'resting'));
  const lines = [
    ...(underWay.length === 0
      ? []
      : [
          `${own === null ? 'This worker continues' : 'Besides its own run, this worker continues'} ${plural(underWay.length, 'run')} of the store: ${underWay.join(', ')}. To stop one: crux pause <run>`,
        ]),
    ...(resting.length === 0
      ? []
      : [
          `Left at rest: ${resting.join(', ')}. To wake one: crux resume <run>, or the command that it was started with`,
        ]),
  ];
  return lines.length === 0 ? null : lines.join('\n');
}

/** Runs that a worker of this configuration serves. */
async function othersUnderWay(store: Store, config: CruxConfig, own: Own): Promise<Run[]> {
  const environments = config.environments.map(({ name }) => name);
  return (await store.runs.list()).filter(
    ({ id, finishedAt, environment }) =>
      own?.(id) !== true && finishedAt === null && environments.includes(environment),
  );
}

/** Runs that an ending worker leaves to the next one because they were not stopped. Null if another worker lives. */
export async function leftBehindText(store: Store, config: CruxConfig, own: Own): Promise<string | null> {
  const workers = await store.workers.living();
  const left = (await othersUnderWay(store, config, own)).filter(
    ({ state, environment }) => state === 'running' && !workers.some((worker) => canServe(worker, environment)),
  );
  if (left.length === 0) return null;
  const ids = left.map(({ id }) => id).join(', ');
  return `Not at rest: ${ids}. The next worker continues ${left.length === 1 ? 'it' : 'them'}. To stop one: crux pause <run>`;
}

async function progressOf(store: Store, { id }: Run): Promise<string> {
  const { total, done } = await store.runs.countTasks(id);
  return `${id} (${count(done)} of ${plural(total, 'task')} done)`;
}

export function otherRuns(calls: ReadonlyMap<string, number>, own: Own): OtherRun[] {
  return [...calls].filter(([runId]) => own?.(runId) !== true).map(([runId, paid]) => ({ runId, calls: paid }));
}

export function otherRunsText(others: OtherRun[], own: Own): string | null {
  if (others.length === 0) return null;
  const calls = others.map((other) => `${plural(other.calls, 'call')} of run ${other.runId}`);
  return `${own === null ? 'This' : 'Besides its own run, this'} worker made ${calls.join(', ')}.`;
}
