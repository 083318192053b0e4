// Layer: python/crux_train.py with the real libraries, on a tiny model. Needs the Python environment of the lab.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Loss } from '../../src/domain/improve/contract.ts';
import { exportPairs } from '../../src/export/index.ts';
import { textPair } from '../export/pair-builder.ts';
import { makeBase, runPython, start, temporaryFolder, withoutPython } from './python.ts';
import { type Changes, canaryOf, hashesOf, metricsOf, prepare, train, trainAll } from './trainings.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
let base: string;

beforeAll(async () => {
  if (!withoutPython) base = await makeBase(folder);
});

describe.skipIf(withoutPython !== null)('crux_train.py', () => {
  it('trains DPO on all pairs: a line of metrics a step, a canary of 32 states, a model', async () => {
    const { code, output } = await train(prepare(at('dpo'), 'dpo', base));
    expect(output).toContain("trains on 'take red tea<|end|>'");
    expect(code).toBe(0);
    const metrics = metricsOf(at('dpo'));
    // 60 pairs, 8 in a step, 3 epochs.
    expect(metrics.map(({ step, total }) => [step, total])).toEqual(
      Array.from({ length: 24 }, (_, index) => [index + 1, 24]),
    );
    expect(Object.keys(metrics[0]!)).toEqual(
      expect.arrayContaining([
        'loss',
        'grad_norm',
        'learning_rate',
        'rewards/margins',
        'rewards/accuracies',
        'logps/chosen',
      ]),
    );
    expect(metrics.at(-1)!['rewards/margins']).toBeGreaterThan(metrics[0]!['rewards/margins']!);
    const canary = canaryOf(at('dpo'));
    expect(canary).toHaveLength(64);
    for (const { before, after } of canary.filter((_, index) => index % 2 === 0)) expect(after).toBeGreaterThan(before);
    expect(readdirSync(at('dpo/model'))).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']),
    );
    expect(existsSync(at('dpo/checkpoints'))).toBe(false);
  });

  it('does nothing in a folder that holds a model', async () => {
    const before = hashesOf(at('dpo/model'));
    expect(await train(at('dpo'))).toMatchObject({ code: 0, output: expect.stringContaining('nothing to do') });
    expect(hashesOf(at('dpo/model'))).toEqual(before);
  });

  it('trains SFT on the turns of the model alone', async () => {
    const { code, output } = await train(prepare(at('sft'), 'sft', base));
    expect(code).toBe(0);
    const trained = [...output.matchAll(/trains on (.*)/g)].map((found) => found[1]);
    expect(trained).toEqual(["'take red tea<|end|>'", "'pay tea<|end|>'"]);
    expect(metricsOf(at('sft')).at(-1)!.loss).toBeLessThan(metricsOf(at('sft'))[0]!.loss! / 2);
  });

  it('trains the labelled tokens of pairs of several turns, and no observation', async () => {
    const words = {
      prompt: [
        { role: 'system' as const, content: 'Taken.' },
        { role: 'user' as const, content: 'Order tea' },
      ],
    };
    const turns = [
      { role: 'assistant' as const, content: 'take red tea' },
      { role: 'user' as const, content: 'Taken.' },
      { role: 'assistant' as const, content: 'pay tea' },
    ];
    const pairs = Array.from({ length: 8 }, (_, index) =>
      textPair({ ...words, id: `pair-${index}`, chosen: turns, rejected: [{ role: 'assistant', content: 'pay tea' }] }),
    );
    prepare(at('several'), 'dpo', base, { rows: 8, format: 'crux-masked' });
    await exportPairs(pairs, { format: 'crux-masked', out: at('several/data'), force: true, tokenizer: base });
    rmSync(at('several/data/rows.jsonl'));
    const settings = JSON.parse(readFileSync(at('several/settings.json'), 'utf8'));
    settings.data.file = 'data/pairs.jsonl';
    writeFileSync(at('several/settings.json'), JSON.stringify(settings));
    const { code, output } = await train(at('several'));
    const trained = [...output.matchAll(/trains on (.*)/g)].map((found) => found[1]);
    expect(trained).toEqual(["'take red tea<|end|>'", "'pay tea<|end|>'", "'pay tea<|end|>'"]);
    expect(code).toBe(0);
  });

  it('learns the same with rows by length, and nearly so in bfloat16, of which little is padded', async () => {
    const fast = ['--bf16', '--by-length', '--rows-at-once', '4'];
    const { code, output } = await train(prepare(at('fast'), 'sft', base), ...fast);
    expect(output).toContain('done after 24 steps');
    expect(code).toBe(0);
    expect(metricsOf(at('fast')).at(-1)!.loss).toBeCloseTo(metricsOf(at('sft')).at(-1)!.loss!, 1);
  });

  it('groups rows of like length in an order drawn by the seed, and loses none', async () => {
    const program = [
      'from types import SimpleNamespace',
      'from datasets import Dataset',
      'from crux_training.rows import by_length',
      'lengths = [5, 1, 9, 2, 8, 1, 7, 3, 6, 4, 2]',
      'data = Dataset.from_list([{"input_ids": [0] * n, "labels": [0] * n} for n in lengths])',
      'order = lambda seed: [len(row["input_ids"]) for row in by_length(SimpleNamespace(loss="sft", seed=seed), data, 3)]',
      'print(order(1), order(1) == order(1), len({tuple(order(seed)) for seed in range(9)}) == 1)',
    ].join('\n');
    const [, list, same, other] = /^(\[.*\]) (\w+) (\w+)/.exec(await runPython(program))!;
    const order = JSON.parse(list!) as number[];
    expect(order.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]);
    // Two are left over.
    const groups = [0, 3, 6].map((start) => order.slice(start, start + 3));
    expect(groups.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
      [1, 1, 2],
      [2, 3, 4],
      [5, 6, 7],
    ]);
    expect(order.slice(9)).toEqual([8, 9]);
    expect([same, other]).toEqual(['True', 'False']);
  });

  it('trains an adapter where LoRA is asked for', async () => {
    const { code } = await train(prepare(at('lora'), 'dpo', base, { lora: { rank: 4, alpha: 8 } }));
    expect(code).toBe(0);
    expect(readdirSync(at('lora/model'))).toContain('adapter_model.safetensors');
  });
});

