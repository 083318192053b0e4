/** Exports what runs have found. Every export is recorded for the leak guard before anything is written. */
import type { DataUse } from '../domain/run/lineage.ts';
import type { Environment } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';
import { recordUse } from '../store/data-uses.ts';
import type { Store } from '../store/store.ts';
import { loadProcessExamples } from '../views/calibration.ts';
import { loadExamples } from '../views/examples.ts';
import { loadPairs } from '../views/pairs.ts';
import {
  type ExportOptions,
  type ExportResult,
  exportExamples,
  exportPairs,
  exportProcessExamples,
} from './export-items.ts';
import { exportFormats } from './formats.ts';
import type { ExportItem, KindName } from './item.ts';

/** One kind of items of a run. */
type Source<Item extends ExportItem> = {
  kind: KindName;
  /** How models use these items. */
  use: DataUse;
  /** What the run has of this kind, in words; null if it has nothing. */
  holds(store: Store, runId: string): Promise<string | null>;
  load(store: Store, runId: string, environments: () => Promise<readonly Environment[]>): Promise<Item[]>;
  write(items: readonly Item[], options: ExportOptions): Promise<ExportResult>;
};

function source<Item extends ExportItem>(own: Source<Item>): Source<ExportItem> {
  // What it loads is what it writes.
  return own as unknown as Source<ExportItem>;
}

const sources: readonly Source<ExportItem>[] = [
  source({
    kind: 'pair',
    use: 'pairs',
    holds: async (store, runId) => counted(await store.findings.count(runId, 'pairs'), 'pair'),
    load: (store, runId) => loadPairs(store, runId),
    write: exportPairs,
  }),
  source({
    kind: 'example',
    use: 'sft',
    holds: async (store, runId) => counted(await store.findings.count(runId, 'examples'), 'example'),
    load: (store, runId) => loadExamples(store, runId),
    write: exportExamples,
  }),
  source({
    kind: 'action',
    use: 'prm',
    holds: async (store, runId) =>
      (await store.findings.hasBranches(runId)) ? 'actions with rollouts after them' : null,
    load: async (store, runId, environments) =>
      loadProcessExamples(store, new EnvironmentRegistry([...(await environments())]), runId),
    write: exportProcessExamples,
  }),
];

/**
 * Writes the items of runs in the order of the runs. An item that two runs have is written once.
 * @param environments asked only for a format whose groups come from the environment
 * @param ifNone whether a run that has only items of other kinds is refused, or counts as one without any
 * @throws CruxError `User.Config` for an unknown format, `User.NotFound` if a run has only items of other kinds; see also `exportPairs`
 */
export async function exportRuns(
  store: Store,
  runIds: readonly string[],
  options: ExportOptions,
  environments: () => Promise<readonly Environment[]>,
  ifNone: 'refuse' | 'empty' = 'refuse',
): Promise<ExportResult> {
  const items = new Map<string, ExportItem>();
  let written: Source<ExportItem> | undefined;
  for (const runId of runIds) {
    options.signal?.throwIfAborted();
    written = await sourceFor(store, runId, options.format, ifNone);
    const own = await written.load(store, runId, environments);
    // Recorded before anything is written: an export without a record could leak into a test.
    await recordUse(
      store,
      runId,
      written.use,
      own.map(({ group }) => group),
    );
    for (const item of own) items.set(item.id, item);
  }
  // Unless the user says otherwise, a model is trained on conversations in the form in which it was asked.
  const { systemRole = 'keep' } = (await store.runs.get(runIds[0]!)).config.models.policy;
  return written!.write([...items.values()], { systemRole, ...options });
}

/**
 * The items that the format takes. A run without items of any kind gives an empty export, which says so.
 * @throws CruxError `User.Config` for an unknown format, `User.NotFound` if the run has items of other kinds only
 */
async function sourceFor(
  store: Store,
  runId: string,
  formatName: string,
  ifNone: 'refuse' | 'empty',
): Promise<Source<ExportItem>> {
  const format = exportFormats.find(({ name }) => name === formatName);
  if (format === undefined) {
    const names = exportFormats.map(({ name }) => name).join(', ');
    throw new CruxError('User.Config', `Unknown export format "${formatName}"`, { remedy: `Use one of: ${names}.` });
  }
  const held = await Promise.all(sources.map(async (own) => ({ source: own, what: await own.holds(store, runId) })));
  const wanted = held.find((own) => own.source.kind === format.of)!;
  const others = held.filter((own) => own.source.kind !== format.of && own.what !== null);
  if (wanted.what !== null || others.length === 0 || ifNone === 'empty') return wanted.source;
  const has = others.map((own) => {
    const names = exportFormats.filter(({ of }) => of === own.source.kind).map(({ name }) => name);
    return `${own.what} (for ${names.join(', ')})`;
  });
  throw new CruxError(
    'User.NotFound',
    `Run ${runId} has no ${format.of}s, which the format ${format.name} is made of`,
    { remedy: `It has ${has.join(' and ')}.` },
  );
}

function counted(rows: number, what: string): string | null {
  return rows === 0 ? null : `${rows} ${what}${rows === 1 ? '' : 's'}`;
}
