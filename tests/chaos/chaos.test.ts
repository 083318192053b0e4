// Layer: kill-and-resume of a whole campaign, in the short form that `npm run test:chaos` has; `npm run chaos` is the long one.
import { expect, it } from 'vitest';
import { runInChaos } from './chaos.ts';

it('a campaign through kills, faults, a full disk and a locked store comes to the same, and pays nothing twice', async () => {
  const { problems, carriedOut, repeats, faults } = await runInChaos({
    seed: 7,
    runs: [
      { runId: 'cso-sql', method: 'cso', environment: 'sql-demo', limit: 3 },
      { runId: 'rro-maze', method: 'rro', environment: 'maze', limit: 4, samples: 2, options: { valueRollouts: 2 } },
      { runId: 'evaluate-maze', method: 'evaluate', environment: 'long-maze', split: 'train', samples: 6 },
    ],
    workers: 2,
    howMany: {
      'kill-worker': 2,
      'kill-temporal': 1,
      'restart-models': 1,
      'fill-disk': 1,
      'lock-store': 1,
      'slow-store': 1,
      'kill-export': 1,
    },
    forMs: 1_500,
    latency: { distribution: 'uniform', meanMs: 100 },
    faults: { rate429: 0.03, rate500: 0.03, rateHang: 0.01, rateCut: 0.03, rateMalformed: 0.03, rateTruncated: 0.03 },
    callTimeoutMs: 2_000,
    giveUpAfterMs: 600_000,
  });
  expect(problems).toEqual([]);
  // It was a disturbance: without any of these the test would say nothing.
  expect(carriedOut).toMatchObject({ 'kill-worker': 2, 'kill-temporal': 1, 'lock-store': 1 });
  expect(repeats.inFlightAtKills).toBeGreaterThan(0);
  expect(Object.keys(faults).length).toBeGreaterThan(3);
});
