import { isEvaluation } from '../domain/run-config.ts';
import { CruxError } from '../errors.ts';
import type { Block } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { WaitingFor } from '../store/waits.ts';
import { runSummary } from '../views/run-summary.ts';
import { readProgress, showProgress } from './progress.ts';
import { type GlobalOptions, printResult, withReadingStore } from './setting.ts';
import { summaryText } from './summary.ts';
import { blockText, duration, table, waitingText } from './text.ts';

export async function status(options: GlobalOptions, runId: string | undefined): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    const runs = runId === undefined ? await store.runs.list() : [await store.runs.get(runId)];
    const rows = await Promise.all(
      runs.map(async (run) => ({
        runId: run.id,
        method: run.method,
        environment: run.environment,
        state: run.state,
        block: run.block,
        ...(await progressOf(store, run.id)),
        leakedGroups: isEvaluation(run.config) ? run.config.leaked.length : 0,
        elapsedMs: (run.finishedAt ?? Date.now()) - run.createdAt,
        throttledMs: await store.waits.throttledMs(run.id),
        createdAt: new Date(run.createdAt).toISOString(),
      })),
    );
    printResult(options, runId === undefined ? rows : rows[0], () =>
      rows.length === 0
        ? 'No run was started in this store yet.'
        : withWaits(
            rows,
            table(
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
                duration(row.throttledMs),
              ]),
            ),
          ),
    );
  });
}

/** Below the table, what runs stand still for, and what they wait for. */
function withWaits(rows: { runId: string; block: Block | null; waitingFor: WaitingFor[] }[], text: string): string {
  const waits = rows.flatMap(({ runId, block, waitingFor }) => [
    ...(block === null ? [] : [`${runId} is blocked ${blockText(block)}. It goes on with: crux resume ${runId}`]),
    ...(waitingFor.length === 0 ? [] : [`${runId} waits ${waitingText(waitingFor)}`]),
  ]);
  return waits.length === 0 ? text : `${text}\n\n${waits.join('\n')}`;
}

export async function watch(options: GlobalOptions, runId: string): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    await store.runs.get(runId);
    await showProgress(store, runId, untilOver(store, runId), options.json === true);
    const summary = await runSummary(store, runId);
    printResult(options, summary, () => summaryText(summary));
  });
}

async function progressOf(store: Store, runId: string) {
  const { done, total, counts, waitingFor } = await readProgress(store, runId);
  return { tasksDone: done, tasks: total, ...counts, waitingFor };
}

async function untilOver(store: Store, runId: string): Promise<void> {
  for (;;) {
    const run = await store.runs.find(runId);
    if (!run) throw new CruxError('User.NotFound', `The run "${runId}" is gone.`);
    if (run.finishedAt !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
