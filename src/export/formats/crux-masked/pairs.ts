import type { Pair } from '../../../domain/pairs/pair.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows, RowOptions } from '../../format.ts';
import { pairKind } from '../../kinds/pair.ts';
import { type LabelledSide, labelledSides } from '../../labelled-sides.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import type { ChatTokenizer } from '../../tokens/tokenizer.ts';
import {
  beta,
  collapseChecks,
  maxLengthSetting,
  sftWeight,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import { maskedTrainerPython } from './trainer.ts';

/**
 * Pairs as token ids with labels, for sides of several turns (ETO, the rest-of-trajectory pairs of IPR). Only the model's own turns after the shared
 * part are labelled, never an observation. A small TRL trainer that reads the labels comes with the rows.
 */
export const cruxMasked: ExportFormat<Pair> = {
  name: 'crux-masked',
  of: 'pair',
  description: 'token ids with labels, for pairs of several turns; comes with a TRL trainer (needs --tokenizer)',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: null,
  rendersChatTemplate: true,
  needsTokenizer: true,
  rows,
  lintLengths,
  lintAll: () => [],
  companions: () => [{ name: 'crux_masked.py', text: maskedTrainerPython }],
  advice,
};

function rows(pair: Pair, { maxLength }: RowOptions, tokenizer: ChatTokenizer | null): ItemRows {
  const { sides, refusal } = labelledSides(cruxMasked, pairKind.conversationOf(pair), tokenizer!);
  if (sides === null) return refusal;
  const [chosen, rejected] = sides.map(({ ids, labels, contextLength }) => ({
    ids: ids.slice(contextLength),
    labels: labels.slice(contextLength),
  }));
  return {
    rows: [
      {
        pair_id: pair.id,
        prompt_ids: sides[0]!.ids.slice(0, sides[0]!.contextLength),
        chosen_ids: chosen!.ids,
        chosen_labels: chosen!.labels,
        rejected_ids: rejected!.ids,
        rejected_labels: rejected!.labels,
      },
    ],
    findings: maxLength === null ? [] : lintLabels(sides, maxLength),
  };
}

/** What the sides share may be longer than the limit. */
function lintLabels(sides: readonly LabelledSide[], maxLength: number): RowFinding[] {
  if (sides.every(({ labels }) => labels.slice(0, maxLength).some((label) => label !== -100))) return [];
  const reason = `At max_length ${maxLength} no labelled token of a side is left: nothing of the row would be trained.`;
  return [{ rule: 'crux-masked/no-label-left', effect: 'dropped', reason }];
}

function lintLengths(lengths: ItemLengths, maxLength: number): RowFinding[] {
  const total = lengths.prompt + lengths.side;
  if (total <= maxLength) return [];
  return [
    {
      rule: 'crux-masked/side-cut',
      effect: 'truncated',
      reason: `Prompt and longer side have ${total} tokens; at max_length ${maxLength} the end is cut.`,
    },
  ];
}

function advice(facts: ExportFacts): TrainingAdvice {
  return {
    settings: {
      beta: { value: 0.1, source: 'ETO (arXiv 2403.02502), whole trajectories, first round; later rounds 0.5' },
      learning_rate: { value: 1e-6, source: 'ETO, first round; 5e-7 later. For single actions use 5e-7 with β 0.5' },
      loss_type: { value: ['sigmoid', 'sft'], source: 'IPR (arXiv 2406.11176): DPO and SFT' },
      loss_weights: { value: [1, Number(sftWeight.value)], source: sftWeight.source },
      max_length: maxLengthSetting(facts.lengths),
      single_action_beta: beta,
    },
    checks: ['Train with the very tokenizer that this export was made with: the ids are its own.', ...collapseChecks],
    example: {
      language: 'python',
      text: `from datasets import load_dataset
from transformers import AutoTokenizer
from trl import DPOConfig

from crux_masked import MaskedCollator, MaskedDPOTrainer

max_length = ${suggestedMaxLength(facts.lengths) ?? 'None'}
tokenizer = AutoTokenizer.from_pretrained("<your policy>")
trainer = MaskedDPOTrainer(
    model="<your policy>",
    args=DPOConfig(
        output_dir="dpo", beta=0.1, learning_rate=1e-6, loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, ${Number(sftWeight.value).toFixed(1)}], max_length=max_length,
    ),
    train_dataset=load_dataset("json", data_files="${facts.rowsFile}", split="train"),
    processing_class=tokenizer,
    data_collator=MaskedCollator(pad_token_id=tokenizer.pad_token_id, max_length=max_length),
)
assert len(trainer.train_dataset) == ${facts.rows}
trainer.train()
`,
    },
  };
}
