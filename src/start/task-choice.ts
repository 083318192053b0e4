/** Which tasks of an environment a run takes. */
import type { AgentFormatName } from '../domain/action.ts';
import { isPolicyEnding, isPolicyFailure } from '../domain/ending.ts';
import { type MethodName, methods } from '../domain/methods/index.ts';
import type { Split, Task } from '../domain/task.ts';
import { CruxError } from '../errors.ts';
import { seededFraction } from '../models/seed.ts';
import { importScope } from '../store/findings.ts';
import type { NewRunTask } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

/** Each member narrows the selection of the members before it. */
export type TaskChoice = {
  /** Only these tasks. */
  taskIds?: string[];
  /** Only tasks of these difficulties, as the environment names them. */
  difficulty?: string[];
  /** All but these tasks. */
  exclude?: string[];
  /** A number of tasks, drawn by the run's seed: a larger sample contains the smaller one. */
  sample?: number;
  /** The most tasks to take, in the environment's order. Default: all. */
  limit?: number;
};

/**
 * The wanted tasks of a split, in the environment's order. Ignores `limit`, which counts trajectories if recorded ones are mined.
 * @param all tasks of the environment
 * @throws CruxError `User.NotFound` for a task or a difficulty that the split does not have
 */
export function wantedTasks(
  all: readonly Task[],
  environment: string,
  { taskIds, difficulty, exclude = [], sample, split, seed }: TaskChoice & { split: Split; seed: number },
): Task[] {
  const tasks = all.filter((task) => task.split === split);
  const where = `The ${split} split of ${environment}`;
  const ids = new Set(tasks.map(({ id }) => id));
  const missing = [...(taskIds ?? []), ...exclude].filter((id) => !ids.has(id));
  if (missing.length > 0) {
    const known = tasks.slice(0, 8).map(({ id }) => `"${id}"`);
    throw new CruxError('User.NotFound', `${where} has no task ${missing.map((id) => `"${id}"`).join(', ')}.`, {
      remedy:
        known.length === 0
          ? otherSplit(all, split)
          : `It has ${known.join(', ')}${tasks.length > 8 ? ' and others' : ''}.`,
    });
  }
  const difficulties = new Set(tasks.flatMap((task) => task.difficulty ?? []));
  const unknown = (difficulty ?? []).filter((name) => !difficulties.has(name));
  if (unknown.length > 0) {
    const known = [...difficulties].toSorted().join(', ') || 'none';
    throw new CruxError('User.NotFound', `${where} has no task of the difficulty ${unknown.join(', ')}.`, {
      remedy: `It has: ${known}.`,
    });
  }
  const [named, unwanted] = [new Set(taskIds), new Set(exclude)];
  const wanted = tasks
    .filter(({ id }) => taskIds === undefined || named.has(id))
    .filter((task) => difficulty === undefined || difficulty.includes(task.difficulty ?? ''))
    .filter(({ id }) => !unwanted.has(id));
  if (sample === undefined) return wanted;
  const chosen = new Set(
    drawnTasks(
      wanted.map(({ id }) => id),
      sample,
      seed,
    ),
  );
  return wanted.filter(({ id }) => chosen.has(id));
}

/** So many tasks, drawn by the seed, in the order in which they are given: more of them contain the fewer. */
export function drawnTasks(ids: readonly string[], count: number, seed: number): string[] {
  const drawn = ids
    .map((id) => ({ id, at: seededFraction(seed, `task/${id}`) }))
    .toSorted((one, other) => one.at - other.at)
    .slice(0, count);
  const chosen = new Set(drawn.map(({ id }) => id));
  return ids.filter((id) => chosen.has(id));
}

type RunOfTasks = {
  method: MethodName;
  trajectories: 'policy' | 'imported';
  samples?: number;
  split: Split;
  seed: number;
  /** Format of the run: recorded trajectories in another cannot be continued. */
  format: AgentFormatName;
};

/**
 * The format of a run that takes recorded trajectories: the wanted one, unless all are written in the other.
 */
export async function importedFormat(
  store: Store,
  environment: string,
  wanted: AgentFormatName,
): Promise<AgentFormatName> {
  const formats = new Set((await store.findings.importedFormats(environment)).values());
  return formats.has(wanted) || formats.size === 0 ? wanted : [...formats][0]!;
}

/**
 * The tasks of a run in their order, each with its sample or the recorded trajectory that is mined.
 * @param all tasks of the environment
 * @throws CruxError `User.NotFound` if no task is left
 */
export async function chooseTasks(
  all: readonly Task[],
  store: Store,
  environment: string,
  request: TaskChoice & RunOfTasks,
): Promise<NewRunTask[]> {
  const wanted = wantedTasks(all, environment, request);
  const chosen =
    request.trajectories === 'imported'
      ? await importedTrajectories(
          store,
          request.method,
          environment,
          wanted.map(({ id }) => id),
          request.format,
        )
      : wanted.slice(0, request.limit).flatMap(({ id }) =>
          Array.from({ length: request.samples ?? methods[request.method].samples }, (_, sample) => ({
            taskId: id,
            sample,
            importedId: null,
          })),
        );
  const limited = request.trajectories === 'imported' ? chosen.slice(0, request.limit) : chosen;
  if (limited.length === 0) {
    throw new CruxError('User.NotFound', `There is nothing to do: no ${request.split} task of ${environment} fits.`, {
      remedy:
        request.trajectories === 'imported'
          ? 'Import recorded runs first: `crux import`.'
          : wanted.length > 0
            ? 'Ask for one task or more.'
            : otherSplit(all, request.split),
    });
  }
  const taskOf = new Map(wanted.map((task): [string, Task] => [task.id, task]));
  return limited.map((task, position) => {
    const { group, difficulty, title } = taskOf.get(task.taskId)!;
    return { position, ...task, group, difficulty, title };
  });
}

/** Recorded trajectories that ended by themselves and can be replayed; for CSO only those that failed. */
async function importedTrajectories(
  store: Store,
  method: MethodName,
  environment: string,
  taskIds: string[],
  format: AgentFormatName,
) {
  const wanted = new Set(taskIds);
  const rows = await store.findings.trajectories(importScope(environment));
  const formats = await store.findings.importedFormats(environment);
  return rows
    .filter(({ rootId }) => formats.get(rootId) === format)
    .filter((row) => wanted.has(row.taskId))
    .filter((row) => {
      const { reward } = row;
      const ending = row.ending;
      const success = row.success;
      return methods[method].minesRecorded === 'failures'
        ? isPolicyFailure({ ending, reward, success })
        : isPolicyEnding(ending);
    })
    .map((row) => ({ taskId: row.taskId, sample: row.sample, importedId: row.id }));
}

/** What to do when a split has no task that fits. */
function otherSplit(all: readonly Task[], split: Split): string {
  if (all.some((task) => task.split === split)) return 'Drop one of the options that choose tasks.';
  const other: Split = split === 'train' ? 'test' : 'train';
  const count = all.filter((task) => task.split === other).length;
  return count === 0
    ? 'The environment has no tasks at all.'
    : `The environment has no ${split} tasks, but ${count} ${other} tasks: --split ${other}.`;
}
