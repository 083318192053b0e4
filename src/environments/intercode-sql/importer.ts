/** InterCode-SQL and the training tasks of Spider for `crux import`, with the episodes that InterCode released. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { count } from '../../imports/count.ts';
import { environmentName } from '../../imports/environment-name.ts';
import type { Imported, ImportRequest, RecordedRuns, ReportProgress } from '../../imports/importer.ts';
import type { Difference, ImportedCounts } from '../../imports/recorded-trajectories.ts';
import { type LogAgreement, measureAgreement } from './agreement.ts';
import type { SqlDataset } from './dataset.ts';
import { isTolerated } from './difference-cause.ts';
import { interCodeSql } from './environment.ts';
import { SqlExecutor } from './executor.ts';
import { type ImportResult, importSqlDataset } from './import.ts';
import { type RecordedLogs, readRecordedRuns } from './recorded-runs.ts';
import { sqlTextFormat } from './text-format.ts';

/** @throws CruxError `User.NotFound`, `User.Config` before anything is written */
export async function importInterCodeSql({ from, runs, into, name, report }: ImportRequest): Promise<Imported> {
  const own = join(from, 'runs');
  const places = existsSync(own) ? [own, ...runs] : runs;
  let logs: RecordedLogs | null = null;
  const imported = await importSqlDataset({
    from,
    into,
    check: (taskIds) => {
      if (places.length > 0) logs = readRecordedRuns(places, taskIds);
    },
    onProgress: ({ stage, done, total }) => report(stage === 'golds' ? 'gold queries' : stage, done, total),
  });
  const { dataset, databases, train, test, emptyGolds, rejectedGolds, tiedGolds } = imported;
  return {
    figures: { databases, train, test, emptyGolds, rejectedGolds, tiedGolds },
    text: dataText(imported, name, into),
    configured: (folder) => `interCodeSql({ data: '${folder}', name: '${environmentName(name, 'intercode-sql')}' })`,
    recorded: logs && (await recordedRuns({ into, name, dataset, logs }, report)),
  };
}

async function recordedRuns(
  { into, name, dataset, logs }: { into: string; name: string; dataset: SqlDataset; logs: RecordedLogs },
  report: ReportProgress,
): Promise<RecordedRuns> {
  const { runs, leftOut, notes, blocked } = logs;
  report('agreement with MySQL', 0, 1);
  const executor = new SqlExecutor();
  const measured = await measureAgreement(runs, dataset, executor).finally(() => executor.close());
  const databaseOf = new Map(dataset.tasks.map(({ id, db }) => [id, db]));
  // Another executor replays the runs: what the causes still ask for is little.
  const pool = new SqlExecutor();
  const environment = interCodeSql({ data: into, name: environmentName(name, 'intercode-sql'), pool });
  return {
    environment: { ...environment, close: () => pool.close() },
    trajectories: runs.map((run) => {
      const { reward = null, cause } = measured.expected.get(run) ?? {};
      return { ...run, format: 'react', reward, rewardCause: cause };
    }),
    async compare(ours, recorded, { taskId, message }): Promise<Difference | null> {
      const parsed = sqlTextFormat.parse(message.content ?? '');
      const query = parsed.kind === 'action' ? String(parsed.action.arguments.query ?? '') : '';
      const cause = await measured.causes.causeOf(databaseOf.get(taskId)!, query, ours, recorded);
      return cause === null ? null : { cause, tolerated: isTolerated(cause) };
    },
    leftOut,
    notes,
    agreement: { logs: measured.logs, blocked },
    text: (counts) => [
      ...measured.logs.flatMap((log) => logText(log, counts.get(log.log))),
      ...(blocked > 0 ? [`Left out: ${count(blocked)} runs that the model's provider ended (\`blocked\`)`] : []),
    ],
  };
}

function dataText(
  { databases, train, test, emptyGolds, rejectedGolds, tiedGolds }: ImportResult,
  name: string,
  into: string,
): string[] {
  const refused = rejectedGolds > 0 ? `, ${count(rejectedGolds)} whose gold MySQL 8 refuses` : '';
  return [
    `${name}: ${count(train)} train and ${count(test)} test tasks on ${count(databases)} databases in ${into}`,
    `Left out: ${count(emptyGolds)} tasks whose gold query returns no row (any empty result would score 1)${refused}`,
    ...(tiedGolds.length > 0
      ? [
          `Golds that are one of several right answers, because their LIMIT cuts rows that tie: ${count(tiedGolds.length)} tasks (${tiedGolds.join(', ')})`,
        ]
      : []),
  ];
}

/** One log: agreement of all its runs, replay of those on tasks that are kept. */
function logText(log: LogAgreement, counts: ImportedCounts | undefined): string[] {
  const { sameMeaning, other } = log;
  const share = (part: number, whole: number) =>
    `${count(part)} of ${count(whole)}${whole === 0 ? '' : ` (${((100 * part) / whole).toFixed(1)} %)`}`;
  const kept = counts ? counts.recorded - counts.outsideSplits - counts.empty : 0;
  const rule =
    log.rewardRule === 'iou'
      ? ''
      : `, recorded under IoU × tau: ${count(log.rewardsByOrder)} differ from IoU by the order of rows, and no replay is compared with them`;
  return [
    '',
    `${log.log} (${log.forms.join(', ')}; ${log.model})`,
    `  rewards equal ${share(log.rewardsEqual, log.rewards)}${rule}`,
    ...log.rewardDifferences
      .slice(0, mostListed)
      .map(
        ({ taskId, recorded, ours, cause }) =>
          `    task ${taskId}: recorded ${rounded(recorded)}, here ${rounded(ours)} (${cause})`,
      ),
    ...(log.rewardDifferences.length > mostListed
      ? [`    and ${count(log.rewardDifferences.length - mostListed)} more (all with --json)`]
      : []),
    `  statements ${count(log.statements)}: ${count(log.equal)} equal, ${count(sum(sameMeaning))} the same in another way, ${count(log.refused)} refused here, ${count(sum(other))} other`,
    `    the same in another way: ${named(sameMeaning)}`,
    `    other: ${named(other)}`,
    `  replayed ${share(counts?.replayed ?? 0, kept)} of the runs on tasks that are kept; diverged: ${named(counts?.diverged ?? {})}`,
  ];
}

const mostListed = 20;

const rounded = (reward: number) => Number(reward.toFixed(4));

const sum = (counts: { [cause: string]: number }) => Object.values(counts).reduce((all, one) => all + one, 0);

function named(counts: { [cause: string]: number }): string {
  return (
    Object.entries(counts)
      .map(([cause, one]) => `${cause} ${count(one)}`)
      .join(', ') || 'none'
  );
}
