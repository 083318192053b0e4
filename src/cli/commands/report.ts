import { join } from 'node:path';
import { askedModels } from '../../domain/run/run-config.ts';
import { renderImprovement, renderReport } from '../../report/index.ts';
import type { Store } from '../../store/store.ts';
import { improvementView } from '../../views/improvement.ts';
import { runView } from '../../views/run-view.ts';
import { type GlobalOptions, homeOf, printResult, withReadingStore } from '../setting.ts';
import { newPage, writePage } from '../terminal/page.ts';

export async function report(
  options: GlobalOptions,
  runId: string,
  given: { out?: string; force?: boolean },
): Promise<void> {
  const file = given.out === undefined ? reportFile(homeOf(options), runId) : newPage(given.out, given.force);
  await withReadingStore(options, runId, (store) => writeReport(store, runId, file));
  printResult(options, { runId, file }, () => `Report: ${file}`);
}

/** Crux owns the reports in the home folder and rewrites them. */
export function reportFile(home: string, runId: string): string {
  // Campaigns of an improvement have slashes in their ids.
  return join(home, 'reports', `${runId.replaceAll('/', '-')}.html`);
}

export async function writeReport(store: Store, runId: string, file: string): Promise<void> {
  if ((await store.improvements.find(runId)) !== null) {
    await writePage(file, renderImprovement(await improvementView(store, runId)));
    return;
  }
  const models = Object.values(askedModels((await store.runs.get(runId)).config));
  const simulated = models.some(({ model }) => model.startsWith('sim-'));
  const html = renderReport(
    await runView(store, runId, simulated ? 'Simulated: engine behaviour, not model quality.' : null),
  );
  await writePage(file, html);
}
