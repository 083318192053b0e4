import { isFinal } from '../../domain/improve/ends.ts';
import { chooseOldRuns } from '../../domain/run/old-runs.ts';
import { CruxError, errorText } from '../../errors.ts';
import { Garbage, type RowCounts } from '../../store/garbage.ts';
import type { Improvement } from '../../store/improvements.ts';
import type { Store } from '../../store/store.ts';
import { type GlobalOptions, printResult, say, withReadingStore } from '../setting.ts';
import { count, plural, table } from '../terminal/text.ts';

type Given = { olderThan?: number; keepLast?: number; force?: boolean; yes?: boolean };

type Result = {
  dryRun: boolean;
  runs: { runId: string; state: string; finishedAt: string }[];
  kept: { runId: string; reason: string }[];
  rows: RowCounts;
  /** Size of the store in bytes; `after` is null if nothing was deleted. */
  bytes: { before: number; after: number | null };
  notes: string[];
};

const dayMs = 86_400_000;

/** Shows which old runs can be deleted and what they hold. Deletes them with `--yes`. */
export async function gc(options: GlobalOptions, runIds: string[], given: Given): Promise<void> {
  if (runIds.length === 0 && given.olderThan === undefined && given.keepLast === undefined) {
    throw new CruxError('User.Config', 'It is not said which runs to delete.', {
      remedy: 'Name runs, or give --older-than <days> or --keep-last <n>.',
    });
  }
  await withReadingStore(options, runIds[0], async (store) => {
    const missing: string[] = [];
    for (const id of runIds) {
      // Called again after it was interrupted, it goes on with those that are left.
      if (given.yes !== true) await store.runs.get(id);
      else if ((await store.runs.find(id)) === null) missing.push(id);
    }
    const result = await collect(store, runIds, given, say(options));
    result.notes.unshift(...missing.map((id) => `There is no run "${id}" (any more).`));
    printResult(options, result, () => textOf(result));
  });
}

async function collect(store: Store, ids: string[], given: Given, tell: (line: string) => void): Promise<Result> {
  const garbage = new Garbage(store.database);
  const runs = await store.runs.list();
  const improvements = await store.improvements.list();
  const unfinished = improvements.filter(({ state, finishedAt }) => finishedAt === null || !isFinal(state));
  const chosen = chooseOldRuns(runs, await garbage.runsWithCalls(), Date.now(), {
    ids,
    olderThanMs: given.olderThan === undefined ? null : given.olderThan * dayMs,
    keepLast: given.keepLast ?? 0,
    force: given.force === true,
  });
  const needing = (runId: string) => unfinished.find(({ id }) => runId.startsWith(`${id}/`));
  const remove = chosen.remove.filter((id) => needing(id) === undefined);
  const keep = [
    ...chosen.keep,
    ...chosen.remove.flatMap((id) => {
      const improvement = needing(id);
      return improvement === undefined ? [] : [{ id, reason: neededText(improvement) }];
    }),
  ];
  const tree = await garbage.findTreeGarbage(remove);
  const rows = await garbage.countRows(remove);
  rows.nodes = tree.nodes.length;
  rows.transitions = tree.transitions.length;
  rows.snapshots = tree.snapshots.length;
  rows.outcomes_so_far = tree.outcomes_so_far.length;
  const before = await garbage.size();
  const result: Result = {
    dryRun: given.yes !== true,
    runs: runs
      .filter(({ id }) => remove.includes(id))
      .map(({ id, state, finishedAt }) => ({ runId: id, state, finishedAt: new Date(finishedAt!).toISOString() })),
    kept: keep.map(({ id, reason }) => ({ runId: id, reason })),
    rows,
    bytes: { before, after: null },
    notes: [],
  };
  if (result.dryRun) return result;

  const taken: string[] = [];
  for (const id of remove) {
    const isGone = await garbage.deleteRun(id, (name, gone) => tell(`${id}: ${count(gone)} ${name} deleted`));
    if (!isGone) taken.push(id);
  }
  result.runs = result.runs.filter(({ runId }) => !taken.includes(runId));
  result.kept.push(...taken.map((runId) => ({ runId, reason: 'it was taken up meanwhile' })));
  for (const { id } of improvements) {
    const hasLost = remove.some((runId) => runId.startsWith(`${id}/`));
    if (!hasLost || (await store.runs.under(`${id}/`)).length > 0) continue;
    await store.improvements.remove(id);
    result.notes.push(
      `The improvement ${id} is gone with its campaigns; its models stay in the folder improve/${id} of the home.`,
    );
  }
  const isAll = await garbage.deleteTree(tree, (name, gone) => tell(`${count(gone)} ${name} deleted`));
  if (!isAll) {
    const what = 'states that only the deleted runs had stay until the next time';
    result.notes.push(`A run was started, taken up or audited meanwhile, or an import is in progress: ${what}.`);
  }
  tell('compacting the store, which is locked meanwhile');
  try {
    await garbage.giveSpaceBack();
  } catch (error) {
    result.notes.push(`The room is free for new runs, but not given back to the disk: ${errorText(error)}`);
  }
  result.bytes.after = await garbage.size();
  return result;
}

function neededText({ id, state }: Improvement): string {
  return isFinal(state)
    ? `the improvement ${id} has not ended yet`
    : `the improvement ${id} (${state}) can go on and needs it (crux cancel ${id} gives it up)`;
}

function textOf({ dryRun, runs, kept, rows, bytes, notes }: Result): string {
  const megabytes = (size: number) => `${(size / 2 ** 20).toFixed(1)} MB`;
  const filled = Object.entries(rows).filter(([, number]) => number > 0);
  const verb = dryRun ? 'would go' : 'are gone';
  return [
    ...(runs.length === 0
      ? ['No run is to go.']
      : [
          table(
            ['run', 'state', 'ended'],
            runs.map(({ runId, state, finishedAt }) => [runId, state, finishedAt.slice(0, 16).replace('T', ' ')]),
          ),
          '',
        ]),
    ...(filled.length === 0
      ? []
      : [`${filled.map(([name, number]) => `${count(number)} ${name.replaceAll('_', ' ')}`).join(', ')} ${verb}.`]),
    ...kept.map(({ runId, reason }) => `${runId} stays: ${reason}.`),
    bytes.after === null
      ? `The store has ${megabytes(bytes.before)}.`
      : `The store had ${megabytes(bytes.before)}, and has ${megabytes(bytes.after)}.`,
    ...notes,
    ...(dryRun && (runs.length > 0 || filled.length > 0)
      ? [`Nothing was deleted: that takes --yes, which deletes ${plural(runs.length, 'run')} for good.`]
      : []),
  ].join('\n');
}
