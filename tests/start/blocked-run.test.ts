// Layer: a real store.
import { expect, it, vi } from 'vitest';
import { blockedFor, blockedUnder } from '../../src/start/blocked-run.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

it('an improvement is blocked when a campaign in progress is, and what is over is not read by itself', async () => {
  const store = await temporaryStore();
  vi.stubEnv('CRUX_BLOCKED_PATIENCE', '0');
  for (const id of ['imp/round-1/collect', 'imp/round-2/collect']) await addRun(store, { id });
  await store.runs.finish('imp/round-1/collect', 'finished');
  const block = { endpoint: 'models', provider: 'p', model: 'm', message: 'No funds.', since: 1 };
  await store.runs.block('imp/round-2/collect', { kind: 'Model.Account', ...block });
  const control = vi.spyOn(store.runs, 'control');
  const found = await blockedUnder(store, 'imp', new AbortController().signal);
  expect(found.block.message).toBe('No funds.');
  expect(control).not.toHaveBeenCalled();
});

it('a patience that is no number is refused', async () => {
  vi.stubEnv('CRUX_BLOCKED_PATIENCE', '1m');
  const store = await temporaryStore();
  const refusal = { kind: 'User.Config', message: expect.stringContaining('"1m"') };
  await expect(blockedFor(store, 'run-1', new AbortController().signal)).rejects.toMatchObject(refusal);
  await expect(blockedUnder(store, 'imp', new AbortController().signal)).rejects.toMatchObject(refusal);
});
