import type { Example, ProcessExample } from '../domain/example.ts';
import type { Pair } from '../domain/pair.ts';
import { CruxError } from '../errors.ts';
import { agentGym } from './agent-gym.ts';
import { axolotl } from './axolotl.ts';
import { axolotlSft } from './axolotl-sft.ts';
import { cruxMasked } from './crux-masked.ts';
import { cruxMaskedSft } from './crux-masked-sft.ts';
import type { ExportFormat } from './format.ts';
import type { KindName } from './item.ts';
import { kto } from './kto.ts';
import { llamaFactory } from './llama-factory.ts';
import { llamaFactorySft } from './llama-factory-sft.ts';
import { openai } from './openai.ts';
import { openaiPrm } from './openai-prm.ts';
import { openaiSft } from './openai-sft.ts';
import { openRlhf } from './openrlhf.ts';
import { openRlhfSft } from './openrlhf-sft.ts';
import { prm } from './prm.ts';
import { trl } from './trl.ts';
import { trlPrm } from './trl-prm.ts';
import { trlSft } from './trl-sft.ts';

export const pairFormats: readonly ExportFormat<Pair>[] = [
  trl,
  kto,
  llamaFactory,
  openai,
  openRlhf,
  axolotl,
  cruxMasked,
];

export const exampleFormats: readonly ExportFormat<Example>[] = [
  trlSft,
  llamaFactorySft,
  openaiSft,
  openRlhfSft,
  axolotlSft,
  agentGym,
  cruxMaskedSft,
];

export const actionFormats: readonly ExportFormat<ProcessExample>[] = [trlPrm, prm, openaiPrm];

/** Every target, by what its rows are made of. */
export const exportFormats: readonly { name: string; of: KindName; description: string }[] = [
  ...pairFormats,
  ...exampleFormats,
  ...actionFormats,
];

/** @throws CruxError `User.Config` for a name that is not `among` them */
export function findFormat<Format extends { name: string; of: KindName }>(
  among: readonly Format[],
  name: string,
): Format {
  const format = among.find((candidate) => candidate.name === name);
  if (format) return format;
  const elsewhere = exportFormats.find((candidate) => candidate.name === name);
  const what = elsewhere ? `The format "${name}" is made of ${elsewhere.of}s` : `Unknown export format "${name}"`;
  throw new CruxError('User.Config', what, {
    remedy: `Use one of: ${among.map((candidate) => candidate.name).join(', ')}.`,
  });
}
