/** The pages of the methods that mine nothing. */
import type { EvaluateOptions } from './evaluate.ts';
import { evaluate } from './evaluate-page.ts';
import type { RftOptions } from './rft.ts';
import { rft } from './rft-page.ts';
import type { Sampling } from './sampling.ts';
import type { SftOptions } from './sft.ts';
import { sft } from './sft-page.ts';

type SamplingOptions = { evaluate: EvaluateOptions; rft: RftOptions; sft: SftOptions };

export const samplingPages: {
  [name in keyof SamplingOptions]: (task: Sampling, options: SamplingOptions[name]) => Promise<void>;
} = { evaluate, rft, sft };
