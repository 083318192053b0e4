// Layer: pure core, and a service over HTTP.
import { describe, expect, it } from 'vitest';
import { commandServer, cruxServer, hosted, llamaCpp, vllm } from '../../../src/index.ts';
import { serverOf, serverSchema } from '../../../src/training/servers/index.ts';
import { filledIn } from '../../../src/training/servers/placeholders.ts';
import { response, startRawServer } from '../../helpers/raw-server.ts';
import { temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { servingPlace } from '../serving-place.ts';

const weights = { root: '/models/round-1', hash: '0123456789abcdef' };

describe('what a configuration says of a server', () => {
  it.each([
    [cruxServer(), { kind: 'crux', python: 'python3', port: null }],
    [vllm({ keep: 3 }), { kind: 'vllm', keep: 3, precision: 'bfloat16' }],
    [llamaCpp({ like: 'base.gguf' }), { kind: 'llamaCpp', bin: 'llama-server', slots: 8, context: 4096, args: [] }],
    [hosted(), { kind: 'hosted', startSeconds: 900 }],
    [
      commandServer({ start: ['serve', '{model}', '--as={name}'], health: '/ready', port: 8000 }),
      { kind: 'command', health: '/ready', port: 8000 },
    ],
  ])('is plain JSON, and read with its defaults: %j', (settings, expected) => {
    expect(JSON.parse(JSON.stringify(settings))).toEqual(settings);
    expect(serverSchema.parse(settings)).toMatchObject(expected);
  });

  it.each([
    [{ start: ['serve'] }, /must hold \{model\}/],
    [{ start: ['serve', '{model}', '{modle}'] }, /unknown placeholders: \{modle\}/],
    [{ start: ['serve', '{model}'], health: 'health' }, /health/],
    [{ start: ['serve', '{model}'], port: 0 }, /port/],
  ])('is refused with the reason: %j', (options, words) => {
    expect(() => serverOf({ kind: 'command', ...options })).toThrow(words);
  });

  it('of a kind that there is not names the kinds', () => {
    expect(() => serverOf({ kind: 'ollama' })).toThrow(
      expect.objectContaining({ kind: 'User.Config', remedy: 'Known: crux, command, llamaCpp, vllm, hosted.' }),
    );
  });

  it('leaves braces that are the server’s own', () => {
    const words = ['--at', '{name}:{port}', '{"a":1}'];
    expect(filledIn(words, { model: 'm', name: '$&', port: '8000' })).toEqual(['--at', '$&:8000', '{"a":1}']);
  });
});

it('weights have a name of their own, but at a service its name for them', () => {
  const names = (kind: 'vllm' | 'hosted') => serverOf({ kind }).named(weights, 'better', 2);
  expect(names('vllm')).toEqual({ ...weights, name: 'crux-better-r2-01234567' });
  expect(names('hosted')).toEqual({ ...weights, name: '/models/round-1' });
});

describe('a service that keeps the weights', () => {
  const tuned = { name: 'ft:small:crux::1', root: 'ft:small:crux::1', hash: '' };
  async function service(knows: { list: boolean; model: boolean }) {
    const { port } = await startRawServer(({ line, socket }) => {
      const isList = line.startsWith('GET /v1/models ');
      const data = isList && knows.list ? [{ id: tuned.name }] : [];
      const isKnown = isList || (knows.model && line.includes('/v1/models/ft%3Asmall%3Acrux%3A%3A1 '));
      socket.write(response(isKnown ? 200 : 404, JSON.stringify(isKnown ? { data } : { error: 'no such model' })));
    });
    const place = servingPlace(port, { home: temporaryFolder(), store: await temporaryStore() });
    return serverOf({ kind: 'hosted' }).serve(place, tuned, new AbortController().signal);
  }

  it('lists the model, or tells it by its name', async () => {
    await service({ list: true, model: false });
    await service({ list: false, model: true });
  });

  it('is refused if it does not know the model', async () => {
    await expect(service({ list: false, model: false })).rejects.toMatchObject({ kind: 'Serve.NotTheModel' });
  });
});
