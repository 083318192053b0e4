import { join } from 'node:path';
import { askedModels } from '../../domain/run/run-config.ts';
import { renderImprovement, renderReport } from '../../report/index.ts';
import { readableTexts } from '../../sealed-text.ts';
import type { Store } from '../../store/store.ts';
import { improvementView } from '../../views/improvement.ts';
import { runView } from '../../views/run-view.ts';
import { closedTask } from '../../views/sealed.ts';
import { type GlobalOptions, homeOf, printResult, withReadingStore } from '../setting.ts';
import { newPage, writePage } from '../terminal/page.ts';

export async function report(
  options: GlobalOptions,
  runId: string,
  given: { out?: string; force?: boolean; unseal?: boolean },
): Promise<void> {
  const file = given.out === undefined ? reportFile(homeOf(options), runId) : newPage(given.out, given.force);
  await withReadingStore(options, runId, (store) => writeReport(store, runId, file, given.unseal));
  printResult(options, { runId, file }, () => `Report: ${file}`);
}

/** Crux owns the reports in the home folder and rewrites them. */
export function reportFile(home: string, runId: string): string {
  // Campaigns of an improvement have slashes in their ids.
  return join(home, 'reports', `${runId.replaceAll('/', '-')}.html`);
}

/** @param unseal whether the texts of sealed tasks are written into it */
export async function writeReport(store: Store, runId: string, file: string, unseal = false): Promise<void> {
  const seals = unseal ? 'opened' : 'closed';
  if ((await store.improvements.find(runId)) !== null) {
    await writePage(file, renderImprovement(readableTexts(await improvementView(store, runId), seals)));
    return;
  }
  const { config } = await store.runs.get(runId);
  const models = Object.values(askedModels(config));
  const simulated = models.some(({ model }) => model.startsWith('sim-'));
  const isClosed = config.sealed !== undefined && !unseal;
  const notices = [
    ...(simulated ? ['Simulated: engine behaviour, not model quality.'] : []),
    ...(isClosed ? ['The texts of its tasks are sealed. crux report --unseal writes them.'] : []),
  ];
  const view = await runView(store, runId, notices.join(' ') || null);
  const shown = isClosed ? { ...view, tasks: view.tasks.map(closedTask) } : view;
  // Before they become HTML: what a seal holds is escaped like any other text.
  await writePage(file, renderReport(readableTexts(shown, seals)));
}
