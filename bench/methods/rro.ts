/**
 * RRO against fixed exploration and random stopping: what exploration takes, against what the actions are worth that it accepts.
 *
 *     node bench/methods/rro.ts --data .crux/data/spider-train --out .crux/bench
 *     node bench/methods/rro.ts --render bench/results/spider-train/rro.json      # table and plots again
 */
import { fixed, random, randomName, rising, sameRollouts, sameRolloutsName } from './conditions.ts';
import { main } from './program.ts';
import { renderRro } from './render-rro.ts';

// The largest first: the others read again what they have in common with it.
const draws = [5, 4, 3, 2, 1];

await main({
  name: 'rro',
  render: renderRro,
  conditions: [rising.name, ...draws.map((count) => fixed(count).name), sameRolloutsName, randomName],
  runs: async (bench, seed) => {
    await bench.run(rising, seed);
    for (const count of draws) await bench.run(fixed(count), seed);
    await bench.run(await sameRollouts(bench, seed), seed);
    await bench.run(await random(bench, seed), seed);
  },
});
