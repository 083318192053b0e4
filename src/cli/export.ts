import { resolve } from 'node:path';
import { type ExportOptions, exportPairs } from '../export/index.ts';
import { loadPairs } from '../views/pairs.ts';
import { type GlobalOptions, printResult, withReadingStore } from './setting.ts';

type Given = Omit<ExportOptions, 'force'> & { force?: boolean };

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    await store.runs.get(runId);
    const result = await exportPairs(await loadPairs(store, runId), {
      ...given,
      out: resolve(given.out),
      force: given.force === true,
    });
    printResult(options, result, () => result.summary);
  });
}
