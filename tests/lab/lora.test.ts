// Layer: python/crux_train.py with the real libraries, on a tiny model. Needs the Python environment of the lab.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeBase, temporaryFolder, withoutPython } from './python.ts';
import { canaryOf, hashesOf, metricsOf, prepare, trainAll } from './trainings.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const lora = { rank: 4, alpha: 8 };
const first = at('first/model');
let base: string;
let ended: Awaited<ReturnType<typeof trainAll>>;

const endOf = (name: string, occurrence = 0) => ended[order.indexOf(name) + occurrence]!;
/** `killed` is ended at step 7, and started again. */
const order = ['first', 'second', 'killed', 'killed', 'sft', 'whole', 'other', 'rank', 'gone'];
const killedOnce = `
train, killed = crux_train.train, []
def train_or_die(settings, arguments):
    if settings.folder.name != "killed" or killed:
        return train(settings, arguments)
    # Not before: the environment is prepared first, and torch loaded then.
    from crux_training.metrics import MetricsFile
    add = MetricsFile.add
    def add_or_die(self, line):
        add(self, line)
        if line["step"] == 7:
            killed.append(True)
            raise MemoryError
    MetricsFile.add = add_or_die
    try:
        train(settings, arguments)
    finally:
        MetricsFile.add = add
crux_train.train = train_or_die`;

beforeAll(async () => {
  if (withoutPython) return;
  base = await makeBase(folder);
  const fast = { lora, learningRate: 1e-2, epochs: 1 };
  prepare(at('first'), 'dpo', base, { ...fast, epochs: 3 });
  prepare(at('second'), 'dpo', first, fast);
  prepare(at('killed'), 'dpo', first, fast);
  prepare(at('sft'), 'sft', first, fast);
  prepare(at('whole'), 'dpo', first, { epochs: 1 });
  prepare(at('other'), 'dpo', first, { ...fast, reference: base });
  prepare(at('rank'), 'dpo', first, { lora: { rank: 8, alpha: 8 } });
  mkdirSync(at('lost'));
  writeFileSync(at('lost/adapter_config.json'), JSON.stringify({ base_model_name_or_path: at('nowhere') }));
  prepare(at('gone'), 'dpo', at('lost'), { lora });
  ended = await trainAll(order.map(at), killedOnce);
});

/** To 1e-3 nats. */
function expectClose(one: number[], other: number[]): void {
  expect(one).toHaveLength(other.length);
  for (const [index, value] of one.entries()) expect(value).toBeCloseTo(other[index]!, 3);
}

const before = (name: string) => canaryOf(at(name)).map((line) => line.before);
const after = (name: string) => canaryOf(at(name)).map((line) => line.after);

describe.skipIf(withoutPython !== null)('a round that begins with the adapter of the one before', () => {
  it('begins as that one ended, and not as the base', () => {
    expect([endOf('first').code, endOf('second').code]).toEqual([0, 0]);
    expectClose(before('second'), after('first'));
    expect(after('first')[0]! - before('first')[0]!).toBeGreaterThan(0.1);
  });

  it('has it as the reference of DPO: at the first step nothing is preferred yet', () => {
    const metrics = metricsOf(at('second'));
    expect(metrics[0]!['rewards/margins']).toBeCloseTo(0, 4);
    expect(Math.abs(metrics.at(-1)!['rewards/margins']!)).toBeGreaterThan(0.01);
  });

  it('leaves one adapter over the same base', () => {
    expect(readdirSync(at('second/model')).sort()).toEqual(readdirSync(first).sort());
    const adapter = JSON.parse(readFileSync(at('second/model/adapter_config.json'), 'utf8'));
    expect(adapter).toMatchObject({ base_model_name_or_path: base, r: 4, lora_alpha: 8 });
  });

  it('goes on from its checkpoint to the very bytes of one that nothing disturbed', () => {
    expect(endOf('killed').code).toBe(8);
    expect(endOf('killed', 1)).toMatchObject({ code: 0, output: expect.stringContaining('goes on from step 5') });
    expect(hashesOf(at('killed/model'))).toEqual(hashesOf(at('second/model')));
    expect(canaryOf(at('killed'))).toEqual(canaryOf(at('second')));
  });
});

describe.skipIf(withoutPython !== null)('a training that begins with an adapter', () => {
  it('may imitate: the adapter goes on', () => {
    expect(endOf('sft').code).toBe(0);
    expect(readdirSync(at('sft/model'))).toContain('adapter_model.safetensors');
  });

  it('may train all weights: the adapter is added to them', () => {
    expect(endOf('whole').code).toBe(0);
    expectClose(before('whole'), after('first'));
    expect(readdirSync(at('whole/model'))).toContain('model.safetensors');
    expect(readdirSync(at('whole/model'))).not.toContain('adapter_config.json');
  });

  it('may have another reference: what its adapter learned is preferred from the first step on', () => {
    expect(endOf('other').code).toBe(0);
    expect(metricsOf(at('other'))[0]!['rewards/margins']).toBeGreaterThan(0.01);
  });

  it('refuses another rank, and an adapter whose base is gone', () => {
    expect(endOf('rank')).toMatchObject({
      code: 2,
      output: expect.stringContaining('is an adapter of rank 4 and alpha 8'),
    });
    expect(endOf('gone')).toMatchObject({ code: 3, output: expect.stringContaining(`${at('nowhere')} cannot be`) });
  });
});
