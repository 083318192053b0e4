import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = process.env.CRUX_BENCHMARK_DATA ?? resolve(import.meta.dirname, '../../../shared/data');

/** Folder of real benchmark data, or null with a message on why the tests that need it are skipped. */
export function benchmarkData(folder: string): string | null {
  const path = resolve(root, folder);
  if (existsSync(path)) return path;
  console.warn(
    `Benchmark data "${folder}" is not here: its tests are skipped. Set CRUX_BENCHMARK_DATA to the folder that has it.`,
  );
  return null;
}
