#!/usr/bin/env node
/** Stands in for a Python that runs crux_gguf.py: a model of table-model.ts becomes a file. Refuses as the script does if there is nothing to write. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(3);
const [root, out] = words.slice(-2);
const weights = join(root, 'weights.json');
if (!existsSync(weights)) {
  console.error(`crux_gguf: ${root} has no .safetensors file`);
  process.exit(2);
}
writeFileSync(out, JSON.stringify({ words: words.slice(0, -2), weights: JSON.parse(readFileSync(weights, 'utf8')) }));
