/**
 * A trainer that learns a table: `node learner.js <folder>`. Each step makes the next number from the last one, so equal trainings give equal
 * weights. `data/plan.json` has { steps, checkpointEvery, waitAt }: before step `waitAt` it waits until there is a file `go`.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const folder = process.argv[2];
const { steps, checkpointEvery, waitAt } = JSON.parse(readFileSync(`${folder}/data/plan.json`, 'utf8'));
const checkpoint = `${folder}/checkpoints/newest.json`;
let { step, table } = existsSync(checkpoint) ? JSON.parse(readFileSync(checkpoint, 'utf8')) : { step: 0, table: [1] };
console.log(`goes on from ${step}`);
while (step < steps) {
  while (step + 1 === waitAt && !existsSync(`${folder}/go`)) await sleep(10);
  step += 1;
  table = [...table, (table.at(-1) * 48_271) % 2_147_483_647];
  const metrics = { step, total: steps, loss: 1 / step, 'rewards/chosen': 0.01 * step };
  appendFileSync(`${folder}/metrics.jsonl`, `${JSON.stringify(metrics)}\n`);
  if (step % checkpointEvery === 0) replace(checkpoint, JSON.stringify({ step, table }));
}
replace(`${folder}/model/weights.json`, JSON.stringify(table));

function replace(path, text) {
  mkdirSync(path.replace(/\/[^/]*$/, ''), { recursive: true });
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}
