import { isEvaluation } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import { blockedFor, blockedUnder } from '../../start/blocked-run.ts';
import type { Block } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import type { WaitingFor } from '../../store/waits.ts';
import type { Worker } from '../../store/workers.ts';
import { canServe } from '../../store/workers.ts';
import { otherServers, viewServer } from '../../temporal/server-view.ts';
import { blockedText } from '../../views/fault-text.ts';
import { improvementView } from '../../views/improvement.ts';
import { improvementPlace } from '../../views/improvement-place.ts';
import { runSummary } from '../../views/run-summary.ts';
import { type GlobalOptions, homeOf, printResult, withReadingStore } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { improvementText, lineOfImprovement, waitsText } from '../terminal/improvement.ts';
import { workerText } from '../terminal/leave.ts';
import { lineOfRun, nullIfStoreIsAway, readProgress, showProgress } from '../terminal/progress.ts';
import { otherServersJson, otherServersText, serverJson, serverText } from '../terminal/server-text.ts';
import { summaryText } from '../terminal/summary.ts';
import { blockText, clock, dollars, duration, table, waitedCells, waitingText } from '../terminal/text.ts';

export async function status(options: GlobalOptions, runId: string | undefined): Promise<void> {
  const show = async (store: Store) => {
    if (runId !== undefined && (await store.improvements.find(runId)) !== null) {
      const view = await improvementView(store, runId);
      printResult(options, view, () => improvementText(view));
      return;
    }
    const improvements = runId === undefined ? await improvementRows(store) : [];
    const runs = runId === undefined ? await store.runs.list() : [await store.runs.get(runId)];
    const workers = await store.workers.living();
    const rows = await Promise.all(
      runs.map(async (run) => ({
        runId: run.id,
        method: run.method,
        environment: run.environment,
        state: run.state,
        block: run.block,
        ...(await progressOf(store, run.id)),
        environmentCostMicroUsd: await store.environmentCosts.known(run.id),
        leakedGroups: isEvaluation(run.config) ? run.config.leaked.length : 0,
        elapsedMs: (run.finishedAt ?? Date.now()) - run.createdAt,
        ...(await store.waits.waited(run.id)),
        createdAt: new Date(run.createdAt).toISOString(),
        workers: run.finishedAt === null ? workersOf(run.environment, workers) : [],
      })),
    );
    const home = homeOf(options);
    const server = viewServer(home);
    const others = runId === undefined ? otherServers(home) : [];
    const serverLines = ['', serverText(home, server), ...otherServersText(others)];
    const result =
      runId === undefined
        ? { improvements, runs: rows, server: serverJson(server), otherServers: otherServersJson(others) }
        : { ...rows[0], server: serverJson(server) };
    printResult(options, result, () =>
      [
        ...improvementLines(improvements),
        rows.length === 0
          ? 'No run was started in this store yet.'
          : table(
              [
                'run',
                'method',
                'environment',
                'state',
                'tasks',
                'steps',
                'branches',
                'pairs',
                'calls',
                'time',
                'queued',
                'throttled',
              ],
              rows.map((row) => [
                row.runId,
                row.leakedGroups === 0 ? row.method : `${row.method}, LEAK`,
                row.environment,
                row.state,
                `${row.tasksDone}/${row.tasks}`,
                row.steps,
                row.branches,
                row.pairs,
                row.calls,
                duration(row.elapsedMs),
                ...waitedCells(row),
              ]),
            ),
        ...costLines(rows),
        ...waitLines(rows),
        ...workerLines(rows, workers),
        ...serverLines,
      ].join('\n'),
    );
  };
  // Servers, of this home and of others, may run where no run was started.
  await withReadingStore(options, runId, show, { ifNone: runId === undefined ? 'empty' : 'refuse' });
}

/** Improvements with where they stand, the newest first. */
async function improvementRows(store: Store) {
  const all = await store.improvements.list();
  return Promise.all(
    all.map(async (improvement) => ({ id: improvement.id, ...(await improvementPlace(store, improvement)) })),
  );
}

function improvementLines(rows: Awaited<ReturnType<typeof improvementRows>>): string[] {
  if (rows.length === 0) return [];
  const cells = rows.map(({ id, method, state, round, rounds, phase, progress }) => [
    id,
    method,
    state,
    `${round}/${rounds}`,
    phase ?? '–',
    progress ?? '',
  ]);
  const waits = rows.flatMap((row) => {
    const text = waitsText(row.id, row);
    return text === null ? [] : [`${row.id} ${text}`];
  });
  return [table(['improvement', 'method', 'state', 'round', 'phase', ''], cells), ...waits, ''];
}

