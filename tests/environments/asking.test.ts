// Layer: what an environment that asks models meets outside runs: check-env, imports, init, doctor and the simulated server.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { init } from '../../src/cli/commands/init.ts';
import { checkConfig } from '../../src/config/config.ts';
import { checkModels } from '../../src/doctor/models.ts';
import { type CheckResult, checkEnvironment } from '../../src/environments/check.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { importTrajectories } from '../../src/imports/recorded-trajectories.ts';
import { functionWorld, scriptedWorld, startSimulation } from '../../src/testing.ts';
import { desk, simulatedReply } from '../helpers/desk.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';

const checked = async (environment: Environment) =>
  Object.fromEntries(
    (await checkEnvironment(environment, 2)).map((result): [string, CheckResult] => [result.check, result]),
  );

it('is played by check-env with its simulated replies', async () => {
  const results = await checked(desk());
  expect(Object.values(results).filter(({ ok }) => ok === false)).toEqual([]);
  expect(results.plays).toMatchObject({ ok: true });
  expect(results.time).toMatchObject({ ok: true });
});

it('is not checked without them, and that is said', async () => {
  const results = await checked(desk({ simulatedReply: undefined }));
  expect(Object.values(results).filter(({ ok }) => ok === false)).toEqual([]);
  expect(results.plays).toEqual({
    check: 'plays',
    ok: null,
    detail: 'not checked: the environment desk asks models, and has no `simulatedReply` to answer in their place',
  });
  expect(results.time!.ok).toBeNull();
});

it('takes no recorded trajectories', async () => {
  const imported = importTrajectories(await temporaryStore(), desk(), [], () => null);
  await expect(imported).rejects.toThrow('a replay would ask models, and no run pays for that');
});

async function askSimulated(worlds: Parameters<typeof startSimulation>[0]['worlds'], model: string, content: string) {
  const simulation = await startSimulation({ seed: 1, worlds });
  onTestFinished(() => simulation.close());
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }] });
  const response = await fetch(`${simulation.url}/v1/chat/completions`, { method: 'POST', body });
  const answer = (await response.json()) as {
    choices?: { message: { content: string } }[];
    error?: { message: string };
  };
  return { status: response.status, said: answer.choices?.[0]?.message.content ?? answer.error?.message };
}

it('is answered by simulated models as it says, also in a world of functions', async () => {
  const scripted = await scriptedWorld(desk());
  expect(await askSimulated([scripted], 'sim-grader', 'The code is AX7. The agent says AX7.')).toEqual({
    status: 200,
    said: 'yes',
  });
  const functions = functionWorld({
    ...{ policy: () => never(), expert: () => never(), prm: () => 0 },
    reply: simulatedReply,
  });
  expect(await askSimulated([functions], 'sim-user', 'Hello?')).toEqual({ status: 200, said: 'What do you mean?' });
});

const never = (): never => {
  throw new Error('Nobody asked.');
};

it('is refused by simulated models that no world answers for', async () => {
  const mute = await scriptedWorld(desk({ simulatedReply: undefined }));
  expect(await askSimulated([mute], 'sim-user', 'Hello?')).toEqual({
    status: 400,
    said: 'No simulated world answers in the place of a user. Worlds: scripted:desk. Give the environment `simulatedReply(request)`.',
  });
  const broken = await scriptedWorld(desk({ simulatedReply: never }));
  expect(await askSimulated([broken], 'sim-user', 'Hello?')).toMatchObject({
    status: 400,
    said: 'The reply of scripted:desk failed: Nobody asked.',
  });
});

it('has its models checked by crux doctor with one question each, and is told of one that is missing', async () => {
  const environment = desk();
  const simulation = await startSimulation({ seed: 1, worlds: [await scriptedWorld(environment)] });
  onTestFinished(() => simulation.close());
  const role = (model: string) => ({ endpoint: 'simulated', model, maxTokens: 256 });
  const config = checkConfig({
    environments: [environment],
    endpoints: { simulated: { baseUrl: `${simulation.url}/v1` } },
    models: { policy: role('sim-policy'), expert: role('sim-expert'), prm: role('sim-prm'), user: role('sim-user') },
  });
  const { findings } = await checkModels(config, environment, null, {
    samples: 2,
    determinism: false,
    report: () => {},
  });
  expect(findings.map(({ what, ok }) => [what, ok])).toEqual([
    ...[
      ['model policy', true],
      ['model expert', true],
      ['model prm', true],
      ['model user', true],
    ],
    ['models of sessions', false],
  ]);
  expect(findings[3]).toMatchObject({ answer: 'What do you mean?', used: { calls: 1 } });
  expect(findings[4]!.remedy).toBe('Name its endpoint and model as models.grader in crux.config.ts.');
});

it.each([
  ['is given its models by crux init', true, "    user: { endpoint: 'simulated', model: 'sim-user' },"],
  [
    'is told of them as a comment where it asks none',
    false,
    "    // user: { endpoint: 'simulated', model: 'sim-user' },",
  ],
])('%s', async (_, asks, line) => {
  const folder = temporaryFolder();
  const file = join(folder, 'environment.ts');
  const helper = new URL('../helpers/desk.ts', import.meta.url).pathname;
  const changes = asks ? '' : '{ asks: [] }';
  writeFileSync(file, `import { desk } from '${helper}';\nexport default desk(${changes});\n`);
  const config = join(folder, 'crux.config.ts');
  await init({ config, home: folder, json: true } as never, { env: file, simulated: true });
  expect(readFileSync(config, 'utf8').split('\n')).toContain(line);
});
