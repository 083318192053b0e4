// Layer: a process of its own, because the setting is the process's.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const module = join(import.meta.dirname, '../../src/worker/heap-growth.ts');
const objects = 3_000_000;

/** Most megabytes of heap of a process that holds 200 MB, and replaces one object after another, once it has replaced half of them all. */
async function mostHeap(preparation: string): Promise<number> {
  const script = `
    import { limitHeapGrowth } from ${JSON.stringify(module)};
    ${preparation}
    const held = new Array(200_000);
    let most = 0;
    for (let made = 0; made < ${objects}; made++) {
      held[made % held.length] = new Array(125).fill(made);
      if (made > ${objects / 2} && made % 1_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed);
    }
    console.log(most / 1e6);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return Number(stdout);
}

it('keeps the heap of a worker nearer to what it holds than V8 does by itself', async () => {
  const usual = await mostHeap('');
  expect(await mostHeap('limitHeapGrowth();')).toBeLessThan(0.7 * usual);
});
