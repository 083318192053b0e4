import { CruxError } from '../errors.ts';
import { cruxMasked } from './crux-masked.ts';
import type { ExportFormat } from './format.ts';
import { kto } from './kto.ts';
import { llamaFactory } from './llama-factory.ts';
import { openai } from './openai.ts';
import { trl } from './trl.ts';

export const exportFormats: readonly ExportFormat[] = [trl, kto, llamaFactory, openai, cruxMasked];

/** @throws CruxError `User.Config` for an unknown name */
export function findFormat(name: string): ExportFormat {
  const format = exportFormats.find((candidate) => candidate.name === name);
  if (format) return format;
  throw new CruxError('User.Config', `Unknown export format "${name}"`, {
    remedy: `Use one of: ${exportFormats.map((candidate) => candidate.name).join(', ')}.`,
  });
}
