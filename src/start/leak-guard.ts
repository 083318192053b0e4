/** Refuses to test a model on groups of tasks that it has seen, or may have seen. The rules are in domain/lineage.ts. */

import type { LineageNode, TrainedOn, UsedGroup } from '../domain/run/lineage.ts';
import {
  type DataUse,
  type LeakedGroup,
  type Lineage,
  leakedGroups,
  lineageOf,
  runsIn,
  sourcesText,
} from '../domain/run/lineage.ts';
import type { Task } from '../domain/task.ts';
import type { Environment } from '../environments/contract.ts';
import { CruxError } from '../errors.ts';
import { usedGroups } from '../store/data-uses.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

/** Uses that train a model. If a run recorded none of them and still a model names it, that model was trained on data without a record. */
const trainingUses: ReadonlySet<DataUse> = new Set<DataUse>(['pairs', 'sft', 'prm']);

/** How many groups a message names; the rest is counted. */
const namedGroups = 5;

export type Test = {
  environment: Environment;
  /** All tasks of the environment. */
  tasks: readonly Task[];
  /** Groups of the tasks that the policy is tested on. */
  groups: Iterable<string>;
};

/**
 * Groups of a test that the policy has seen or may have seen.
 * @throws CruxError `User.Leak` if there are any, unless `allowLeak`; `User.NotFound` for runs that the store does not have
 */
export async function guardTest(
  store: Store,
  test: Test,
  trainedOn: TrainedOn,
  allowLeak: boolean,
): Promise<LeakedGroup[]> {
  const lineage = await lineageOf(trainedOn, async (runId) => lineageNode(await store.runs.get(runId)));
  const given = await usedGroups(store, test.environment.name);
  const groupOf = new Map(test.tasks.map(({ id, group }) => [id, group]));
  for (const runId of lineage.runs) given.push(...(await unrecorded(store, runId, given, test, groupOf)));
  const fewShot = (test.environment.fewShotTasks ?? []).flatMap((id) => groupOf.get(id) ?? []);
  const leaked = leakedGroups(test.groups, lineage, given, fewShot);
  if (leaked.length > 0 && !allowLeak) throw leakError(leaked, lineage, new Set(test.groups).size);
  return leaked;
}

/** What a run adds to the lineage of models that are trained on it. */
export function lineageNode({ id, config }: Run): LineageNode {
  const { models, options } = config;
  const thresholds = 'thresholdsFrom' in config.options ? (config.options.thresholdsFrom ?? null) : null;
  return {
    runId: id,
    policy: models.policy.trainedOn ?? null,
    prm: 'alternatives' in options && models.prm ? (models.prm.trainedOn ?? null) : undefined,
    others: [...runsIn(models.expert?.trainedOn ?? null), ...(thresholds === null ? [] : [thresholds])],
  };
}

/** A model was trained on the run without a record of which groups: all groups of the run count. */
async function unrecorded(
  store: Store,
  runId: string,
  given: readonly UsedGroup[],
  test: Test,
  groupOf: ReadonlyMap<string, string>,
): Promise<UsedGroup[]> {
  const { environment } = await store.runs.get(runId);
  const isRecorded = given.some((used) => used.runId === runId && trainingUses.has(used.use));
  if (environment !== test.environment.name || isRecorded) return [];
  const tasks = await store.runs.tasks(runId);
  const groups = new Set(tasks.flatMap(({ taskId, group }) => group ?? groupOf.get(taskId) ?? []));
  return [...groups].map((group) => ({ runId, use: 'tasks', group }));
}

function leakError(leaked: readonly LeakedGroup[], lineage: Lineage, tested: number): CruxError {
  const certain = leaked.filter(({ isCertain }) => isCertain).length;
  const seen =
    certain === leaked.length
      ? 'has seen'
      : certain === 0
        ? 'may have seen'
        : `has seen (${certain}) or may have seen (${leaked.length - certain})`;
  const named = leaked.slice(0, namedGroups).map(({ group, from }) => `"${group}" (${sourcesText(from)})`);
  const others = leaked.length > namedGroups ? `, and ${leaked.length - namedGroups} others` : '';
  const unknown = [...lineage.unknownPolicies, ...lineage.unknownPrms];
  const why = unknown.length === 0 ? '' : ` Nobody said what was put into ${unknown.join(', ')}.`;
  return new CruxError(
    'User.Leak',
    `The policy ${seen} ${leaked.length} of the ${tested} groups of this test: ${named.join(', ')}${others}.${why}`,
    {
      remedy: `${
        unknown.length === 0
          ? 'Test on other groups'
          : 'Say it with --trained-on <run>[,<run>…], ending in `none` where that is all (or models.policy.trainedOn), test on other groups'
      }, or test all the same with --allow-leak, which marks the run.`,
    },
  );
}
