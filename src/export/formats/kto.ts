import type { Pair } from '../../domain/pairs/pair.ts';
import type { RowFinding } from '../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows, RowOptions } from '../format.ts';
import { collapseChecks, maxLengthSetting, suggestedMaxLength, type TrainingAdvice } from '../training-advice.ts';
import { lintTrlLengths, lintTrlRows } from './trl/conversation.ts';
import { trlSides } from './trl/pairs.ts';

/**
 * Unpaired rows of TRL's KTOTrainer: two a pair, the chosen side with label true, the rejected one with label false. Checked against trl 1.16.
 */
export const kto: ExportFormat<Pair> = {
  name: 'kto',
  of: 'pair',
  description: 'TRL KTOTrainer: JSON Lines with one labelled side a row',
  rowsFile: 'sides.jsonl',
  defaultMaxLength: 1024,
  rendersChatTemplate: true,
  rows,
  arrange,
  lintLengths: lintTrlLengths,
  lintAll,
  lintEach: lintTrlRows,
  companions: () => [],
  advice,
};

type Row = { label: boolean };

function rows(pair: Pair, options: RowOptions): ItemRows {
  const { sides, findings } = trlSides(pair, options);
  if (sides === null) return { rows: [], findings };
  const { prompt, tools } = sides;
  const row = (completion: object, label: boolean) => ({ pair_id: pair.id, prompt, completion, label, tools });
  return { rows: [row(sides.chosen, true), row(sides.rejected, false)], findings };
}

/**
 * All chosen sides first. TRL estimates the KL term from each prompt with its neighbour's completion. If both sides of a pair were neighbours, it
 * would take the pair's other side for a completion of another prompt.
 */
function arrange(all: readonly object[]): object[] {
  const labelled = all as readonly (object & Row)[];
  return [...labelled.filter(({ label }) => label), ...labelled.filter(({ label }) => !label)];
}

function lintAll(): RowFinding[] {
  return [
    {
      rule: 'kto/order',
      effect: 'note',
      reason:
        'Chosen sides come first, then rejected ones. TRL rotates completions within a batch for its KL term, so shuffle the rows and use a batch size above 1.',
    },
  ];
}

function advice(facts: ExportFacts): TrainingAdvice {
  const maxLength = suggestedMaxLength(facts.lengths);
  return {
    settings: {
      beta: { value: 0.1, source: 'default of TRL; no agent paper used here trains single actions with KTO' },
      learning_rate: { value: 5e-7, source: 'ours: as low as for DPO on single actions' },
      desirable_weight: { value: 1, source: 'as many chosen as rejected rows' },
      undesirable_weight: { value: 1, source: 'as many chosen as rejected rows' },
      max_length: maxLengthSetting(facts.lengths),
    },
    checks: [
      'Prefer DPO where you can: a row here no longer says which action was the alternative in the same state.',
      'After building the trainer, assert that `len(trainer.train_dataset)` is the number of rows: TRL drops long prompts without a word.',
      ...collapseChecks,
    ],
    example: {
      language: 'python',
      text: `from datasets import Features, Json, List, Value, load_dataset  # datasets >= 4.7
from trl import KTOConfig, KTOTrainer

features = Features({
    "pair_id": Value("string"), "prompt": List(Json()), "completion": List(Json()),
    "label": Value("bool"), "tools": Value("string"),
})
rows = load_dataset("json", data_files="${facts.rowsFile}", split="train", features=features).shuffle(seed=1)
trainer = KTOTrainer(
    model="<your policy>",
    args=KTOConfig(
        output_dir="kto", beta=0.1, learning_rate=5e-7, per_device_train_batch_size=8, max_length=${maxLength ?? 'None'},
    ),
    train_dataset=rows,
)
assert len(trainer.train_dataset) == ${facts.rows}
trainer.train()
`,
    },
  };
}
