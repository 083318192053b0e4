/** WebShop's catalogue for `crux import`. */
import { CruxError } from '../../errors.ts';
import { count } from '../../imports/count.ts';
import { environmentName } from '../../imports/environment-name.ts';
import type { Imported, ImportRequest } from '../../imports/importer.ts';
import { importShop, type ShopImport } from './import.ts';

/** @throws CruxError `User.NotFound`, `User.Config`; nothing is written then */
export async function importWebShop({ from, runs, into, name, report }: ImportRequest): Promise<Imported> {
  if (runs.length > 0)
    throw new CruxError('User.Config', 'Recorded runs of WebShop cannot be imported.', {
      remedy: 'Leave --runs away.',
    });
  const imported = await importShop({ from, into, report });
  const { dataset, ...counts } = imported;
  return {
    figures: { products: dataset.products, goals: dataset.goals, ...counts },
    text: textOf(imported, name, into),
    configured: (folder) => `webshop({ data: '${folder}', name: '${environmentName(name, 'webshop')}' })`,
    recorded: null,
  };
}

function textOf({ dataset, train, test, ...left }: ShopImport, name: string, into: string): string[] {
  const { products, goals, goalKind, nouns } = dataset;
  const leftOut = [
    [left.duplicates, 'products that stand twice'],
    [left.withoutAsin, 'products without a usable ASIN'],
    [left.withoutAttributes, 'instructions without attributes'],
    [left.leaking, 'goals about a product of the test, which would be trained on'],
    [left.unused, 'goals in no split'],
  ] as const;
  return [
    `${name}: ${count(products)} products and ${count(goals)} ${goalKind} goals in ${into}`,
    `Tasks: ${count(train)} train, ${count(test)} test`,
    ...leftOut.filter(([number]) => number > 0).map(([number, what]) => `Left out: ${count(number)} ${what}`),
    ...(goalKind === 'synthetic'
      ? [
          'The goals are synthetic: figures on them cannot be compared with published ones, which used goals that people wrote.',
        ]
      : []),
    ...(nouns === 'approximated'
      ? [
          'The folder has no title_nouns.jsonl, so nouns of titles are approximated: some rewards may differ from the original.',
        ]
      : []),
  ];
}
