import type { Example } from '../../../domain/example.ts';
import { lintHistory, refusePromptTurns } from '../../conversation/text-turns.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows, RowOptions } from '../../format.ts';
import { exampleKind } from '../../kinds/example.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import {
  maxLengthSetting,
  sftChecks,
  sftSettings,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import { lintTrlRows, trlConversation } from './conversation.ts';

/** Whole conversations for TRL's SFTTrainer: `messages`, and `tools` as JSON text. Checked against trl 1.16. */
export const trlSft: ExportFormat<Example> = {
  name: 'trl-sft',
  of: 'example',
  description: 'TRL SFTTrainer: JSON Lines with message lists, for templates that mark generations',
  rowsFile: 'examples.jsonl',
  defaultMaxLength: 1024,
  rendersChatTemplate: true,
  rows,
  lintLengths,
  lintAll,
  lintEach: lintTrlRows,
  companions: () => [],
  advice,
};

function rows(example: Example, options: RowOptions): ItemRows {
  const conversation = exampleKind.conversationOf(example);
  const refusal = refusePromptTurns(conversation, 'trl');
  if (refusal !== null) return refusal;
  const { conversation: written, findings } = trlConversation(conversation, options);
  if (written === null) return { rows: [], findings };
  const { prompt, sides, tools } = written;
  return {
    rows: [{ example_id: example.id, messages: [...prompt, ...sides[0]!], tools }],
    findings,
  };
}

function lintLengths(lengths: ItemLengths, maxLength: number): RowFinding[] {
  const findings = lintHistory(lengths.historyKept, 'trl');
  const total = lengths.prompt + lengths.side;
  if (lengths.prompt >= maxLength) {
    findings.push({
      rule: 'trl/prompt-too-long',
      effect: 'dropped',
      reason: `The opening messages have ${lengths.prompt} tokens; at max_length ${maxLength} nothing of the model's turns is left, and TRL drops the row without a word.`,
    });
  } else if (total > maxLength) {
    findings.push({
      rule: 'trl/end-cut',
      effect: 'truncated',
      reason: `The row has ${total} tokens; at max_length ${maxLength} its end is cut, with the turns that finished the task.`,
    });
  }
  return findings;
}

function lintAll(all: readonly object[]): RowFinding[] {
  if (all.length === 0) return [];
  return [
    {
      rule: 'trl/assistant-only-loss',
      effect: 'note',
      reason:
        'assistant_only_loss is off by default, and TRL then trains on observations too. It needs a chat template with {% generation %} blocks, whose first and last characters must begin and end tokens: else the mask is wrong without a word. crux-masked-sft needs neither.',
    },
  ];
}

function advice(facts: ExportFacts): TrainingAdvice {
  const maxLength = suggestedMaxLength(facts.lengths);
  return {
    settings: {
      ...sftSettings,
      assistant_only_loss: { value: true, source: 'off by default: observations would be trained on' },
      max_length: maxLengthSetting(facts.lengths),
    },
    checks: [
      'After building the trainer, assert that `len(trainer.train_dataset)` is the number of rows: TRL drops rows without a trained token.',
      'Decode the labelled tokens of a row before you start: nothing but the turns of the model may be there, and each with its end.',
      ...sftChecks,
    ],
    example: {
      language: 'python',
      text: `from datasets import Features, Json, List, Value, load_dataset  # datasets >= 4.7
from trl import SFTConfig, SFTTrainer

features = Features({"example_id": Value("string"), "messages": List(Json()), "tools": Value("string")})
rows = load_dataset("json", data_files="${facts.rowsFile}", split="train", features=features)
trainer = SFTTrainer(
    model="<your base model>",
    args=SFTConfig(
        output_dir="sft", assistant_only_loss=True, learning_rate=2e-5, num_train_epochs=3,
        lr_scheduler_type="cosine", warmup_ratio=0.03, max_length=${maxLength ?? 'None'},
    ),
    train_dataset=rows,
)
assert len(trainer.train_dataset) == ${facts.rows}
row = trainer.train_dataset[0]
print(trainer.processing_class.decode([token for token in row["labels"] if token != -100]))
trainer.train()
`,
    },
  };
}
