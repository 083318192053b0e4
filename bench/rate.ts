/**
 * What a worker gets of a provider that allows 1,200 requests a minute, while more is always to be asked:
 *
 *     node bench/rate.ts [minutes]
 *
 * Once Crux is told the rate, and once it is not. Answers are counted from ten seconds on: before that the provider lets a second's worth through
 * at once, and the worker learns what it bears.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLab } from '../tests/helpers/with-lab.ts';

const minutes = Number(process.argv[2] ?? 2);
const allowed = 1_200;

await withLab(
  {
    stage: join(import.meta.dirname, 'stages/many-mazes.ts'),
    rate: { requestsPerMinute: allowed },
    latency: { distribution: 'lognormal', meanMs: 500, p95Ms: 1_000 },
  },
  async (lab) => {
    for (const [name, requestsPerMinute] of [
      ['configured', allowed],
      ['unknown', null],
    ] as const) {
      const endpoints = { simulated: { baseUrl: `${lab.simulation.url}/v1`, requestsPerMinute } };
      const worker = await lab.work({ endpoints });
      const run = await lab.start({ method: 'rro', environment: 'many-mazes', limit: 5_000 });
      const result = run.result();
      await sleep(10_000);
      const before = lab.simulation.stats();
      const startedAt = performance.now();
      await sleep(minutes * 60_000);
      const after = lab.simulation.stats();
      const perMinute = ((after.completeAnswers - before.completeAnswers) * 60_000) / (performance.now() - startedAt);
      const refused = after.faults['rate-limit'] - before.faults['rate-limit'];
      await run.cancel();
      const { state, endings } = await result;
      console.log(
        `rate ${name}: ${perMinute.toFixed(0)} answers a minute, ${((100 * perMinute) / allowed).toFixed(1)} % of ${allowed}; refused: ${refused}; the run was cancelled after that: ${state}, ${JSON.stringify(endings)}`,
      );
      worker.stop();
      await worker.done;
    }
  },
);
process.exit();
