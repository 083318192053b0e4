// Layer: a real store, in which a run is blocked as the gateway blocks it.
import { expect, it } from 'vitest';
import type { CruxError } from '../../../src/errors.ts';
import type { Block } from '../../../src/store/runs.ts';
import type { Store } from '../../../src/store/store.ts';
import { keepServed } from '../../../src/training/servers/keep-served.ts';
import { addRun, temporaryStore } from '../../helpers/store.ts';

const block = (since: number, kind: Block['kind'] = 'Model.NotServed'): Block => ({
  ...{ kind, endpoint: 'policy', provider: 'host', model: 'crux-better-r1-01234567', since },
  message: 'The endpoint "policy" answered 404: The model does not exist.',
});

async function watched(serve: (store: Store) => Promise<void>) {
  const store = await temporaryStore();
  await addRun(store);
  const leaving = new AbortController();
  const noted: string[] = [];
  const log = (_: string, event: string) => void noted.push(event);
  const watch = () => keepServed(store, 'run-1', () => serve(store), { signal: leaving.signal, log });
  return { store, leaving, noted, watch };
}

const stateOf = async (store: Store) => (await store.runs.control('run-1')).state;

it('a model that its server forgot is served again before the run goes on, and the watch ends with the run', async () => {
  const states: string[] = [];
  const { store, noted, watch } = await watched(async (own) => void states.push(await stateOf(own)));
  await store.runs.block('run-1', block(1));
  const watching = watch();
  await expect.poll(() => stateOf(store)).toBe('running');
  expect(states).toEqual(['blocked']);
  expect(noted).toEqual(['model served again']);
  await store.runs.finish('run-1', 'finished');
  await watching;
});

it('a run that is blocked by something else is the user’s', async () => {
  const { store, leaving, watch } = await watched(async () => expect.unreachable());
  await store.runs.block('run-1', block(1, 'Model.Account'));
  const watching = watch();
  leaving.abort(new Error('over'));
  await expect(watching).rejects.toThrow('over');
  expect(await stateOf(store)).toBe('blocked');
});

it('a model that cannot be served leaves the run blocked, with the reason', async () => {
  const { store, watch } = await watched(() => Promise.reject(new Error('no room')));
  await store.runs.block('run-1', block(1));
  await expect(watch()).rejects.toThrow('no room');
  expect(await stateOf(store)).toBe('blocked');
});

it('a server that forgets the model each time is given up, and the run stays blocked', async () => {
  let since = 1;
  let served = 0;
  const blocking: Promise<boolean>[] = [];
  const { store, leaving } = await watched(async () => {});
  const serve = async () => void served++;
  const log = () => void blocking.push(store.runs.block('run-1', block(++since)));
  await store.runs.block('run-1', block(since));
  const error: CruxError = await keepServed(store, 'run-1', serve, { signal: leaving.signal, log }).then(
    () => expect.unreachable(),
    (reason) => reason,
  );
  expect(await Promise.all(blocking)).toEqual([true, true, true]);
  expect(error).toMatchObject({ kind: 'Serve.Failed', message: expect.stringMatching(/3 times.*does not exist/) });
  expect(served).toBe(3);
  expect(await stateOf(store)).toBe('blocked');
});
