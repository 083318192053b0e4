/**
 * CSO with its gate, without it, and without verification, over the PRM's AUC and over the policy's skill.
 *
 *     node bench/methods/cso.ts --data .crux/data/spider-train --out .crux/bench
 *     node bench/methods/cso.ts --render bench/results/spider-train/cso.json      # table and plots again
 */
import { aucs, cso, skills } from './conditions.ts';
import { main } from './program.ts';
import { renderCso } from './render-cso.ts';

const all = [
  // Without the gate every alternative is branched: the others read these branches again.
  ...skills.map((skill) => cso('no-gate', { skill })),
  ...aucs.flatMap((auc) => [cso('gate', { auc }), cso('no-verify', { auc })]),
  ...skills.flatMap((skill) => [cso('gate', { skill }), cso('no-verify', { skill })]),
];
// The curves cross in one point.
const conditions = [...new Map(all.map((condition) => [condition.name, condition])).values()];

await main({
  name: 'cso',
  render: renderCso,
  conditions: conditions.map(({ name }) => name),
  runs: async (bench, seed) => {
    for (const condition of conditions) await bench.run(condition, seed);
  },
});