/** Lines below the table: what steps of environments cost, which no call shows. */
function costLines(rows: { runId: string; environmentCostMicroUsd: number }[]): string[] {
  const costly = rows.filter(({ environmentCostMicroUsd }) => environmentCostMicroUsd > 0);
  const lines = costly.map(
    ({ runId, environmentCostMicroUsd }) =>
      `${runId}: steps of the environment cost ${dollars(environmentCostMicroUsd)} so far, apart from the calls`,
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

/** Lines below the table: why runs are blocked, and what they wait for. */
function waitLines(rows: { runId: string; block: Block | null; waitingFor: WaitingFor[] }[]): string[] {
  const waits = rows.flatMap(({ runId, block, waitingFor }) => [
    ...(block === null ? [] : [`${runId} is blocked ${blockText(block)} To continue: crux resume ${runId}`]),
    ...(waitingFor.length === 0 ? [] : [`${runId} waits ${waitingText(waitingFor)}`]),
  ]);
  if (rows.some(({ waitingFor }) => waitingFor.some(({ reason }) => reason === 'outage')))
    waits.push('When the endpoint answers again, the run goes on by itself. To try it now: crux providers --clear');
  return waits.length === 0 ? [] : ['', ...waits];
}

/** Which workers serve a run in progress, or that none does: the state of the run does not show it. */
function workerLines(rows: { runId: string; state: string; workers: unknown[] }[], workers: Worker[]): string[] {
  const waiting = rows.filter(({ state, workers: own }) => state === 'running' && own.length === 0);
  const resting = rows.filter(({ state }) => state === 'resting');
  const lines = [
    ...workers.map((worker) => `${capital(workerText(worker))} lives${since(worker)}.`),
    ...waiting.map(({ runId }) => `${runId} waits for a worker: \`crux up\`, or the run's own command again.`),
    ...resting.map(
      ({ runId }) => `${runId} rests: no worker continues it before \`crux resume ${runId}\`, or its own command.`,
    ),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
}

function since({ startedAt }: Worker): string {
  return startedAt === null ? '' : ` since ${clock(startedAt)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function workersOf(environment: string, workers: Worker[]) {
  return workers
    .filter((worker) => canServe(worker, environment))
    .map(({ id, command, host, process, startedAt }) => ({
      id,
      command,
      host,
      process: process?.pid ?? null,
      since: startedAt === null ? null : new Date(startedAt).toISOString(),
    }));
}

/** @throws CommandFailed with exit code 4 if the run is blocked and needs the user */
export async function watch(options: GlobalOptions, runId: string): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    if ((await store.improvements.find(runId)) !== null) return watchImprovement(options, store, runId);
    await store.runs.get(runId);
    const left = new AbortController();
    const over = Promise.race([until(() => isOver(store, runId), left.signal), blockedFor(store, runId, left.signal)]);
    try {
      await showProgress(lineOfRun(store, runId), over, options.json === true);
      const ended = await over;
      if (ended !== null) throw new CommandFailed(blockedText(`Run ${runId}`, ended, `crux resume ${runId}`), 4);
    } finally {
      left.abort();
    }
    const summary = await runSummary(store, runId);
    printResult(options, summary, () => summaryText(summary));
  });
}

/** @throws CommandFailed with exit code 4 if its campaign is blocked and needs the user */
async function watchImprovement(options: GlobalOptions, store: Store, id: string): Promise<void> {
  const left = new AbortController();
  const improved = until(async () => (await store.improvements.get(id)).finishedAt !== null, left.signal);
  const over = Promise.race([improved, blockedUnder(store, id, left.signal)]);
  try {
    await showProgress(lineOfImprovement(store, id), over, options.json === true);
    const ended = await over;
    if (ended !== null) throw new CommandFailed(blockedText(`The improvement ${id}`, ended, `crux resume ${id}`), 4);
  } finally {
    left.abort();
  }
  const view = await improvementView(store, id);
  printResult(options, view, () => improvementText(view));
}

async function progressOf(store: Store, runId: string) {
  const { done, total, counts, waitingFor } = await readProgress(store, runId);
  return { tasksDone: done, tasks: total, ...counts, waitingFor };
}

/** Resolves when it is over. While the store is away, it is looked at again later. */
async function until(isOver: () => Promise<boolean>, left: AbortSignal): Promise<null> {
  while (!left.aborted && !(await isOver().catch(nullIfStoreIsAway))) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return null;
}

async function isOver(store: Store, runId: string): Promise<boolean> {
  const run = await store.runs.find(runId);
  if (!run) throw new CruxError('User.NotFound', `The run "${runId}" is gone.`);
  return run.finishedAt !== null;
}
