import { resolve } from 'node:path';
import { CruxError } from '../errors.ts';
import { type ExportOptions, type ExportResult, exportExamples, exportFormats, exportPairs } from '../export/index.ts';
import type { KindName } from '../export/item.ts';
import type { Store } from '../store/store.ts';
import { loadExamples } from '../views/examples.ts';
import { loadPairs } from '../views/pairs.ts';
import { type GlobalOptions, printResult, withReadingStore } from './setting.ts';

type Given = Omit<ExportOptions, 'force'> & { force?: boolean };

/** Where a run keeps the items of a kind. */
type Source = {
  kind: KindName;
  count(store: Store, runId: string): Promise<number>;
  write(store: Store, runId: string, options: ExportOptions): Promise<ExportResult>;
};

const sources: readonly Source[] = [
  {
    kind: 'pair',
    count: async (store, runId) => (await store.findings.pairs(runId)).length,
    write: async (store, runId, options) => exportPairs(await loadPairs(store, runId), options),
  },
  {
    kind: 'example',
    count: async (store, runId) => (await store.findings.examples(runId)).length,
    write: async (store, runId, options) => exportExamples(await loadExamples(store, runId), options),
  },
];

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    await store.runs.get(runId);
    const source = await sourceFor(store, runId, given.format);
    const result = await source.write(store, runId, {
      ...given,
      out: resolve(given.out),
      force: given.force === true,
    });
    printResult(options, result, () => result.summary);
  });
}

/**
 * The items that the format is made of. A run that has none of any kind gives an empty export, which says so.
 * @throws CruxError `User.Config` for an unknown format, `User.NotFound` when the run has items of other kinds only
 */
async function sourceFor(store: Store, runId: string, formatName: string): Promise<Source> {
  const format = exportFormats.find(({ name }) => name === formatName);
  if (format === undefined) {
    const names = exportFormats.map(({ name }) => name).join(', ');
    throw new CruxError('User.Config', `Unknown export format "${formatName}"`, { remedy: `Use one of: ${names}.` });
  }
  const counted = await Promise.all(
    sources.map(async (source) => ({ source, count: await source.count(store, runId) })),
  );
  const wanted = counted.find(({ source }) => source.kind === format.of);
  const others = counted.filter(({ source, count }) => source.kind !== format.of && count > 0);
  if (wanted !== undefined && (wanted.count > 0 || others.length === 0)) return wanted.source;
  const has = others.map(({ source, count }) => {
    const names = exportFormats.filter(({ of }) => of === source.kind).map(({ name }) => name);
    return `${count} ${source.kind}${count === 1 ? '' : 's'} (for ${names.join(', ')})`;
  });
  throw new CruxError(
    'User.NotFound',
    `Run ${runId} has no ${format.of}s, which the format ${format.name} is made of`,
    {
      remedy: has.length === 0 ? 'Nothing can be exported from it yet.' : `It has ${has.join(' and ')}.`,
    },
  );
}
