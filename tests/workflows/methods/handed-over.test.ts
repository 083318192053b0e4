// Layer: whole runs without a Temporal server, with simulated models over HTTP and a real store; activities hand their work over after every step.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DirectLab, type DirectRequest } from '../../helpers/direct-lab.ts';

let undisturbed: DirectLab;
let handingOver: DirectLab;

beforeAll(async () => {
  undisturbed = await DirectLab.open({ sql: true });
  handingOver = await DirectLab.open({ sql: true, yieldAfterMs: 0 });
});
afterAll(async () => {
  await undisturbed?.close();
  await handingOver?.close();
});

const asked = {
  policy: { endpoint: 'simulated', model: 'sim-policy@skill=0.4', maxTokens: 256 },
  expert: { endpoint: 'simulated', model: 'sim-expert', maxTokens: 256 },
};

const runs: [string, DirectRequest][] = [
  ['an evaluation', { method: 'evaluate', split: 'train', limit: 4, samples: 2 }],
  ['CSO, with several rollouts after each action', { method: 'cso', limit: 3, preset: 'sound' }],
  [
    'CSO, with scores by rollouts',
    { method: 'cso', limit: 2, config: { models: { ...asked, prm: { kind: 'monte-carlo', rollouts: 2 } } } },
  ],
  [
    'ETO, with scripted experts',
    { method: 'eto', environment: 'sql-demo', limit: 4, options: { experts: 'scripted' } },
  ],
  [
    'RRO, whose values are given up early',
    { method: 'rro', limit: 1, options: { valueStopping: 'cannot-rise', valueRollouts: 3 } },
  ],
  ['RRO, with further evidence', { method: 'rro', limit: 1, preset: 'sound', options: { draws: 2, valueRollouts: 2 } }],
  ['IPR, with an expert model', { method: 'ipr', limit: 2, options: { experts: 'model', valueRollouts: 2 } }],
];

it.each(runs)('%s comes to the same, and no call is sent twice', async (_name, request) => {
  const repeats = handingOver.repeats;
  const before = [undisturbed, handingOver].map(({ simulation }) => simulation.stats().requests);
  const expected = await undisturbed.outcome(request);
  expect(expected).not.toBe('');
  expect(await handingOver.outcome(request)).toBe(expected);
  const [once, parts] = [undisturbed, handingOver].map(
    ({ simulation }, index) => simulation.stats().requests - before[index]!,
  );
  expect(parts).toBe(once);
  expect(handingOver.repeats - repeats).toBeGreaterThan(10);
});
