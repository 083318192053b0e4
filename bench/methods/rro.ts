/**
 * RRO against fixed exploration and random stopping: what exploration takes, against what the actions are worth that it accepts.
 *
 *     node bench/methods/rro.ts --data .crux/data/spider-train --out .crux/bench
 *     node bench/methods/rro.ts --render bench/results/rro.json      # table and plots again
 */
import { fixed, random, rising, sameRollouts } from './conditions.ts';
import { main } from './program.ts';
import { renderRro } from './render-rro.ts';
import type { Condition } from './workbench.ts';

await main({
  name: 'rro',
  render: renderRro,
  runs: async (bench, seed) => {
    const made: Condition[] = [];
    const make = async (condition: Condition) => {
      await bench.run(condition, seed);
      made.push(condition);
    };
    await make(rising);
    // The largest first: the others read again what they have in common with it.
    for (const draws of [5, 4, 3, 2, 1]) await make(fixed(draws));
    await make(await sameRollouts(bench, seed));
    await make(await random(bench, seed));
    return made;
  },
});
