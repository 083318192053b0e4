/**
 * A dataset folder of the shop: `dataset.json` says what it is, `catalogue.sqlite` holds products, index and goals. An import writes it, and nothing
 * changes it afterwards; the products of a large catalogue stay on disk.
 */
import { z } from 'zod';
import { readDescribedDataset } from '../described-dataset.ts';
import { indexSchema } from '../text-search/stored-index.ts';

export const databaseFile = 'catalogue.sqlite';

export const datasetSchema = z.object({
  schemaVersion: z.literal(2),
  environment: z.literal('webshop'),
  name: z.string().min(1),
  /** Where the data comes from, with its licence. */
  source: z.string(),
  products: z.number().int().min(1),
  goals: z.number().int().min(0),
  /** Whether people wrote the goals, or the benchmark's text generator. */
  goalKind: z.enum(['human', 'synthetic']),
  /** Where the nouns of the titles come from: a file of the benchmark's own tagger, or the approximation of Crux. */
  nouns: z.enum(['given', 'approximated']),
  /** Hash of everything that decides observations and outcomes, 16 hexadecimal digits. */
  digest: z.string().regex(/^[0-9a-f]{16}$/),
});

export type ShopDataset = z.infer<typeof datasetSchema>;

/** Tables of the database. Numbers of products and goals count from 0, in the order of the catalogue. */
export const schema = `
  CREATE TABLE product (number INTEGER PRIMARY KEY, asin TEXT NOT NULL UNIQUE, price REAL NOT NULL, content TEXT NOT NULL) STRICT;
  CREATE TABLE goal (number INTEGER PRIMARY KEY, place INTEGER, split TEXT, content TEXT NOT NULL) STRICT;
  ${indexSchema}
`;

/** @throws CruxError `User.NotFound` when the folder is missing, or no dataset of the shop */
export function readDataset(folder: string): ShopDataset {
  return readDescribedDataset(folder, {
    ...{ name: 'WebShop dataset', command: 'crux import webshop --from <folder>' },
    schema: datasetSchema,
    databaseFile,
  });
}
