// Layer: the gateway against the simulated model server with all its faults.
import { expect, it, onTestFinished } from 'vitest';
import { Gateway } from '../../src/models/gateway.ts';
import type { ModelCall } from '../../src/models/model-call.ts';
import { mazeWorld } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import { openStore } from '../../src/store/store.ts';
import { addRun, runConfig, temporaryFolder } from '../helpers/store.ts';
import { never } from './gateway-builder.ts';

const mazes = createMazes({ seed: 1, count: 4 });
const faults = {
  rate429: 0.1,
  rate500: 0.1,
  rateHang: 0.03,
  rateCut: 0.1,
  rateMalformed: 0.1,
  rateTruncated: 0.1,
  retryAfterMs: 50,
};

async function simulation(withFaults: boolean): Promise<Simulation> {
  const started = await startSimulation({ seed: 7, worlds: [mazeWorld(mazes)], ...(withFaults && { faults }) });
  onTestFinished(() => started.close());
  return started;
}

async function answersOf(server: Simulation, folder: string): Promise<string[]> {
  const store = await openStore(`${folder}/${server.port}.db`);
  onTestFinished(() => store.close());
  const { models } = runConfig();
  const run = await addRun(store, {
    config: { models: { ...models, policy: { ...models.policy, model: 'sim-policy' } } },
  });
  const endpoint = {
    baseUrl: `${server.url}/v1`,
    apiKeyEnv: null,
    keyHeader: 'authorization' as const,
    provider: null,
    concurrency: 20,
    requestsPerMinute: null,
    tokensPerMinute: null,
    timeoutMs: 2_500,
    maxFaults: 8,
    logprobs: false,
  };
  const gateway = new Gateway(store, { models: endpoint });
  const calls = Array.from({ length: 60 }, (_, sample): ModelCall => {
    const maze = mazes[sample % mazes.length]!;
    return {
      run,
      taskId: maze.id,
      address: { nodeId: maze.id, role: 'policy', purpose: 'explore', stream: '', sample, ask: 0 },
      messages: [
        { role: 'system', content: 'Write "Action: go" and "Action Input: {"door": …}".' },
        { role: 'user', content: `Maze: ${maze.id}\nYou are in ${maze.start}. Doors: a, b.` },
      ],
      tools: [],
      step: 1,
    };
  });
  const answers = await Promise.all(calls.map((call) => gateway.answer(call, never)));
  // What was answered is read, not paid again.
  const before = server.stats().requests;
  await Promise.all(calls.map((call) => gateway.answer(call, never)));
  expect(server.stats().requests).toBe(before);
  return answers.map(({ message }) => message.content ?? '');
}

it('gets through every injected fault to the same answers, and pays none twice', async () => {
  const folder = temporaryFolder();
  const [faulty, sound] = [await simulation(true), await simulation(false)];
  expect(await answersOf(faulty, folder)).toEqual(await answersOf(sound, folder));
  const stats = faulty.stats();
  expect(Object.values(stats.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
  expect(Object.entries(stats.faults).filter(([, count]) => count === 0)).toEqual([]);
  expect(stats.keysAnsweredAgain).toBe(0);
});
