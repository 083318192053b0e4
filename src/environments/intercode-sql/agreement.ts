/**
 * How closely this environment matches the MySQL original: runs every recorded statement, and compares observations and rewards with the
 * recorded ones. Every difference has a named cause.
 */
import type { QueryResult } from './connection.ts';
import type { SqlDataset, SqlTask } from './dataset.ts';
import { type DifferenceCause, DifferenceCauses, isTolerated, type RunOn } from './difference-cause.ts';
import type { SqlExecutor } from './executor.ts';
import type { LogForm } from './log-forms.ts';
import { listText } from './python-text.ts';
import type { RecordedRun } from './recorded-runs.ts';
import { type RewardRule, rewardOf } from './reward.ts';
import { isTied, leavesOrderOpen } from './ties.ts';

export type RewardCause =
  | DifferenceCause
  /** The gold is one of several right answers: its LIMIT cuts rows that tie. */
  | 'gold-tie';

export type Counts = { [cause: string]: number };

/** Agreement of one log. */
export type LogAgreement = {
  log: string;
  model: string;
  /** More than one only if its episodes differ in form. */
  forms: LogForm[];
  /** The rule under which most of its rewards agree; `iou` if both agree equally. */
  rewardRule: RewardRule;
  /** Runs whose log says a reward. */
  rewards: number;
  rewardsEqual: number;
  /** Under `iou-tau`: rewards that are not those of `iou`, because of the order of rows. A replay compares them with nothing. */
  rewardsByOrder: number;
  rewardDifferences: { taskId: string; recorded: number; ours: number; cause: RewardCause }[];
  statements: number;
  /** Observations that are equal to the letter. */
  equal: number;
  /** Observations that say the same in another way, by cause. */
  sameMeaning: Counts;
  /** Statements to which MySQL gave a result, and which are an error here. */
  refused: number;
  /** All other differences, by cause. */
  other: Counts;
};

export type Agreement = {
  logs: LogAgreement[];
  /** What a replay under `iou` compares the reward of a run with; null for one that `iou-tau` made another. */
  expected: ReadonlyMap<RecordedRun, { reward: number | null; cause: RewardCause }>;
  causes: DifferenceCauses;
};

/** @throws CruxError when a statement fails for a reason of the host */
export async function measureAgreement(
  runs: readonly RecordedRun[],
  dataset: SqlDataset,
  executor: SqlExecutor,
): Promise<Agreement> {
  const tasks = new Map(dataset.tasks.map((task) => [task.id, task]));
  const taskOf = ({ taskId }: RecordedRun) => tasks.get(taskId)!;
  const statements = runs.flatMap((run) => queriesOf(run).map(({ query }) => ({ db: taskOf(run).db, query })));
  const runOn = runningOnce(dataset, executor);
  const causes = new DifferenceCauses(dataset, runOn, statements);
  const replayed = await Promise.all(runs.map((run) => replay({ runOn, task: taskOf(run), causes }, run)));
  const logs: LogAgreement[] = [];
  const expected = new Map<RecordedRun, { reward: number | null; cause: RewardCause }>();
  for (const ofLog of Map.groupBy(replayed, ({ run }) => run.source).values()) {
    const log = logAgreement(ofLog);
    logs.push(log);
    for (const { run, reward } of ofLog) {
      if (reward === null) continue;
      const isIncomparable = log.rewardRule === 'iou-tau' && isOtherByOrder(reward);
      expected.set(run, { reward: isIncomparable ? null : reward.recorded, cause: reward.cause });
    }
  }
  return { logs, expected, causes };
}

type Replay = { runOn: RunOn; task: SqlTask; causes: DifferenceCauses };

/** Agents of all logs ask much the same, and the data never changes: each query runs once. */
function runningOnce(dataset: SqlDataset, executor: SqlExecutor): RunOn {
  const limits = { rows: 100_000, characters: 32_000_000 };
  const results = new Map<string, Promise<QueryResult>>();
  return (db, query) => {
    const key = JSON.stringify([db, query]);
    const known = results.get(key);
    if (known) return known;
    const request = { path: dataset.databasePath(db), database: db, query, limits, lenient: false };
    const result = executor.run(request);
    results.set(key, result);
    return result;
  };
}

type Graded = {
  recorded: number;
  ours: { [rule in RewardRule]: number };
  /** Why ours would differ, if it does. */
  cause: RewardCause;
};

type Replayed = { run: RecordedRun; causes: (DifferenceCause | null)[]; reward: Graded | null };

