// Layer: Crux from a script, on a real Temporal server, with simulated models behind a door that refuses.
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { connect } from '../../src/index.ts';
import { Lab } from '../helpers/lab.ts';
import { labConfig } from '../helpers/lab-config.ts';
import { refusingDoor } from '../helpers/refusing-door.ts';
import { temporaryFolder } from '../helpers/store.ts';

const { address } = inject('temporal');

it('a blocked run rejects its result with the words of the server, and once taken up gives it', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', address);
  const lab = await Lab.open({ address });
  onTestFinished(() => lab.close());
  const door = await refusingDoor(lab.simulation.url, { status: 401, message: 'Incorrect API key provided.' });
  const crux = await connect({ home: lab.home, config: labConfig(lab.home, door.url) });
  const stop = await crux.work();
  const run = await crux.start({ method: 'rft' }, { environment: 'maze', limit: 1, runId: `script-${lab.store.id}` });
  await expect(run.result({ blockedPatienceMs: 0 })).rejects.toMatchObject({
    kind: 'Run.Blocked',
    message: expect.stringMatching(/is blocked: .*answered 401: .*Incorrect API key provided/),
    remedy: expect.stringContaining('resume()'),
  });
  // It only stops waiting: the run stands as it stood. The store knows of a block before the workflow does.
  await expect.poll(() => run.progress(), { timeout: 20_000 }).toMatchObject({ state: 'blocked', done: 0 });
  // Who waits on is told nothing before the run is over.
  const patient = run.result({ blockedPatienceMs: Number.POSITIVE_INFINITY });
  door.state.mode = null;
  await run.resume();
  expect(await run.result({ blockedPatienceMs: 0 })).toMatchObject({ state: 'finished', done: 1 });
  expect(await patient).toMatchObject({ state: 'finished' });
  await stop();
  await crux.close();
});

it('the example of an evaluation names the policy alone, and prints how good it is', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', address);
  vi.stubEnv('CRUX_HOME', temporaryFolder());
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  await import('../../examples/script/evaluate.ts');
  expect(printed.mock.calls.flat()).toEqual([
    expect.stringMatching(/^success rate +\d+ % \(\d+ % to \d+ %\)$/),
    expect.stringMatching(/^pass@4 +\d+ %$/),
  ]);
});
