// Layer: pure core, and a service over HTTP.
import { describe, expect, it, onTestFinished } from 'vitest';
import { commandServer, cruxServer, deployed, fireworks, hosted, llamaCpp, vllm } from '../../../src/index.ts';
import { Endpoint } from '../../../src/models/endpoint.ts';
import { serverOf, serverSchema } from '../../../src/training/servers/index.ts';
import { filledIn } from '../../../src/training/servers/placeholders.ts';
import { response, startRawServer } from '../../helpers/raw-server.ts';
import { temporaryFolder, temporaryStore } from '../../helpers/store.ts';
import { AzureStandIn } from '../azure-stand-in.ts';
import { endpointAt } from '../endpoint-at.ts';
import { jobKey } from '../jobs-stand-in.ts';
import { servingPlace } from '../serving-place.ts';

const okAnswer = JSON.stringify({ choices: [{ message: { content: 'OK' } }] });
const weights = { root: '/models/round-1', hash: '0123456789abcdef' };

describe('what a configuration says of a server', () => {
  it.each([
    [cruxServer(), { kind: 'crux', python: 'python3', port: null }],
    [vllm({ keep: 3 }), { kind: 'vllm', keep: 3, precision: 'bfloat16' }],
    [llamaCpp({ like: 'base.gguf' }), { kind: 'llamaCpp', bin: 'llama-server', slots: 8, context: 4096, args: [] }],
    [hosted(), { kind: 'hosted', startSeconds: 900 }],
    [deployed({ startSeconds: 60 }), { kind: 'deployed', startSeconds: 60 }],
    [
      fireworks({ endpoint: 'account', deployment: 'accounts/acme/deployments/one' }),
      { kind: 'fireworks', endpoint: 'account', startSeconds: 900 },
    ],
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
      expect.objectContaining({
        kind: 'User.Config',
        remedy: 'Known: crux, command, llamaCpp, vllm, sglang, hosted, deployed, fireworks.',
      }),
    );
  });

  it('leaves braces that are the server’s own', () => {
    const words = ['--at', '{name}:{port}', '{"a":1}'];
    expect(filledIn(words, { model: 'm', name: '$&', port: '8000' })).toEqual(['--at', '$&:8000', '{"a":1}']);
  });
});

it('weights have a name of their own, but at a service its name for them', () => {
  const names = (kind: 'vllm' | 'hosted' | 'deployed') => serverOf({ kind }).named(weights, 'better', 2);
  expect(names('vllm')).toEqual({ ...weights, name: 'crux-better-r2-01234567' });
  expect(names('hosted')).toEqual({ ...weights, name: '/models/round-1' });
  expect(names('deployed')).toEqual({ ...weights, name: 'crux-better-r2-01234567' });
});

describe('a service that keeps the weights', () => {
  const tuned = { name: 'ft:small:crux::1', root: 'ft:small:crux::1', hash: '' };
  async function service(knows: { list: boolean; model: boolean }, looks = 0) {
    let left = looks;
    const { port } = await startRawServer(({ line, socket }) => {
      const isList = line.startsWith('GET /v1/models ');
      const data = isList && knows.list && left-- <= 0 ? [{ id: tuned.name }] : [];
      const isKnown = isList || (knows.model && line.includes('/v1/models/ft%3Asmall%3Acrux%3A%3A1 '));
      socket.write(response(isKnown ? 200 : 404, JSON.stringify(isKnown ? { data } : { error: 'no such model' })));
    });
    const place = servingPlace(port, { home: temporaryFolder(), store: await temporaryStore() });
    return serverOf({ kind: 'hosted', startSeconds: 2 }).serve(place, tuned, new AbortController().signal);
  }

  it('lists the model, or tells it by its name', async () => {
    await service({ list: true, model: false });
    await service({ list: false, model: true });
  });

  it('is waited for until it knows the model', async () => {
    await service({ list: true, model: false }, 2);
  });

  it('is refused if it does not know the model in time', async () => {
    await expect(service({ list: false, model: false })).rejects.toMatchObject({ kind: 'Serve.NotTheModel' });
  });
});

describe('a service whose models answer once they are deployed', () => {
  const model = { name: 'crux-better-r1-01234567', root: 'small.ft-1', hash: '' };
  const signal = new AbortController().signal;

  async function azure() {
    const service = new AzureStandIn();
    await service.start();
    onTestFinished(() => service.stop());
    const { port } = await startRawServer(({ socket }) => socket.write(response(200, okAnswer)));
    service.upstream = `http://127.0.0.1:${port}`;
    service.jobs.push({
      id: 'j',
      status: 'succeeded',
      body: {},
      file: '',
      mark: '',
      model: model.root,
      error: null,
      events: [],
    });
    process.env.CRUX_TEST_DEPLOYED_KEY = jobKey;
    const endpoint = new Endpoint('azure', {
      ...endpointAt(port).config,
      ...{ baseUrl: service.url, apiKeyEnv: 'CRUX_TEST_DEPLOYED_KEY', keyHeader: 'api-key' },
    });
    const log: unknown[][] = [];
    const given = {
      home: temporaryFolder(),
      store: await temporaryStore(),
      log: (...line: unknown[]) => void log.push(line),
    };
    return { service, place: { ...servingPlace(port, given), endpoint }, log };
  }

  it('is asked until somebody deploys the model under the name that the log says', async () => {
    const { service, place, log } = await azure();
    let asked = 0;
    service.whenMissing = (name) => ++asked === 2 && service.deployments.set(name, model.root);
    await serverOf({ kind: 'deployed', startSeconds: 60 }).serve(place, model, signal);
    expect(asked).toBe(2);
    expect(log).toEqual([['warn', 'a model waits to be deployed', { model: model.root, as: model.name }]]);
  });

  it('is refused with what to deploy if nobody does', async () => {
    const { place } = await azure();
    await expect(serverOf({ kind: 'deployed', startSeconds: 1 }).serve(place, model, signal)).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('deployment for this resource does not exist'),
      remedy: `Deploy the model small.ft-1 under the name "${model.name}"; the same command goes on.`,
    });
  });
});