const queriesOf = ({ steps }: RecordedRun) =>
  steps.flatMap(({ action, observation }) => {
    const query = action?.arguments.query;
    return typeof query === 'string' ? [{ query, observation }] : [];
  });

async function replay(context: Replay, run: RecordedRun): Promise<Replayed> {
  const { runOn, task } = context;
  const causes: (DifferenceCause | null)[] = [];
  let last: { query: string; result: QueryResult } | null = null;
  for (const { query, observation } of queriesOf(run)) {
    const result = await runOn(task.db, query);
    last = { query, result };
    causes.push(await context.causes.causeOf(task.db, query, observationOf(result), observation));
  }
  if (run.reward === null) return { run, causes, reward: null };
  const gold = await runOn(task.db, task.gold);
  // InterCode scores a gold that MySQL rejects like one without rows.
  const goldRows = gold.kind === 'rows' ? gold.rows : [];
  const rows = last?.result.kind === 'rows' ? last.result.rows : null;
  const ours = { iou: rewardOf('iou', rows, goldRows).raw, 'iou-tau': rewardOf('iou-tau', rows, goldRows).raw };
  const reward = { recorded: run.reward, ours, cause: causes.at(-1) ?? 'other' } as const;
  if (isEqual(reward, 'iou') && isEqual(reward, 'iou-tau')) return { run, causes, reward };
  return { run, causes, reward: { ...reward, cause: await rewardCause(context, reward, last?.query ?? '') } };
}

async function rewardCause(
  { runOn, task: { db, gold } }: Replay,
  { recorded, ours, cause }: Graded,
  query: string,
): Promise<RewardCause> {
  if (!isTolerated(cause as DifferenceCause) && cause !== 'other') return cause;
  if (await isTied(gold, false, (asked) => runOn(db, asked))) return 'gold-tie';
  // Tau turns with the order of the rows, and can only take away from the overlap.
  const isOpen = leavesOrderOpen(query, false) || leavesOrderOpen(gold, false);
  if (isOpen && Math.abs(recorded) <= ours.iou + 0.005) return 'row-order';
  return 'other';
}

function observationOf(result: QueryResult): string {
  if (result.kind === 'none') return 'None';
  return result.kind === 'rows' ? listText(result.rows) : `Error executing query: ${result.message}`;
}

const isEqual = ({ recorded, ours }: Graded, rule: RewardRule) => Math.abs(recorded - ours[rule]) < 1e-9;

/** Whether tau made a reward another than that of `iou`. */
const isOtherByOrder = (reward: Graded) =>
  !isEqual(reward, 'iou') && (isEqual(reward, 'iou-tau') || reward.cause === 'row-order');

function logAgreement(replayed: Replayed[]): LogAgreement {
  const { source, model } = replayed[0]!.run;
  const causes = replayed.flatMap((each) => each.causes);
  const rewards = replayed.flatMap(({ run: { taskId }, reward }) => (reward ? [{ taskId, ...reward }] : []));
  const equalUnder = (rule: RewardRule) => rewards.filter((reward) => isEqual(reward, rule)).length;
  const rule = equalUnder('iou-tau') > equalUnder('iou') ? 'iou-tau' : 'iou';
  const named = counted(causes.filter((cause) => cause !== null));
  const part = (wanted: (cause: DifferenceCause) => boolean) =>
    Object.fromEntries(Object.entries(named).filter(([cause]) => wanted(cause as DifferenceCause)));
  return {
    log: source,
    model,
    forms: [...new Set(replayed.map(({ run }) => run.form))],
    rewardRule: rule,
    rewards: rewards.length,
    rewardsEqual: equalUnder(rule),
    rewardsByOrder: rule === 'iou-tau' ? rewards.filter(isOtherByOrder).length : 0,
    rewardDifferences: rewards
      .filter((reward) => !isEqual(reward, rule))
      .map(({ taskId, recorded, ours, cause }) => ({ taskId, recorded, ours: ours[rule], cause })),
    statements: causes.length,
    equal: causes.filter((cause) => cause === null).length,
    sameMeaning: part(isTolerated),
    refused: named.refused ?? 0,
    other: part((cause) => !isTolerated(cause) && cause !== 'refused'),
  };
}

/** Most frequent first. */
export function counted(causes: readonly string[]): Counts {
  const counts = [...Map.groupBy(causes, (cause) => cause)].map(([cause, all]) => [cause, all.length] as const);
  return Object.fromEntries(counts.sort(([, one], [, other]) => other - one));
}
