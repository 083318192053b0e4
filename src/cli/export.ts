import { resolve } from 'node:path';
import { exportPairs } from '../export/index.ts';
import { loadPairs } from '../views/pairs.ts';
import { type GlobalOptions, printResult, withReadingStore } from './setting.ts';

type Given = { format: string; out: string; tokenizer?: string; maxLength?: number; force?: boolean };

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    await store.runs.get(runId);
    const result = await exportPairs(await loadPairs(store, runId), {
      format: given.format,
      out: resolve(given.out),
      force: given.force === true,
      tokenizer: given.tokenizer,
      maxLength: given.maxLength,
    });
    printResult(options, result, () => result.summary);
  });
}
