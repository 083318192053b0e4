// Layer: one function over real files.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countParameters } from '../../src/training/count-parameters.ts';
import { temporaryFolder } from '../helpers/store.ts';

function weights(folder: string, name: string, shapes: { [tensor: string]: number[] }): void {
  const tensors = Object.entries(shapes).map(([tensor, shape]) => [
    tensor,
    { dtype: 'F32', shape, data_offsets: [0, 0] },
  ]);
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(tensors) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(folder, name), Buffer.concat([length, header]));
}

it('adds up the tensors of all files of weights, adapters apart', async () => {
  const folder = temporaryFolder();
  weights(folder, 'model-00001-of-00002.safetensors', { embed: [10, 4], scale: [] });
  weights(folder, 'model-00002-of-00002.safetensors', { head: [4, 10] });
  weights(folder, 'adapter_model.safetensors', { a: [7] });
  expect(await countParameters(folder)).toBe(81);
});

it('counts the model under an adapter', async () => {
  const [base, adapter] = [temporaryFolder(), temporaryFolder()];
  weights(base, 'model.safetensors', { embed: [10, 4] });
  weights(adapter, 'adapter_model.safetensors', { a: [7] });
  writeFileSync(join(adapter, 'adapter_config.json'), JSON.stringify({ base_model_name_or_path: base }));
  expect(await countParameters(adapter)).toBe(40);
});

it('says nothing of a folder without such files, of a broken file, and of a name', async () => {
  const folder = temporaryFolder();
  expect(await countParameters(folder)).toBeNull();
  writeFileSync(join(folder, 'model.safetensors'), 'short');
  expect(await countParameters(folder)).toBeNull();
  expect(await countParameters('org/model')).toBeNull();
});
