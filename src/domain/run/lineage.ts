/**
 * What a model may have seen, by group of tasks. A test on training data says nothing, and tasks of one group share what could leak. A
 * model's lineage is the runs that it was trained on, the runs that their own models were trained on, and so on through all rounds.
 */

/**
 * What groups were given out for. `selection`: a model was chosen on them. `tasks`: a model was trained on the run, and there is no record of what the run gave
 * out.
 */
export const dataUses = ['pairs', 'sft', 'prm', 'thresholds', 'few-shot', 'selection', 'tasks'] as const;
export type DataUse = (typeof dataUses)[number];

/** A group whose tasks a run gave out. */
export type UsedGroup = { runId: string; use: DataUse; group: string };

/** Ends a declared lineage: besides the runs named with it, nothing of this store was in the model. */
export const nothingElse = 'none';

/** Runs that a model was trained on, and `none` if there is nothing else; null if the user did not say. */
export type TrainedOn = readonly string[] | null;

/** What a run adds to the lineage of models that are trained on it. */
export type LineageNode = {
  runId: string;
  /** Of the policy that made its trajectories. */
  policy: TrainedOn;
  /** Of the model that scored actions; undefined if the run had none. */
  prm: TrainedOn | undefined;
  /** Runs that the other models were trained on, and that thresholds were chosen on. */
  others: readonly string[];
};

export type Lineage = {
  /** All of them, each once, the nearest first. */
  runs: string[];
  /** Models in the lineage for which the user did not say what they were trained on, e.g. `the policy of round-1`. */
  unknownPolicies: string[];
  unknownPrms: string[];
};

/** A group of the test that a model has seen, or may have. */
export type LeakedGroup = {
  group: string;
  /** Null: examples in the environment's own prompts. */
  from: { runId: string | null; use: DataUse }[];
  /** False if the model only may have seen it, because the lineage is not known. */
  isCertain: boolean;
};

/**
 * Follows a declaration through all rounds.
 * @param nodeOf the runs; it throws if there is no such run
 */
export async function lineageOf(
  trainedOn: TrainedOn,
  nodeOf: (runId: string) => Promise<LineageNode>,
): Promise<Lineage> {
  const runs: string[] = [];
  const unknownPolicies: string[] = trainedOn === null ? ['the policy'] : [];
  const unknownPrms: string[] = [];
  const isClosed = trainedOn?.includes(nothingElse) ?? false;
  const waiting = runsIn(trainedOn);
  for (let runId = waiting.shift(); runId !== undefined; runId = waiting.shift()) {
    if (runs.includes(runId)) continue;
    runs.push(runId);
    const node = await nodeOf(runId);
    if (node.policy === null && !isClosed) unknownPolicies.push(`the policy of ${runId}`);
    if (node.prm === null && !isClosed) unknownPrms.push(`the PRM of ${runId}`);
    waiting.push(...runsIn(node.policy), ...runsIn(node.prm ?? null), ...node.others);
  }
  return { runs, unknownPolicies, unknownPrms };
}

/**
 * Groups of a test that the model has seen or may have seen. If the lineage is unknown, everything that any run gave out counts: unknown does
 * not mean none. A PRM of unknown lineage may have seen what was given out for training PRMs.
 * @param given everything that runs of the store gave out in the environment
 * @param fewShotGroups groups of the examples in the environment's prompts, which every model sees
 */
export function leakedGroups(
  testGroups: Iterable<string>,
  lineage: Lineage,
  given: readonly UsedGroup[],
  fewShotGroups: Iterable<string> = [],
): LeakedGroup[] {
  const runs = new Set(lineage.runs);
  // Nothing is learned from a validation, so a model that was not chosen on it has not seen it.
  const mayHaveSeen = ({ use }: UsedGroup) =>
    use !== 'selection' && (lineage.unknownPolicies.length > 0 || (lineage.unknownPrms.length > 0 && use === 'prm'));
  const byGroup = Map.groupBy(given, ({ group }) => group);
  const examples = new Set(fewShotGroups);
  return [...new Set(testGroups)].sort().flatMap((group) => {
    const all = byGroup.get(group) ?? [];
    const certain = all.filter(({ runId }) => runs.has(runId));
    const counted = all.filter((used) => runs.has(used.runId) || mayHaveSeen(used));
    const from = [
      ...counted.map(({ runId, use }) => ({ runId, use })),
      ...(examples.has(group) ? [{ runId: null, use: 'few-shot' as const }] : []),
    ];
    return from.length === 0 ? [] : [{ group, from, isCertain: certain.length > 0 || examples.has(group) }];
  });
}

/** Runs of a declaration. */
export function runsIn(trainedOn: TrainedOn): string[] {
  return (trainedOn ?? []).filter((name) => name !== nothingElse);
}

/** E.g. `pairs of round-1, examples in the prompts`. */
export function sourcesText(from: LeakedGroup['from']): string {
  return from
    .map(({ runId, use }) => (runId === null ? 'examples in the prompts' : `${useTexts[use]} of ${runId}`))
    .join(', ');
}

const useTexts: { [use in DataUse]: string } = {
  pairs: 'pairs',
  sft: 'SFT rows',
  prm: 'PRM rows',
  thresholds: 'thresholds',
  'few-shot': 'examples',
  selection: 'validation',
  tasks: 'tasks',
};