describe.skipIf(withoutPython !== null)('a training that was killed', () => {
  it('goes on from its newest complete checkpoint, to the very bytes of one that nothing disturbed', async () => {
    const long: Changes = { epochs: 6, checkpointEvery: 5 };
    await train(prepare(at('calm'), 'dpo', base, long));

    prepare(at('killed'), 'dpo', base, long);
    const { child, ended } = start('python/crux_train.py', [at('killed')]);
    await expect
      .poll(() => existsSync(at('killed/metrics.jsonl')) && metricsOf(at('killed')).length >= 12, { interval: 5 })
      .toBe(true);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(existsSync(at('killed/model'))).toBe(false);
    // What a kill in the middle of a checkpoint leaves.
    const reached = metricsOf(at('killed')).length;
    mkdirSync(at(`killed/checkpoints/checkpoint-${reached + 1}`));

    const { code, output } = await train(at('killed'));
    expect(code).toBe(0);
    const from = Number(/goes on from step (\d+)/.exec(output)![1]);
    expect(from).toBeGreaterThanOrEqual(5);
    expect(from).toBeLessThanOrEqual(reached);
    expect(hashesOf(at('killed/model'))).toEqual(hashesOf(at('calm/model')));
    expect(metricsOf(at('killed')).map(({ step, loss }) => [step, loss])).toEqual(
      metricsOf(at('calm')).map(({ step, loss }) => [step, loss]),
    );
    expect(canaryOf(at('killed'))).toEqual(canaryOf(at('calm')));
  });

  it('ends at once on SIGTERM', async () => {
    prepare(at('termed'), 'sft', base, { epochs: 10_000 });
    const { child, ended } = start('python/crux_train.py', [at('termed')]);
    await expect
      .poll(() => existsSync(at('termed/metrics.jsonl')) && metricsOf(at('termed')).length)
      .toBeGreaterThan(2);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ signal: 'SIGTERM' });
  });
});

describe.skipIf(withoutPython !== null)('a training that cannot give a good model stops with a line and a code', () => {
  /** What is wrong, the exit code, words of the line; each is a training of its own. */
  const stops: [string, number, string, Loss, Changes][] = [
    [
      'a format that it does not know',
      2,
      'sft on rows of format openai-sft is not known',
      'sft',
      { format: 'openai-sft' },
    ],
    ['a base that is not there', 3, '/nowhere cannot be loaded', 'sft', { base: '/nowhere' }],
    ['rows that are too long', 4, '0 rows would be trained on, and settings.json says 60', 'sft', { maxLength: 8 }],
    ['fewer rows than stated', 4, '60 rows would be trained on, and settings.json says 61', 'dpo', { rows: 61 }],
    [
      'masks over what the model did not write',
      5,
      "turns are ['take red tea', 'pay tea']",
      'sft',
      { base: at('unmasked') },
    ],
    ['a loss that is no number', 6, 'is nan at step', 'sft', { learningRate: 1e30, warmup: 0 }],
    [
      'chosen sides that become improbable',
      7,
      'nats below its start',
      'dpo',
      { learningRate: 0.1, sftWeight: 0, warmup: 0, collapse: 5 },
    ],
    ['a full disk', 9, 'the disk is full', 'sft', {}],
  ];
  const place = (name: string) => at(name.replaceAll(' ', '-'));
  let ended: { code: number; output: string }[];

  beforeAll(async () => {
    if (withoutPython) return;
    cpSync(base, at('unmasked'), { recursive: true });
    const all = "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}";
    const template = `{% for message in messages %}{% generation %}${all}{% endgeneration %}{% endfor %}`;
    writeFileSync(at('unmasked/chat_template.jinja'), template);
    for (const [name, , , loss, changes] of stops) prepare(place(name), loss, base, changes);
    symlinkSync('/dev/full', join(place('a full disk'), 'metrics.jsonl.part'));
    ended = await trainAll(stops.map(([name]) => place(name)));
  });

  it.each(stops)('%s: %i', (name, expected, words) => {
    const { code, output } = ended[stops.findIndex((stop) => stop[0] === name)]!;
    expect(output).toContain(words);
    expect(code).toBe(expected);
    expect(existsSync(join(place(name), 'model'))).toBe(false);
  });

  it('memory that torch cannot have: 8', async () => {
    const program = [
      'import torch',
      'from crux_training.stops import stop_of',
      'try: torch.empty(2**50)',
      'except BaseException as error: print(stop_of(error).code)',
    ].join('\n');
    expect((await runPython(program)).trim()).toBe('8');
  });
});
