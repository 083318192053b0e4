// Layer: files. A catalogue is never in memory as a whole: the import runs with a heap that could not hold it.
import { execFileSync } from 'node:child_process';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDataset } from '../../../src/environments/webshop/dataset.ts';
import { lamp, shopFiles } from '../../helpers/small-shop.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const products = 8000;
const heapMegabytes = 64;
const importer = join(import.meta.dirname, '../../../src/environments/webshop/import.ts');

it(`${products} products of 160 MB are imported with a heap of ${heapMegabytes} MB`, () => {
  const from = shopFiles([lamp]);
  const file = join(from, 'products.jsonl');
  // A field that the shop does not read, as most of a real product's bytes are.
  const padding = 'x'.repeat(20_000);
  for (let number = 0; number < products; number += 500) {
    const lines = Array.from({ length: 500 }, (_, index) =>
      JSON.stringify({ ...lamp, asin: `B${String(number + index).padStart(9, '0')}`, padding }),
    );
    appendFileSync(file, `${lines.join('\n')}\n`);
  }
  expect(statSync(file).size).toBeGreaterThan(2 * heapMegabytes * 1024 * 1024);
  const into = join(temporaryFolder(), 'shop');
  const program = `const { importShop } = await import(${JSON.stringify(importer)}); await importShop(${JSON.stringify({ from, into })});`;
  execFileSync(
    process.execPath,
    [
      `--max-old-space-size=${heapMegabytes}`,
      '--input-type=module',
      '--disable-warning=ExperimentalWarning',
      '-e',
      program,
    ],
    { timeout: 120_000 },
  );
  expect(readDataset(into).products).toBe(products + 1);
});
