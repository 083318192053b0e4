import { resolve } from 'node:path';
import { type ExportOptions, exportPairs } from '../export/index.ts';
import { recordUse } from '../store/data-uses.ts';
import { loadPairs } from '../views/pairs.ts';
import { type GlobalOptions, printResult, withReadingStore } from './setting.ts';

type Given = Omit<ExportOptions, 'force'> & { force?: boolean };

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    const pairs = await loadPairs(store, runId);
    // Before anything is written: what left the store without a record could leak into a test.
    await recordUse(
      store,
      runId,
      'pairs',
      pairs.map(({ group }) => group),
    );
    const result = await exportPairs(pairs, {
      ...given,
      out: resolve(given.out),
      force: given.force === true,
    });
    printResult(options, result, () => result.summary);
  });
}
