import type { Pair } from '../../../domain/pairs/pair.ts';
import type { ExportFacts, ExportFormat, ItemRows, RowOptions } from '../../format.ts';
import { pairKind } from '../../kinds/pair.ts';
import {
  beta,
  collapseChecks,
  learningRate,
  maxLengthSetting,
  sftWeight,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import {
  lintObservations,
  lintTrlLengths,
  lintTrlRows,
  type TrlConversation,
  trlConversation,
} from './conversation.ts';

/**
 * Preference rows of TRL's DPOTrainer (also CPO, ORPO and Unsloth): `prompt`, `chosen`, `rejected` as message lists, `tools` as JSON text, and
 * `pair_id`, which TRL ignores. Checked against trl 1.16 with datasets 5.2.
 */
export const trl: ExportFormat<Pair> = {
  name: 'trl',
  of: 'pair',
  description: 'TRL DPOTrainer (also CPO, ORPO, Unsloth): JSON Lines with message lists',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: 1024,
  rendersChatTemplate: true,
  rows,
  lintLengths: lintTrlLengths,
  lintAll: () => [],
  lintEach: lintTrlRows,
  companions: () => [],
  advice,
};

function rows(pair: Pair, options: RowOptions): ItemRows {
  const { sides, findings } = trlSides(pair, options);
  if (sides === null) return { rows: [], findings };
  const { prompt, chosen, rejected, tools } = sides;
  return { rows: [{ pair_id: pair.id, prompt, chosen, rejected, tools }], findings };
}

type TrlPair = Omit<TrlConversation, 'sides'> & {
  chosen: TrlConversation['prompt'];
  rejected: TrlConversation['prompt'];
};

/** The two sides as TRL takes them; null if the pair is left out. */
export function trlSides(pair: Pair, options: RowOptions): { sides: TrlPair | null; findings: ItemRows['findings'] } {
  const conversation = pairKind.conversationOf(pair);
  const observed = lintObservations(conversation, options, 'trl', 'TRL');
  if (observed.some(({ effect }) => effect === 'left-out')) return { sides: null, findings: observed };
  const { conversation: written, findings } = trlConversation(conversation, options);
  const all = [...observed, ...findings];
  if (written === null) return { sides: null, findings: all };
  const { prompt, tools, sides } = written;
  return { sides: { prompt, tools, chosen: sides[0]!, rejected: sides[1]! }, findings: all };
}

function advice(facts: ExportFacts): TrainingAdvice {
  const maxLength = suggestedMaxLength(facts.lengths);
  return {
    settings: {
      beta,
      learning_rate: learningRate,
      loss_type: {
        value: ['sigmoid', 'sft'],
        source: 'TRL ≥ 1.0: the SFT term on the chosen side (there is no rpo_alpha any more)',
      },
      loss_weights: { value: [1, Number(sftWeight.value)], source: sftWeight.source },
      max_length: maxLengthSetting(facts.lengths),
    },
    checks: [
      'After building the trainer, assert that `len(trainer.train_dataset)` is the number of rows: TRL drops long prompts without a word.',
      'Load the .jsonl with the features given here; never build the data with `Dataset.from_list`, which adds missing keys as null.',
      ...collapseChecks,
    ],
    example: {
      language: 'python',
      text: `from datasets import Features, Json, List, Value, load_dataset  # datasets >= 4.7
from trl import DPOConfig, DPOTrainer

features = Features({
    "pair_id": Value("string"), "prompt": List(Json()), "chosen": List(Json()),
    "rejected": List(Json()), "tools": Value("string"),
})
rows = load_dataset("json", data_files="${facts.rowsFile}", split="train", features=features)
trainer = DPOTrainer(
    model="<your policy>",
    args=DPOConfig(
        output_dir="dpo", beta=${beta.value}, learning_rate=${learningRate.value},
        loss_type=["sigmoid", "sft"], loss_weights=[1.0, ${Number(sftWeight.value).toFixed(1)}], max_length=${maxLength ?? 'None'},
    ),
    train_dataset=rows,
)
assert len(trainer.train_dataset) == ${facts.rows}
trainer.train()
`,
    },
  };
}
