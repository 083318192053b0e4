/**
 * Decides which work waits. The work of a run that takes none waits: the control row goes before every activity, as it goes before every
 * model call. Work for which this worker lacks something waits for another worker that has it.
 */
import { askedEndpoints, type RunState } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import type { Run } from '../../store/runs.ts';
import type { ActivityContext } from './context.ts';

/** How soon work comes back, to be taken by another worker. */
const lackingMs = 1_000;

/**
 * While a run rests, nothing of it is done except what may wake it: no step of an environment, and no replay. While it is paused, no more
 * tasks begin; work in progress continues up to its next call.
 */
function isHeldBack(activityName: string, state: RunState): boolean {
  if (state === 'resting') return activityName !== 'writeControl';
  return state === 'paused' && activityName === 'nextTasks';
}

/** Every activity begins with this. It comes back later while its run is held back, or while it is given to a worker that lacks something for it. */
export function holdBack(
  context: Pick<ActivityContext, 'store' | 'environments' | 'gateway'>,
): (activityName: string, input: { runId: string }) => Promise<void> {
  const { runs } = context.store;
  /** Runs that this worker has everything for. */
  const able = new Set<string>();
  return async (name, { runId }) => {
    const control = await runs.control(runId);
    if (isHeldBack(name, control.state)) admitRun({ id: runId, ...control });
    const key = `${runId} ${control.createdAt}`;
    if (name === 'writeControl' || able.has(key)) return;
    const lack = lackingFor(context, await runs.get(runId));
    if (lack === null) able.add(key);
    else
      throw new CruxError(
        'Run.Waiting',
        `This worker has no ${lack}, which run ${runId} needs: it waits for one that has.`,
        { retryAfterMs: lackingMs },
      );
  };
}

/** What a worker's configuration lacks for a run, in words; null for nothing. Models that the run does not ask are not missed. */
function lackingFor(
  { environments, gateway }: Pick<ActivityContext, 'environments' | 'gateway'>,
  { environment, config }: Run,
): string | null {
  if (!environments.names.includes(environment)) return `environment "${environment}"`;
  const endpoint = askedEndpoints(config).find((name) => !gateway.knows(name));
  return endpoint === undefined ? null : `endpoint "${endpoint}"`;
}
