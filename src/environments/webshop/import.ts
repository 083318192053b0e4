/**
 * Makes a dataset folder from the files that WebShop publishes. They are read as streams, and products, index and goals go to disk as they come: the
 * size of a catalogue does not decide how much memory that takes.
 */
import { createHash, type Hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CruxError } from '../../errors.ts';
import { assertApart } from '../../imports/apart.ts';
import { replaceDatasetFolder } from '../../imports/dataset-folder.ts';
import type { ReportProgress } from '../../imports/importer.ts';
import { inForm, membersOf } from '../../imports/json-members.ts';
import { DatabaseSync } from '../../node-sqlite.ts';
import { contentFile } from '../described-dataset.ts';
import { IndexWriter } from '../text-search/index-writer.ts';
import { benchmarkFiles, fileOf, optionalFile } from './benchmark-files.ts';
import { databaseFile, type ShopDataset, schema } from './dataset.ts';
import { GoalMaker, goalOrder } from './goals.ts';
import { Notes } from './notes.ts';
import { approximateNouns } from './nouns.ts';
import { type Product, productFrom, searchText } from './product.ts';
import { readGivenSplits, type Splits, splitGoals } from './splits.ts';

export type ShopImportOptions = {
  /** Folder with the benchmark's files. */
  from: string;
  /** Dataset folder to write. An older dataset of the shop is replaced. */
  into: string;
  /** Where the data comes from, with its licence. Default: WebShop. */
  source?: string;
  report?: ReportProgress;
};

export type ShopImport = {
  dataset: ShopDataset;
  train: number;
  test: number;
  /** Lines of products that are in the catalogue already. The first counts. */
  duplicates: number;
  /** Lines whose ASIN the benchmark leaves out: empty, `nan`, or longer than ten characters. */
  withoutAsin: number;
  /** Instructions that name no attribute, from which the benchmark makes no goal. */
  withoutAttributes: number;
} & Pick<Splits, 'leaking' | 'unused'>;

/**
 * @throws CruxError `User.NotFound` when a file is missing; `User.Config` when one is not in its form, with the line, or the folder may not be
 *   written. Nothing is written then
 */
export async function importShop(options: ShopImportOptions): Promise<ShopImport> {
  const { from, into } = options;
  assertApart(from, into);
  return replaceDatasetFolder(into, { environment: 'webshop', files: [contentFile, databaseFile] }, async (folder) => {
    const imported = await writeShop(options, folder);
    await writeFile(join(folder, contentFile), `${JSON.stringify(imported.dataset, null, 1)}\n`);
    return imported;
  });
}

async function writeShop(options: ShopImportOptions, folder: string): Promise<ShopImport> {
  const { from, into, source = 'WebShop (princeton-nlp/WebShop, MIT)', report = () => {} } = options;
  const catalogue = fileOf(from, benchmarkFiles.products);
  const attributes = fileOf(from, benchmarkFiles.attributes);
  const human = optionalFile(from, benchmarkFiles.human);
  const nouns = optionalFile(from, benchmarkFiles.nouns);
  const given = readGivenSplits(from);
  const database = new DatabaseSync(join(folder, databaseFile));
  const notesFile = join(folder, 'notes.sqlite');
  const notes = new Notes(notesFile);
  try {
    // A dataset that was not written to its end is not kept, so nothing has to survive a crash.
    database.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; ${schema} BEGIN`);
    await notes.read('attributes', attributes);
    if (human) await notes.read('human', human);
    if (nouns) await notes.read('nouns', nouns);

    const hash = createHash('sha256');
    const maker = new GoalMaker();
    const { products, duplicates, withoutAsin } = await writeProducts(database, catalogue, notes, maker, hash, report);
    const { asins, withoutAttributes } = writeGoals(database, notes, maker, human !== null);
    const order = goalOrder(asins.length);
    const { splits, leaking, unused } = splitGoals(
      Array.from(order, (number) => asins[number]!),
      given,
    );
    placeGoals(database, order, splits, hash);
    database.exec('COMMIT');
    const dataset: ShopDataset = {
      schemaVersion: 2,
      environment: 'webshop',
      name: basename(into),
      source,
      products,
      goals: asins.length,
      goalKind: human ? 'human' : 'synthetic',
      nouns: nouns ? 'given' : 'approximated',
      digest: hash.digest('hex').slice(0, 16),
    };
    const [train, test] = ['train', 'test'].map((split) => splits.filter((one) => one === split).length);
    return { dataset, train: train!, test: test!, duplicates, withoutAsin, withoutAttributes, leaking, unused };
  } finally {
    notes.close();
    database.close();
    await rm(notesFile);
  }
}

async function writeProducts(
  database: DatabaseSync,
  path: string,
  notes: Notes,
  maker: GoalMaker,
  hash: Hash,
  report: ReportProgress,
) {
  const isKnown = database.prepare('SELECT 1 FROM product WHERE asin = ?');
  const insert = database.prepare('INSERT INTO product (number, asin, price, content) VALUES (?, ?, ?, ?)');
  const index = new IndexWriter(database);
  const read = { products: 0, duplicates: 0, withoutAsin: 0 };
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const total = megabytes(statSync(path).size);
  for await (const member of membersOf(path)) {
    const bare = inForm(path, member, ({ value }) => productFrom(value));
    if (bare === null) read.withoutAsin++;
    else if (isKnown.get(bare.asin)) read.duplicates++;
    else {
      const product: Product = {
        ...bare,
        attributes: notes.attributes(bare.asin),
        nouns: notes.nouns(bare.asin) ?? approximateNouns(bare.title),
      };
      const content = JSON.stringify(product);
      const price = maker.priceOf(product);
      insert.run(read.products++, product.asin, price, content);
      index.add(searchText(product));
      hash.update(`${price} ${content}\n`);
      if (read.products % 500 === 0) report('products, in megabytes', megabytes(member.bytes), total);
    }
  }
  if (read.products === 0)
    throw new CruxError('User.Config', `${path} has no product.`, { remedy: 'Download the file again.' });
  const byAsin = database.prepare('SELECT number FROM product ORDER BY asin');
  index.end(byAsin.iterate().map(({ number }) => Number(number)));
  return read;
}

/** @returns the product of each goal, in the order of the catalogue */
function writeGoals(database: DatabaseSync, notes: Notes, maker: GoalMaker, isHuman: boolean) {
  const insert = database.prepare('INSERT INTO goal (number, content) VALUES (?, ?)');
  const asins: string[] = [];
  let withoutAttributes = 0;
  for (const { content, price } of database.prepare('SELECT content, price FROM product ORDER BY number').iterate()) {
    const product = JSON.parse(String(content)) as Product;
    const instructions = isHuman ? notes.human(product.asin) : notes.synthetic(product.asin);
    withoutAttributes += instructions.filter(({ attributes }) => attributes.length === 0).length;
    for (const goal of maker.goalsOf(product, Number(price), instructions)) {
      insert.run(asins.length, JSON.stringify(goal));
      asins.push(goal.asin);
    }
  }
  return { asins, withoutAttributes };
}

/** @param order which goal of the catalogue's order stands at each place of the benchmark's */
function placeGoals(database: DatabaseSync, order: Uint32Array, splits: Splits['splits'], hash: Hash): void {
  const update = database.prepare('UPDATE goal SET place = ?, split = ? WHERE number = ? RETURNING content');
  for (const [place, number] of order.entries()) {
    const split = splits[place]!;
    hash.update(`${split} ${String(update.get(place, split, number)!.content)}\n`);
  }
  database.exec('CREATE UNIQUE INDEX goal_by_place ON goal (place)');
}
