// Layer: kill-and-resume of a Temporal server of its own, on a data file, with a whole run on it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type EmbeddedServer,
  lookUpEmbeddedServer,
  startEmbeddedServer,
  stopEmbeddedServer,
} from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { connectionTo } from '../helpers/connection.ts';
import { Lab, outcomeOf, until } from '../helpers/lab.ts';

let home: string;
let server: EmbeddedServer;
let lab: Lab;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'crux-kill-server-'));
  server = await startEmbeddedServer({
    home,
    report: () => {},
    ports: { server: await freePort(), ui: await freePort() },
  });
  const connection = await connectionTo(server.address);
  await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
  await connection.close();
  lab = await Lab.open({ address: server.address, latency: { distribution: 'lognormal', meanMs: 60 } });
  await lab.workApart();
});
afterAll(async () => {
  await lab.close();
  await server.stop();
  await stopEmbeddedServer(home);
  await rm(home, { recursive: true, force: true });
});

it('a Temporal server that is killed twice in a run and starts again costs no pair, and no call is sent twice', async () => {
  const undisturbed = await lab.start();
  await undisturbed.result();
  const calls = await lab.countAnswers(undisturbed.id);
  const expected = await outcomeOf(lab.store, undisturbed.id);
  const requests = lab.simulation.stats().requests;

  const run = await lab.start();
  for (const share of [0.3, 0.7]) {
    await until(`${share} of the calls`, async () => (await lab.countAnswers(run.id)) >= share * calls);
    const killed = (await lookUpEmbeddedServer(home))!.pid;
    process.kill(killed, 'SIGKILL');
    await until('the server serves again', async () => {
      const now = await lookUpEmbeddedServer(home);
      return now !== null && now.pid !== killed;
    });
  }
  expect(await run.result()).toMatchObject({ state: 'finished', done: 5 });
  expect(await outcomeOf(lab.store, run.id)).toBe(expected);
  // The worker lived on: whatever activities were repeated, their calls were in the journal or still under way.
  expect(lab.simulation.stats().requests - requests).toBe(calls);
});
