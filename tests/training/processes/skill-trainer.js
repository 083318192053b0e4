/**
 * A trainer that learns by a table: `node skill-trainer.js <plan> <folder>`. A model is a folder with `skill.json`, and each training makes the base a
 * little better. The plan is JSON: what happens in which round. `diverge`: the loss is NaN. `fail`: it fails until there is a file `mended` in its
 * folder. `fill`: the same, because its disk is full. `memory`: it is out of memory. `nothing`: it ends well without a model, until there is that file.
 * `template`: its model has a tokenizer with a chat template, and the server another one, until there is that file. `wait`: it waits until there is a file
 * `go`.
 */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [plan, folder] = process.argv.slice(2);
const { base, data, round } = JSON.parse(readFileSync(`${folder}/settings.json`, 'utf8'));
const what = JSON.parse(plan)[round];
const rows = readFileSync(`${folder}/${data.file}`, 'utf8').trimEnd().split('\n').length;
if (rows !== data.rows) end(4, `${rows} rows, not ${data.rows}`);
if (what === 'memory') end(8, 'out of memory');
const isMended = existsSync(`${folder}/mended`);
if (what === 'fail' && !isMended) end(1, 'the plan says that this fails');
if (what === 'fill' && !isMended) writeFileSync('/dev/full', 'weights');
if (what === 'nothing' && !isMended) process.exit(0);

const steps = 4;
for (let step = 1; step <= steps; step += 1) {
  const metrics = { step, total: steps, loss: what === 'diverge' ? 'NaN' : 1 / step, 'rewards/margins': step / 10 };
  appendFileSync(`${folder}/metrics.jsonl`, `${JSON.stringify(metrics).replace('"NaN"', 'NaN')}\n`);
  while (what === 'diverge' || (what === 'wait' && step === 2 && !existsSync(`${folder}/go`))) await sleep(20);
}
const { skill } = JSON.parse(readFileSync(`${base.from}/skill.json`, 'utf8'));
mkdirSync(`${folder}/model.part`, { recursive: true });
writeFileSync(`${folder}/model.part/skill.json`, JSON.stringify({ skill: Math.min(1, skill + 0.2), round }));
for (const name of what === 'template' ? ['tokenizer.json', 'tokenizer_config.json'] : [])
  copyFileSync(join(import.meta.dirname, '../../fixtures/tokenizer', name), `${folder}/model.part/${name}`);
renameSync(`${folder}/model.part`, `${folder}/model`);

function end(code, words) {
  console.error(words);
  process.exit(code);
}
