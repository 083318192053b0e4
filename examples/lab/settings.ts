/** `settings.json` of a training folder, as `crux improve` writes it: for rounds by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Chosen by hand on seeds 100 and 101, with earlier forms of the shop: docs/lab.md. */
const hyperparameters = {
  sft: { learningRate: 3e-3, epochs: 3, batchSize: 4, warmup: 0.03 },
  dpo: { learningRate: 4e-4, epochs: 3, batchSize: 8, warmup: 0.1 },
};

/**
 * @param folder with the export in `data/`
 * @param base folder of the weights to begin with; also DPO's reference
 */
export function writeSettings(folder: string, loss: 'sft' | 'dpo', base: string, seed: number): void {
  const file = loss === 'sft' ? 'data/examples.jsonl' : 'data/pairs.jsonl';
  const settings = {
    schemaVersion: 1,
    run: 'by-hand',
    round: loss === 'sft' ? 0 : 1,
    loss,
    data: {
      file,
      format: loss === 'sft' ? 'trl-sft' : 'trl',
      rows: readFileSync(join(folder, file), 'utf8').split('\n').length - 1,
    },
    base: { from: base },
    reference: loss === 'dpo' ? { from: base } : null,
    seed,
    hyperparameters: {
      beta: 0.1,
      sftWeight: 1,
      maxLength: null,
      lora: null,
      checkpointEvery: null,
      collapse: 20,
      ...hyperparameters[loss],
    },
    sources: {},
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
}

if (import.meta.main) {
  const [folder, loss, base, seed] = process.argv.slice(2);
  writeSettings(folder!, loss as 'sft' | 'dpo', base!, Number(seed));
}
