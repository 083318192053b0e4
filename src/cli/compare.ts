import { figureNames, figures } from '../domain/figures.ts';
import { differenceText, facts, figureText, flagRows, smallestText } from '../report/comparison-text.ts';
import { renderComparison } from '../report/index.ts';
import { type Comparison, compareRuns } from '../views/comparison.ts';
import { knownEnvironments } from './known-environments.ts';
import { newPage, writePage } from './page.ts';
import { type GlobalOptions, printResult, readingStore } from './setting.ts';
import { table } from './text.ts';

export async function compare(
  options: GlobalOptions,
  runIds: string[],
  given: { ledgerOnly?: boolean; out?: string; force?: boolean },
): Promise<void> {
  const file = given.out === undefined ? null : newPage(given.out, given.force);
  const environments = await knownEnvironments(options);
  const store = await readingStore(options, async ({ runs }) =>
    (await Promise.all(runIds.map((id) => runs.find(id)))).every((run) => run !== null),
  );
  try {
    const comparison = await compareRuns(store, runIds, { ledgerOnly: given.ledgerOnly ?? false, environments });
    if (file !== null) await writePage(file, renderComparison(comparison));
    printResult(options, file === null ? comparison : { ...comparison, file }, () =>
      [comparisonText(comparison), ...(file === null ? [] : [`Page: ${file}`])].join('\n\n'),
    );
  } finally {
    await store.close();
    for (const environment of environments) await environment.close?.();
  }
}

function comparisonText({ runs, notes }: Comparison): string {
  const names = figureNames.filter((name) => runs[0]!.figures[name] !== undefined);
  const rows = [
    ...facts.map(({ title, text }) => [title, ...runs.map(text)]),
    ...flagRows(runs).map(({ title, texts }) => [title, ...texts]),
    ...names.map((name) => [figures[name].title, ...runs.map((run) => figureText(name, run.figures[name]!))]),
  ];
  const differences = runs.slice(1).flatMap(({ runId, differences: own }) => {
    if (own === null) return [];
    const header = [`${runId} − ${runs[0]!.runId}`, 'difference', 'smallest seen', 'tasks', 'groups'];
    const cells = names.map((name) => {
      const difference = own[name]!;
      return [
        figures[name].title,
        differenceText(name, difference),
        smallestText(name, difference),
        difference.tasks,
        difference.groups,
      ];
    });
    return [table(header, cells)];
  });
  const footnotes = notes.map((note) => `Note: ${note}`).join('\n');
  return [table(['', ...runs.map(({ runId }) => runId)], rows), ...differences, footnotes]
    .filter((part) => part !== '')
    .join('\n\n');
}
