// Layer: pure rules.
import { describe, expect, it } from 'vitest';
import { hyperparametersFor, type TrainingFacts } from '../../src/training/hyperparameters.ts';

const facts: TrainingFacts = {
  ...{ method: 'cso', loss: 'dpo', round: 1, rows: 3_200, parameters: 7e9, lengths: null, given: {} },
  ...{ leastBatch: 1, processes: 1, trainsAdapters: false },
};

const valuesOf = (changes: Partial<TrainingFacts>) => hyperparametersFor({ ...facts, ...changes }).hyperparameters;

describe('hyperparameters', () => {
  it.each<[Partial<TrainingFacts>, number, number]>([
    [{ method: 'cso' }, 0.5, 5e-7],
    [{ method: 'rro' }, 0.5, 5e-7],
    [{ method: 'step-dpo' }, 0.5, 5e-7],
    [{ method: 'ipr' }, 0.1, 3e-6],
    [{ method: 'eto', round: 1 }, 0.1, 1e-6],
    [{ method: 'eto', round: 2 }, 0.5, 5e-7],
  ])('of %j at 7 B are those of the papers: β %d, rate %d', (changes, beta, learningRate) => {
    expect(valuesOf(changes)).toMatchObject({ beta, learningRate, sftWeight: 1, collapse: 20 });
  });

  it('have a source each, and those that were given say so', () => {
    const { hyperparameters, sources } = hyperparametersFor({ ...facts, given: { beta: 0.2, checkpointEvery: null } });
    expect(Object.keys(sources).sort()).toEqual(Object.keys(hyperparameters).sort());
    expect(Object.values(sources).every((source) => source !== '')).toBe(true);
    expect(hyperparameters).toMatchObject({ beta: 0.2, checkpointEvery: null });
    expect(sources).toMatchObject({ beta: 'given', checkpointEvery: 'given' });
    expect(sources.learningRate).toContain('ETO');
  });

  it('scale the rate to the size of the model, between what held and what did not', () => {
    const small = valuesOf({ parameters: 135e6 }).learningRate;
    expect(small).toBeGreaterThan(5e-6);
    expect(small).toBeLessThan(2e-5);
    // (7e9 / 5e5)^(2/3) = 581; 581 × 5e-7 = 2.9e-4. (7e9 / 5e5)^(1/2) = 118; 118 × 2e-5 = 2.4e-3.
    expect(valuesOf({ parameters: 5e5 }).learningRate).toBe(2.9e-4);
    expect(valuesOf({ parameters: 5e5, loss: 'sft' }).learningRate).toBe(2.4e-3);
  });

  it('do not scale where the size is unknown, or where the rate is given', () => {
    const unknown = hyperparametersFor({ ...facts, parameters: null });
    expect(unknown.hyperparameters.learningRate).toBe(5e-7);
    expect(unknown.sources.learningRate).toContain('not scaled');
    expect(valuesOf({ parameters: 5e5, given: { learningRate: 1e-5 } }).learningRate).toBe(1e-5);
  });

  it('of adapters have ten times the rate', () => {
    expect(valuesOf({ given: { lora: { rank: 8, alpha: 16 } } }).learningRate).toBe(5e-6);
  });

  it('of few rows make smaller batches, down to 4, and ten checkpoints', () => {
    // 3,200 rows: 32 rows a step, 100 steps an epoch, 3 epochs.
    expect(valuesOf({})).toMatchObject({ batchSize: 32, epochs: 3, checkpointEvery: 30 });
    // 200 rows / 20 = 10, so 8 rows a step, 25 steps an epoch.
    expect(valuesOf({ rows: 200 })).toMatchObject({ batchSize: 8, checkpointEvery: 8 });
    expect(valuesOf({ rows: 1 })).toMatchObject({ batchSize: 4, checkpointEvery: 1 });
  });

  it.each([
    // Rows, processes, batch: 120 / 20 = 6, so 4, of which 8 processes need 8.
    [120, 8, 8],
    [120, 3, 6],
    [120, 4, 4],
    [3_200, 6, 36],
    [3_200, 64, 64],
    [3_200, 8, 32],
  ])('of %i rows on %i processes have a batch that these share: %i', (rows, processes, batchSize) => {
    expect(valuesOf({ rows, processes }).batchSize).toBe(batchSize);
  });

  it('given are left as they are', () => {
    expect(valuesOf({ processes: 8, given: { batchSize: 4 } }).batchSize).toBe(4);
  });
});
