import { resolve } from 'node:path';
import type { DataUse } from '../../domain/run/lineage.ts';
import { EnvironmentRegistry } from '../../environments/registry.ts';
import { CruxError } from '../../errors.ts';
import {
  type ExportOptions,
  type ExportResult,
  exportExamples,
  exportFormats,
  exportPairs,
  exportProcessExamples,
} from '../../export/index.ts';
import type { KindName } from '../../export/item.ts';
import { recordUse } from '../../store/data-uses.ts';
import type { Store } from '../../store/store.ts';
import { loadProcessExamples } from '../../views/calibration.ts';
import { loadExamples } from '../../views/examples.ts';
import { loadPairs } from '../../views/pairs.ts';
import { knownEnvironments } from '../known-environments.ts';
import { type GlobalOptions, printResult, withReadingStore } from '../setting.ts';

type Given = Omit<ExportOptions, 'force'> & { force?: boolean };

/** One kind of items of a run. */
type Source = {
  kind: KindName;
  /** How models use these items. */
  use: DataUse;
  /** What the run has of this kind, in words; null if it has nothing. */
  holds(store: Store, runId: string): Promise<string | null>;
  load(store: Store, runId: string, setting: GlobalOptions): Promise<Loaded>;
};

/** Items that are ready to be written, and the groups of their tasks. */
type Loaded = { groups: string[]; write(options: ExportOptions): Promise<ExportResult> };

const sources: readonly Source[] = [
  {
    kind: 'pair',
    use: 'pairs',
    holds: async (store, runId) => counted(await store.findings.pairs(runId), 'pair'),
    load: async (store, runId) => loaded(await loadPairs(store, runId), exportPairs),
  },
  {
    kind: 'example',
    use: 'sft',
    holds: async (store, runId) => counted(await store.findings.examples(runId), 'example'),
    load: async (store, runId) => loaded(await loadExamples(store, runId), exportExamples),
  },
  {
    kind: 'action',
    use: 'prm',
    holds: async (store, runId) =>
      (await store.findings.branches(runId)).length > 0 ? 'actions with rollouts after them' : null,
    load: async (store, runId, setting) => {
      const environments = await knownEnvironments(setting);
      try {
        const items = await loadProcessExamples(store, new EnvironmentRegistry(environments), runId);
        return loaded(items, exportProcessExamples);
      } finally {
        for (const environment of environments) await environment.close?.();
      }
    },
  },
];

function loaded<Item extends { group: string }>(
  items: readonly Item[],
  write: (items: readonly Item[], options: ExportOptions) => Promise<ExportResult>,
): Loaded {
  return { groups: items.map(({ group }) => group), write: (options) => write(items, options) };
}

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    const { config } = await store.runs.get(runId);
    const source = await sourceFor(store, runId, given.format);
    const { groups, write } = await source.load(store, runId, options);
    // Recorded before anything is written: an export without a record could leak into a test.
    await recordUse(store, runId, source.use, groups);
    // Unless the user says otherwise, a model is trained on conversations in the form in which it was asked.
    const { systemRole = 'keep' } = config.models.policy;
    const result = await write({ systemRole, ...given, out: resolve(given.out), force: given.force === true });
    printResult(options, result, () => `${result.summary}\nWrote ${result.files.join(', ')} to ${result.out}.`);
  });
}

/**
 * The items that the format takes. A run without items of any kind gives an empty export, which says so.
 * @throws CruxError `User.Config` for an unknown format, `User.NotFound` if the run has items of other kinds only
 */
async function sourceFor(store: Store, runId: string, formatName: string): Promise<Source> {
  const format = exportFormats.find(({ name }) => name === formatName);
  if (format === undefined) {
    const names = exportFormats.map(({ name }) => name).join(', ');
    throw new CruxError('User.Config', `Unknown export format "${formatName}"`, { remedy: `Use one of: ${names}.` });
  }
  const held = await Promise.all(sources.map(async (source) => ({ source, what: await source.holds(store, runId) })));
  const wanted = held.find(({ source }) => source.kind === format.of)!;
  const others = held.filter(({ source, what }) => source.kind !== format.of && what !== null);
  if (wanted.what !== null || others.length === 0) return wanted.source;
  const has = others.map(({ source, what }) => {
    const names = exportFormats.filter(({ of }) => of === source.kind).map(({ name }) => name);
    return `${what} (for ${names.join(', ')})`;
  });
  throw new CruxError(
    'User.NotFound',
    `Run ${runId} has no ${format.of}s, which the format ${format.name} is made of`,
    {
      remedy: `It has ${has.join(' and ')}.`,
    },
  );
}

function counted(rows: readonly unknown[], what: string): string | null {
  return rows.length === 0 ? null : `${rows.length} ${what}${rows.length === 1 ? '' : 's'}`;
}
