import type { ProcessExample } from '../../../domain/example.ts';
import { messageText } from '../../../domain/message.ts';
import { plainText } from '../../../domain/plain-text.ts';
import type { RowFinding } from '../../finding.ts';
import { type ExportFacts, type ExportFormat, type ItemRows, leftOut, type RowOptions } from '../../format.ts';
import { actionKind } from '../../kinds/action.ts';
import { renderedSides } from '../../rendered-sides.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import type { ChatTokenizer } from '../../tokens/tokenizer.ts';
import { maxLengthSetting, suggestedMaxLength, type TrainingAdvice } from '../../training-advice.ts';

/**
 * Stepwise rows: `prompt`, `completions` (the one action) and `labels` (whether its outcome is 0.5 or more), text only. Read by TRL's PRMTrainer
 * up to trl 1.13 (later ones have none) and by Axolotl's `stepwise_supervised`. Checked against trl 1.13 and axolotl 0.19.
 */
export const trlPrm: ExportFormat<ProcessExample> = {
  name: 'trl-prm',
  of: 'action',
  description: 'stepwise rows with yes-or-no labels: TRL PRMTrainer (up to 1.13), Axolotl stepwise_supervised',
  rowsFile: 'actions.jsonl',
  defaultMaxLength: 1024,
  rendersChatTemplate: true,
  toolsAsText: (tokenizer) => tokenizer === null,
  rows,
  lintLengths,
  lintAll,
  companions: () => [],
  advice,
};

type Row = { completions: string[] };

function rows(item: ProcessExample, options: RowOptions, tokenizer: ChatTokenizer | null): ItemRows {
  if (item.outcome === 0.5 && options.ties === 'leave-out')
    return leftOut('trl-prm/tie', 'The outcome is 0.5, neither good nor bad, and ties are left out as asked.');
  const label = item.outcome === 0.5 ? options.ties === 'good' : item.outcome > 0.5;
  const row = (prompt: string, completion: string, findings: RowFinding[]): ItemRows => ({
    rows: [{ action_id: item.id, prompt, completions: [completion], labels: [label] }],
    findings,
  });
  if (tokenizer === null) {
    return row(`${plainText(item.prompt)}assistant: `, messageText(item.action), []);
  }
  const rendered = renderedSides(trlPrm, actionKind.conversationOf(item), tokenizer);
  if (rendered.refusal !== null) return rendered.refusal;
  const { bos } = tokenizer;
  if (bos === null || !rendered.prompt.startsWith(bos)) return row(rendered.prompt, rendered.sides[0]!.text, []);
  return row(rendered.prompt.slice(bos.length), rendered.sides[0]!.text, [
    {
      rule: 'trl-prm/beginning-of-text',
      effect: 'rewritten',
      reason: `The ${bos} that the chat template writes was left away: the trainer adds its own.`,
    },
  ]);
}

function lintLengths(lengths: ItemLengths, maxLength: number): RowFinding[] {
  const total = lengths.prompt + lengths.side;
  // The label stands on the separator after the action, the last token of the row.
  if (total + 1 <= maxLength) return [];
  return [
    {
      rule: 'trl-prm/label-cut',
      effect: 'dropped',
      reason: `The row has ${total + 1} tokens; at max_length ${maxLength} its end is cut, and with it the only label: nothing is learned from it.`,
    },
  ];
}

function lintAll(all: readonly object[], { tokenizer }: ExportFacts): RowFinding[] {
  const findings: RowFinding[] = [];
  if (all.length === 0) return findings;
  findings.push({
    rule: 'trl-prm/weights-unused',
    effect: 'note',
    reason:
      'The trainers know no weights: the rows count alike, though they were drawn with unlike probabilities. The weights are in sources.jsonl.',
  });
  if (tokenizer === null) {
    findings.push({
      rule: 'trl-prm/plain-text',
      effect: 'warning',
      reason:
        'Without --tokenizer the conversation is written as "role: text"; ask the trained model in the same form, or export with the tokenizer of the model to be trained.',
    });
  }
  const split = all.filter((row) => (row as Row).completions[0]!.trimEnd().includes('\n')).length;
  if (split > 0) {
    findings.push({
      rule: 'trl-prm/separator-inside',
      effect: 'note',
      reason: `${split} actions hold line breaks, the default step_separator: read the score after the whole action, not at the first break.`,
    });
  }
  return findings;
}

function advice(facts: ExportFacts): TrainingAdvice {
  const maxLength = suggestedMaxLength(facts.lengths);
  return {
    settings: {
      learning_rate: {
        value: 1e-5,
        source: "default of TRL's PRMConfig; no paper used here trains one on agents' actions",
      },
      max_length: maxLengthSetting(facts.lengths),
      step_separator: { value: '\n', source: 'default; the label stands on it' },
    },
    checks: [
      'Judge the model by AUC and a reliability curve on held-out groups of tasks, not by accuracy.',
      'Labels are rounded outcomes of a few rollouts: the `prm` format keeps the outcomes.',
    ],
    example: {
      language: 'python',
      text: `from datasets import load_dataset
from transformers import AutoModelForTokenClassification, AutoTokenizer
from trl.experimental.prm import PRMConfig, PRMTrainer  # trl <= 1.13

rows = load_dataset("json", data_files="${facts.rowsFile}", split="train")
trainer = PRMTrainer(
    model=AutoModelForTokenClassification.from_pretrained("<your base model>", num_labels=2),
    processing_class=AutoTokenizer.from_pretrained("<your base model>"),
    args=PRMConfig(output_dir="prm", learning_rate=1e-5, max_length=${maxLength ?? 'None'}),
    train_dataset=rows,
)
assert all(any(label != -100 for label in row["labels"]) for row in trainer.train_dataset)
trainer.train()
`,
    },
  };
}
