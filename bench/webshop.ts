/**
 * The shop of WebShop on its 1,000-product catalogue, and the import and the search of a catalogue of any size made from it:
 *
 *     node bench/webshop.ts [products]
 *
 * It needs the catalogue (CRUX_BENCHMARK_DATA). A product of the large catalogue has the title, the description, the bullets and the options of four
 * real ones, so that words are as frequent as they are there.
 */
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../src/domain/statistics/random.ts';
import type { Environment } from '../src/environments/contract.ts';
import { StoredCatalogue } from '../src/environments/webshop/catalogue.ts';
import { webshop } from '../src/environments/webshop/environment.ts';
import { importShop } from '../src/environments/webshop/import.ts';
import { shopAction } from '../src/environments/webshop/text-format.ts';
import { benchmarkData } from '../tests/helpers/benchmark-data.ts';

const products = Number(process.argv[2] ?? 200_000);
const data = benchmarkData('webshop-1k') ?? process.exit(1);
const folder = mkdtempSync(join(tmpdir(), 'crux-webshop-'));
const linesOf = (path: string) => readFileSync(path, 'utf8').trim().split('\n');
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

try {
  await measureShop(join(folder, 'shop'));
  await measureLarge(join(folder, 'large'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureShop(into: string): Promise<void> {
  const importing = performance.now();
  await importShop({ from: data, into });
  console.log(`1,000 products: imported in ${seconds(performance.now() - importing)}`);
  const loading = performance.now();
  const shop = webshop({ data: into });
  const tasks = await shop.tasks();
  console.log(`  opened, with its ${tasks.length} tasks, in ${Math.round(performance.now() - loading)} ms`);
  // The first sessions compile the code.
  for (const task of tasks.slice(0, 100)) await playTenSteps(shop, task.id);
  const played = tasks.slice(100, 600);
  const before = process.cpuUsage();
  for (const task of played) await playTenSteps(shop, task.id);
  const eachMs = processorMs(before) / played.length;
  console.log(`  a session with 10 steps: ${eachMs.toFixed(2)} ms of processor time (mean of ${played.length})`);
  await shop.close?.();
}

function processorMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Two searches, two products, their tabs and a purchase; the state hash is asked for after each step, as runs do. */
async function playTenSteps(shop: Environment, id: string): Promise<void> {
  const task = (await shop.tasks()).find((one) => one.id === id)!;
  const instruction = (await shop.briefing!(task)).user.split(' [SEP] ')[2]!;
  const session = await shop.open(task);
  const signal = AbortSignal.timeout(60_000);
  const first = (text: string) => / ([A-Z0-9]{10}) /.exec(text)?.[1] ?? '';
  let page = '';
  const step = async (action: ReturnType<typeof shopAction>) => {
    const { observation, done } = await session.step(action, signal);
    if (!done) await session.stateHash!();
    page = observation as string;
  };
  await step(shopAction('search', instruction));
  await step(shopAction('click', first(page)));
  for (const target of ['Description', '< Prev', 'Features', '< Prev']) await step(shopAction('click', target));
  await step(shopAction('search', instruction.slice(0, 60)));
  await step(shopAction('click', 'Next >'));
  await step(shopAction('click', first(page)));
  await step(shopAction('click', 'Buy Now'));
}

async function measureLarge(into: string): Promise<void> {
  const from = mkdtempSync(join(folder, 'files-'));
  const file = join(from, 'items_shuffle.json');
  await writeLarge(file);
  symlinkSync(join(data, 'items_ins_v2_1000.json'), join(from, 'items_ins_v2_1000.json'));
  const size = statSync(file).size;
  const importing = process.cpuUsage();
  let most = 0;
  const report = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const { dataset } = await importShop({ from, into, report });
  const written = statSync(join(into, 'catalogue.sqlite')).size;
  console.log(
    `${dataset.products} products (${megabytes(size)}): imported in ${seconds(processorMs(importing))} of processor time`,
  );
  console.log(`  most memory of the process ${megabytes(most)}; database ${megabytes(written)}`);

  const opening = performance.now();
  const catalogue = new StoredCatalogue(into);
  console.log(`  opened in ${Math.round(performance.now() - opening)} ms`);
  const queries = linesOf(join(data, 'oracle', 'lucene-top50.jsonl')).map(
    (line) => (JSON.parse(line) as { query: string }).query,
  );
  // The first searches compile the code.
  for (const query of queries.slice(0, 20)) catalogue.search(`${query} shop`);
  const times = queries.map((query) => {
    const before = process.cpuUsage();
    catalogue.search(query);
    return processorMs(before);
  });
  // A word that no product has: answers are kept, and would not be made again.
  const slowest = queries
    .map((query, index) => ({ query, ms: times[index]! }))
    .toSorted((one, other) => other.ms - one.ms);
  const again = slowest.slice(0, 5).map(({ query }) => {
    const before = process.cpuUsage();
    catalogue.search(`${query} zzzq`);
    return processorMs(before).toFixed(1);
  });
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(1);
  console.log(
    `  ${times.length} searches: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, 99 % within ${at(0.99)} ms, longest ${at(1)} ms of processor time; the five slowest, asked again: ${again.join(', ')} ms`,
  );
  catalogue.close();
}

async function writeLarge(path: string): Promise<void> {
  const real = linesOf(join(data, 'products.jsonl')).map((line) => JSON.parse(line) as { [field: string]: unknown });
  const random = seededRandom('large shop');
  const any = () => real[random.below(real.length)]!;
  const out = createWriteStream(path);
  out.write('[');
  for (let number = 0; number < products; number++) {
    const product = {
      ...any(),
      asin: number < real.length ? real[number]!.asin : `L${String(number).padStart(9, '0')}`,
      full_description: any().full_description,
      small_description: any().small_description,
      customization_options: any().customization_options,
    };
    if (!out.write(`${number === 0 ? '' : ',\n'}${JSON.stringify(product)}`)) await setImmediate();
  }
  out.end(']');
  await finished(out);
}
