// Layer: whole improvements against a real Temporal server, simulated models over HTTP, a real store; a trainer and a server that are small scripts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { CruxConfigInput } from '../../src/config/config.ts';
import type { ImproveResult } from '../../src/domain/wire/improve.ts';
import { renderImprovement } from '../../src/report/index.ts';
import { launchImprovement, prepareImprovement } from '../../src/start/improvements.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { improvementView } from '../../src/views/improvement.ts';
import { Lab } from '../helpers/lab.ts';

let lab: Lab;
let changes: Partial<CruxConfigInput>;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  const base = join(lab.home, 'base');
  mkdirSync(base);
  writeFileSync(join(base, 'skill.json'), '{ "skill": 0.4 }');
  const port = await freePort();
  const script = (name: string) => join(import.meta.dirname, '../training/processes', name);
  const { models, endpoints } = lab.config();
  changes = {
    endpoints: { ...endpoints, served: { baseUrl: `http://127.0.0.1:${port}/v1` } },
    models: {
      ...models,
      policy: { ...models.policy, endpoint: 'served', model: 'base', trainedOn: ['none'] },
    } as never,
    improve: {
      base,
      rounds: 2,
      minPairs: 1,
      trainer: { kind: 'command', run: [process.execPath, script('skill-trainer.js')] },
      server: {
        kind: 'command',
        start: [process.execPath, script('skill-server.js'), '{model}', '{name}', '{port}', lab.simulation.url],
        health: '/health',
        port,
      },
    },
  };
  await lab.work(changes, ['workflow', 'agent', 'train']);
});
afterAll(() => lab.close());

it('an improvement collects, trains, serves, evaluates and decides, round after round, and tests once', async () => {
  const id = `improve-${lab.store.id}`;
  const improvement = await prepareImprovement(lab.config(changes), lab.store, { id, environment: 'maze' });
  await launchImprovement(lab.client, lab.store, improvement);
  const result = (await lab.client.workflow.getHandle(id).result()) as ImproveResult;
  expect(result).toMatchObject({ state: 'finished', rounds: 2, start: 'base', policyRound: 2, fault: null });
  expect(await phasesOf(id)).toEqual([
    '0 evaluate',
    ...[1, 2].flatMap((round) =>
      ['collect', 'export', 'train', 'serve', 'evaluate', 'decide'].map((phase) => `${round} ${phase}`),
    ),
    '0 test-start',
    '0 test-final',
  ]);
  const view = await improvementView(lab.store, id);
  // Each training adds 0.2 to the skill, and the simulated policy shows it.
  const [start, final] = [view.test!.start.success.value!, view.test!.final.success.value!];
  expect(final).toBeGreaterThan(start);
  expect(view.policy.name).toBe(result.policy);
  expect(view.trainedOn).toEqual([
    ...[0, 1, 2].map((round) => `${id}/round-${round}/evaluate`),
    `${id}/round-2/collect`,
    `${id}/round-1/collect`,
    'none',
  ]);
  // Nothing was learned from the tasks that decide, or from those of the test.
  const groups = async (run: string) => new Set((await lab.store.runs.tasks(`${id}/${run}`)).map(({ group }) => group));
  const seen = [...(await groups('round-1/collect')), ...(await groups('round-2/collect'))];
  const held = [...(await groups('round-0/evaluate')), ...(await groups('test/final'))];
  expect(held.length).toBeGreaterThan(2);
  expect(held.filter((group) => seen.includes(group))).toEqual([]);
  expect(renderImprovement(view)).toContain('On the test tasks');
});

it('given again, a finished improvement shows what came of it and does nothing', async () => {
  const before = lab.simulation.stats().requests;
  const id = `improve-${lab.store.id}`;
  const improvement = await prepareImprovement(lab.config(changes), lab.store, { id, environment: 'maze' });
  await launchImprovement(lab.client, lab.store, improvement);
  expect(lab.simulation.stats().requests).toBe(before);
  const others = { ...changes, improve: { ...changes.improve!, minPairs: 2 } };
  await expect(prepareImprovement(lab.config(others), lab.store, { id, environment: 'maze' })).rejects.toThrow(
    /exists with other settings: minRows is 1 there and 2 now/,
  );
});

async function phasesOf(id: string): Promise<string[]> {
  return (await lab.store.improvements.phases(id)).map(({ round, phase }) => `${round} ${phase}`);
}
