import type { LengthSummary } from '../domain/lengths.ts';

/** A setting, and the source of its value. */
export type Setting = { value: string | number | boolean | (string | number)[] | null; source: string };

/** Our starting point for a training. We call none of it safe: single-action DPO can collapse at any setting. */
export type TrainingAdvice = {
  settings: { [name: string]: Setting };
  /** What to check before and while training. */
  checks: string[];
  /** Ready to paste; null if there is nothing to paste. */
  example: { language: string; text: string } | null;
};

/** β of single-action DPO. */
export const beta: Setting = { value: 0.5, source: 'CSO (arXiv 2602.03412)' };

/** The lowest published rate at this β; trajectory-level settings make single-action DPO collapse (ETO, table 4: 67.4 → 8.3 at 1e-6, β 0.1). */
export const learningRate: Setting = { value: 5e-7, source: 'ETO (arXiv 2403.02502), its later rounds at β 0.5' };

export const sftWeight: Setting = {
  value: 1,
  source:
    'IPR (arXiv 2406.11176) adds the SFT loss on the chosen side with the same weight; keeps its probability from falling',
};

const sftScripts = 'training scripts published with ETO (arXiv 2403.02502) and IPR (arXiv 2406.11176), Llama-2-7B';

/** Imitation of whole trajectories, all weights. */
export const sftSettings: { [name: string]: Setting } = {
  learning_rate: { value: 2e-5, source: sftScripts },
  epochs: { value: 3, source: sftScripts },
  batch_size: { value: 64, source: 'ETO, as above; IPR 48' },
  schedule: { value: 'cosine, warm-up over 3 % of the steps', source: sftScripts },
};

export const sftChecks: readonly string[] = [
  'Watch the success on held-out tasks, not the loss: three epochs over few tasks are soon learned by heart.',
  'Retraining with trajectories of the policy itself (RFT) starts from the base model, not from the last round.',
];

export const collapseChecks: readonly string[] = [
  'Watch the success on held-out tasks and `logps/chosen`: `rewards/accuracies` looks fine in a collapse.',
  'The reference model is the model at the start of the round (CSO, ETO).',
];

/**
 * The smallest limit that cuts no row: the longest row, with a quarter more if it is an estimate, rounded up to a multiple of 64.
 * @returns null if nothing was measured
 */
export function suggestedMaxLength(lengths: LengthSummary | null): number | null {
  if (lengths === null) return null;
  const margin = lengths.measuredBy === 'estimate' ? 1.25 : 1;
  // Plus one: TRL drops a prompt that is exactly as long as the limit.
  return Math.ceil((lengths.total.max * margin + 1) / 64) * 64;
}

export function maxLengthSetting(lengths: LengthSummary | null): Setting {
  return {
    value: suggestedMaxLength(lengths),
    source:
      lengths === null
        ? 'unknown: no row was measured'
        : lengths.measuredBy === 'tokenizer'
          ? 'longest row of this export, counted with the given tokenizer'
          : 'longest row of this export by estimate, plus a quarter; export with --tokenizer to know',
  };
}
