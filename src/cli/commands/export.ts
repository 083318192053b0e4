import { resolve } from 'node:path';
import type { Environment } from '../../environments/contract.ts';
import { exportRuns } from '../../export/export-runs.ts';
import type { ExportOptions } from '../../export/index.ts';
import { knownEnvironments } from '../known-environments.ts';
import { type GlobalOptions, printResult, withReadingStore } from '../setting.ts';

type Given = Omit<ExportOptions, 'force'> & { force?: boolean };

export async function exportRun(options: GlobalOptions, runId: string, given: Given): Promise<void> {
  await withReadingStore(options, runId, async (store) => {
    const opened: Environment[] = [];
    try {
      const written = { ...given, out: resolve(given.out), force: given.force === true };
      const result = await exportRuns(store, [runId], written, async () => {
        opened.push(...(await knownEnvironments(options)));
        return opened;
      });
      printResult(options, result, () => `${result.summary}\nWrote ${result.files.join(', ')} to ${result.out}.`);
    } finally {
      for (const environment of opened) await environment.close?.();
    }
  });
}
