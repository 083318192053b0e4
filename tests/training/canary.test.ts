// Layer: the canary against a stand-in for a model's server over HTTP, with models whose log-probabilities come from the files in their folders.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServedModel } from '../../src/domain/improve/contract.ts';
import { checkServed, readCanary } from '../../src/training/canary.ts';
import { temporaryFolder } from '../helpers/store.ts';
import { endpointAt } from './endpoint-at.ts';
import { type Faults, StandIn } from './stand-in-server.ts';
import { baseWeights, canaryLines, type Weights, writeModel } from './table-model.ts';

const { signal } = new AbortController();
const trained: Weights = { change: 0.4, seed: 'round 1' };
const lines = canaryLines(baseWeights, trained);
const base: ServedModel = { name: 'base', root: 'hub/base', hash: '0'.repeat(64) };

/** A server that has loaded an adapter, perhaps after another one. */
async function serving(faults: Partial<Faults> = {}, weights = trained, earlier?: Weights) {
  const standIn = new StandIn(faults);
  await standIn.start();
  const folder = temporaryFolder();
  if (earlier) standIn.load('crux-a-r0-00000000', writeModel(join(folder, 'earlier'), earlier).root);
  const model = { name: 'crux-a-r1-0123abcd', ...writeModel(join(folder, 'model'), weights) };
  standIn.load(model.name, model.root);
  return { standIn, model, endpoint: endpointAt(standIn.port, 16) };
}

describe('a right model', () => {
  it('passes, with and without a base that is served beside it', async () => {
    const { endpoint, model, standIn } = await serving();
    for (const beside of [base, null]) {
      const finding = await checkServed(endpoint, model, beside, lines, { signal, precision: 'float32' });
      expect(finding).toMatchObject({ verdict: 'passed', noise: 0 });
      expect(finding.distance).toBeLessThan(1e-6);
      expect(finding.distanceToBase).toBeGreaterThan(0.02);
    }
    expect(standIn.mostAtOnce).toBeGreaterThan(8);
  });

  it('whose log-probabilities are noisy under load raises no alarm in 50 checks', async () => {
    const { endpoint, model } = await serving({ noise: 0.05 });
    for (let check = 0; check < 50; check++) {
      const beside = check % 2 === 0 ? base : null;
      const finding = await checkServed(endpoint, model, beside, lines, { signal });
      expect(finding.verdict).toBe('passed');
      expect(finding.noise).toBeGreaterThan(0);
    }
  });

  it('that the training did not change is said to be so', async () => {
    const { endpoint, model } = await serving({}, baseWeights);
    const finding = await checkServed(endpoint, model, base, canaryLines(baseWeights, baseWeights), { signal });
    expect(finding).toEqual({ verdict: 'no-change', distance: 0, distanceToBase: 0, noise: 0 });
  });
});

describe('another model than was trained is refused with the figures, whether the base is served or not:', () => {
  const refused = async ({ endpoint, model }: Awaited<ReturnType<typeof serving>>, words: RegExp) => {
    for (const beside of [base, null]) {
      await expect(checkServed(endpoint, model, beside, lines, { signal })).rejects.toMatchObject({
        kind: 'Serve.NotTheModel',
        message: expect.stringMatching(words),
        remedy: expect.stringContaining('Nothing was evaluated'),
      });
    }
  };

  it('an adapter that is listed and not applied', async () => {
    await refused(
      await serving({ appliesNothing: true }),
      /"crux-a-r1-0123abcd".*the training began with.*nats a token: /,
    );
  });

  it('an adapter that is not applied, under noise', async () => {
    await refused(await serving({ appliesNothing: true, noise: 0.05 }), /the training began with/);
  });

  it('old weights that a server silently keeps', async () => {
    const earlier = { change: 0.6, seed: 'round 0' };
    await refused(await serving({ keepsOldWeights: true }, trained, earlier), /has not the weights/);
  });

  it('a template that adds a token which nobody trained with', async () => {
    await refused(await serving({ prefix: 7 }), /neither as the trained model nor as the one before/);
  });

  it('log-probabilities that are no numbers, as of weights that are broken', async () => {
    await refused(await serving({ logprobs: 'NaN' }), /that are no numbers/);
  });

  it('another name in the answers than was asked for', async () => {
    await refused(await serving({ answersAs: 'base' }), /asked for "crux-a-r1-0123abcd", and "base" answered/);
  });
});

describe('a name', () => {
  it.each(['refused', 'not-repeated'] as const)(
    'is all that is compared if log-probabilities are %s',
    async (logprobs) => {
      const { endpoint, model } = await serving({ logprobs });
      const finding = await checkServed(endpoint, model, null, lines, { signal });
      expect(finding).toEqual({ verdict: 'named', distance: null, distanceToBase: null, noise: null });
    },
  );

  it('is all that is compared if the trainer measured nothing', async () => {
    const { endpoint, model, standIn } = await serving();
    expect((await checkServed(endpoint, model, null, [], { signal })).verdict).toBe('named');
    expect(standIn.requests).toEqual(['/models']);
  });

  it('that a restarted server forgot is missed before anything is asked', async () => {
    const { endpoint, model, standIn } = await serving();
    await standIn.stop();
    await standIn.start();
    await expect(checkServed(endpoint, model, null, lines, { signal })).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining('does not list "crux-a-r1-0123abcd"; it lists "base"'),
    });
    expect(standIn.requests.slice(-1)).toEqual(['/models']);
  });

  it('that has the weights of another folder is refused', async () => {
    const { endpoint, model } = await serving();
    const moved = { ...model, root: join(temporaryFolder(), 'model') };
    await expect(checkServed(endpoint, moved, null, [], { signal })).rejects.toMatchObject({
      kind: 'Serve.NotTheModel',
      message: expect.stringContaining(model.root),
    });
  });
});

describe('canary.jsonl', () => {
  it('is read as the trainer wrote it; a training without it measured nothing', () => {
    const folder = temporaryFolder();
    expect(readCanary(folder)).toEqual([]);
    writeFileSync(join(folder, 'canary.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(readCanary(folder)).toEqual(lines);
  });

  it.each(['{"prompt":[1],"completion":[],"before":0,"after":0}', '{"prompt":[1],"completion":[2],"before":NaN}', '{'])(
    'that makes no sense is refused with the line: %s',
    (line) => {
      const folder = temporaryFolder();
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'canary.jsonl'), `${JSON.stringify(lines[0])}\n${line}\n`);
      expect(() => readCanary(folder)).toThrow(/line 2 is no text/);
    },
  );
});
