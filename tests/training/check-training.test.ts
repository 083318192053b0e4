// Layer: pure rules.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImproveSettings } from '../../src/domain/improve/settings.ts';
import { checkTraining } from '../../src/training/check-training.ts';
import { temporaryFolder } from '../helpers/store.ts';

type Checked = Parameters<typeof checkTraining>[0];

const settings: Checked = {
  trainer: { kind: 'trl' },
  method: 'cso',
  rounds: 2,
  warmStart: false,
  hyperparameters: { dpo: {}, sft: {} },
  base: { from: 'some/model' },
};

const check = (changes: Partial<Checked>) => () => checkTraining({ ...settings, ...changes });
const given = (dpo: Checked['hyperparameters']['dpo'], sft: Checked['hyperparameters']['sft'] = {}) => ({
  hyperparameters: { dpo, sft },
});
const llamaFactory: ImproveSettings['trainer'] = { kind: 'llamaFactory', template: 'qwen3' };
const [small, large] = [{ lora: { rank: 4, alpha: 8 } }, { lora: { rank: 8, alpha: 16 } }];

it('a training that is over keeps what it was told, and what comes after it has to go on with that', () => {
  const trained = { hyperparameters: { ...small, batchSize: 3 } };
  const records = [{ ...{ round: 1, phase: 'train', startedAt: 1, finishedAt: 2 }, result: trained }] as never;
  const checked =
    (dpo: Checked['hyperparameters']['dpo'], trainer = llamaFactory) =>
    () =>
      checkTraining({ ...settings, ...given(dpo), trainer }, records);
  expect(checked({ ...small, batchSize: 4 }, { ...llamaFactory, processes: 2 })).not.toThrow();
  expect(checked(large)).toThrow(/Round 2 \(cso\) is to train an adapter of rank 8.*rank 4.*\(Round 1/);
});

describe('a batch that is given', () => {
  it('has to be one that the processes of the trainer share evenly', () => {
    const trainer = { kind: 'trl', processes: 8 };
    expect(check({ trainer, ...given({ batchSize: 16 }) })).not.toThrow();
    expect(check({ trainer, ...given({ batchSize: 12 }) })).toThrow(
      'improve.training.batchSize is 12, which 8 processes cannot share evenly.',
    );
    expect(check({ trainer: { ...llamaFactory, processes: 3 }, ...given({ batchSize: 4 }) })).toThrow('3 processes');
  });

  it('of imitation counts only if something is imitated', () => {
    const changes = { trainer: { kind: 'trl', processes: 8 }, ...given({}, { batchSize: 12 }) };
    expect(check(changes)).not.toThrow();
    expect(check({ ...changes, warmStart: true })).toThrow('improve.sftTraining.batchSize is 12');
  });
});

describe('adapters of several trainings', () => {
  it.each([{ kind: 'trl' }, llamaFactory])('of one rank go on with $kind', (trainer) => {
    expect(check({ trainer, ...given(small) })).not.toThrow();
    expect(check({ trainer, warmStart: true, ...given(small, small) })).not.toThrow();
    expect(check({ trainer, warmStart: true, ...given(small) })).not.toThrow();
  });

  it.each([{ kind: 'trl' }, llamaFactory])('of two ranks are refused with $kind', (trainer) => {
    expect(check({ trainer, warmStart: true, ...given(large, small) })).toThrow(
      'Round 1 (cso) is to train an adapter of rank 8 and alpha 16, and may begin with an adapter of rank 4 and alpha 8 (The warm start).',
    );
  });

  it('go into whole weights with trl alone', () => {
    expect(check({ warmStart: true, ...given({}, small) })).not.toThrow();
    expect(check({ trainer: llamaFactory, warmStart: true, ...given({}, small) })).toThrow('is to train all weights');
  });

  it('of two ranks are no matter where each training begins at the start', () => {
    expect(check({ method: ['cso', 'rft'], ...given(large, small) })).not.toThrow();
    expect(check({ method: ['rft', 'cso'], ...given(large, small) })).toThrow('Round 2 (cso)');
  });

  it('go on with the rank of the adapter that the improvement begins with', () => {
    const from = temporaryFolder();
    writeFileSync(
      join(from, 'adapter_config.json'),
      JSON.stringify({ base_model_name_or_path: 'some/model', r: 4, lora_alpha: 8 }),
    );
    expect(check({ base: { from }, ...given(small) })).not.toThrow();
    expect(check({ base: { from }, ...given(large) })).toThrow('adapter of rank 4 and alpha 8 (improve.base)');
    expect(check({ base: { from }, method: 'rft', ...given({}, large) })).toThrow('(improve.base)');
  });

  it('are a matter of its own for any other trainer', () => {
    const trainer = { kind: 'command', run: ['train'] };
    expect(check({ trainer, warmStart: true, ...given(large, small) })).not.toThrow();
  });
});
