/** How large a model is. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { baseOfAdapter } from './adapter.ts';

/** A header is at most so long: https://github.com/huggingface/safetensors, "Format". */
const longestHeader = 100_000_000;

/**
 * Parameters of a model's folder, from the headers of its `.safetensors` files; of an adapter, those of the model under it. Null if there are no such
 * files, and for the name of a model on a hub.
 */
export async function countParameters(folder: string): Promise<number | null> {
  const names = await readdir(folder).catch(() => []);
  const weights = names.filter((name) => name.endsWith('.safetensors') && !name.startsWith('adapter_'));
  const base = weights.length === 0 ? baseOfAdapter(folder) : null;
  if (base !== null) return countParameters(base);
  const counts = await Promise.all(weights.map((name) => countIn(join(folder, name))));
  return counts.length === 0 || counts.includes(null) ? null : counts.reduce<number>((sum, count) => sum + count!, 0);
}

/** The file begins with the length of its header, in 8 bytes, and the header, which has the shape of each tensor. */
async function countIn(path: string): Promise<number | null> {
  const file = await open(path);
  try {
    const length = Number((await file.read({ buffer: Buffer.alloc(8), position: 0 })).buffer.readBigUInt64LE());
    if (length > longestHeader) return null;
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: 8 });
    const header = JSON.parse(buffer.toString('utf8')) as { [name: string]: { shape?: number[] } };
    const sizes = Object.values(header).map(({ shape }) => shape?.reduce((size, of) => size * of, 1) ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    return null;
  } finally {
    await file.close();
  }
}
