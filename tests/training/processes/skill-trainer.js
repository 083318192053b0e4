/**
 * A trainer that learns by a table: `node skill-trainer.js <folder>`. A model is a folder with `skill.json`, and each training makes the base a little
 * better. A file `plan.json` next to the improvement's rounds may say what goes wrong in which round.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const folder = process.argv[2];
const { base, data, round } = JSON.parse(readFileSync(`${folder}/settings.json`, 'utf8'));
const rows = readFileSync(`${folder}/${data.file}`, 'utf8').trimEnd().split('\n').length;
if (rows !== data.rows) {
  console.error(`${rows} rows, not ${data.rows}`);
  process.exit(4);
}
const steps = 4;
for (let step = 1; step <= steps; step += 1) {
  const metrics = { step, total: steps, loss: 1 / step, 'rewards/margins': step / 10 };
  appendFileSync(`${folder}/metrics.jsonl`, `${JSON.stringify(metrics)}\n`);
}
const { skill } = JSON.parse(readFileSync(`${base.from}/skill.json`, 'utf8'));
mkdirSync(`${folder}/model.part`, { recursive: true });
writeFileSync(`${folder}/model.part/skill.json`, JSON.stringify({ skill: Math.min(1, skill + 0.2), round }));
renameSync(`${folder}/model.part`, `${folder}/model`);
