/**
 * The long form of the chaos test, by name:
 *
 *     npm run chaos [-- --seed 1]
 *
 * Campaigns of CSO on SQL and RRO in mazes, 64 tasks, and an evaluation of 48 trajectories in long ones, with models that take 50 to 500 ms, through everything that can go wrong. Prints
 * what happened, and ends with 1 when something is not as it must be. docs/reliability.md has the figures.
 */
import { parseArgs } from 'node:util';
import { runInChaos } from './chaos.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
const result = await runInChaos({
  seed: Number(values.seed),
  runs: [
    { runId: 'cso-sql', method: 'cso', environment: 'sql-demo', limit: 48, samples: 3 },
    { runId: 'rro-maze', method: 'rro', environment: 'maze', limit: 16, samples: 2 },
    { runId: 'evaluate-maze', method: 'evaluate', environment: 'long-maze', split: 'train', samples: 24 },
  ],
  workers: 2,
  howMany: {
    'kill-worker': 20,
    'kill-temporal': 3,
    'restart-models': 4,
    'fill-disk': 2,
    'lock-store': 2,
    'slow-store': 2,
    'kill-export': 8,
  },
  forMs: 15_000,
  latency: { distribution: 'uniform', meanMs: 277 },
  faults: { rate429: 0.02, rate500: 0.02, rateHang: 0.01, rateCut: 0.02, rateMalformed: 0.02, rateTruncated: 0.02 },
  callTimeoutMs: 10_000,
  giveUpAfterMs: 900_000,
  report: console.log,
});
const { problems, repeats, ...figures } = result;
const { afterJournaled, unexplained, ...counted } = repeats;
console.log(
  JSON.stringify(
    { ...figures, ...counted, journaledSentAgain: afterJournaled.length, unexplainedRepeats: unexplained.length },
    null,
    2,
  ),
);
for (const problem of problems) console.error(`PROBLEM: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
