import type { Example } from '../../../domain/example.ts';
import { wholeOf } from '../../conversation/conversation.ts';
import { refusePromptTurns } from '../../conversation/text-turns.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows, OutputFile } from '../../format.ts';
import { exampleKind } from '../../kinds/example.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import {
  maxLengthSetting,
  sftChecks,
  sftSettings,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import { dataSetIndex, lintThoughtInTags, sharegptConversation, sharegptTools } from './sharegpt.ts';

const dataSetName = 'crux_examples';

/** Whole conversations for LLaMA-Factory in its sharegpt form: it trains on every gpt and function_call turn. Checked against llamafactory 0.9.5. */
export const llamaFactorySft: ExportFormat<Example> = {
  name: 'llama-factory-sft',
  of: 'example',
  description: 'LLaMA-Factory SFT (sharegpt): JSON Lines with dataset_info.json',
  rowsFile: 'examples.jsonl',
  defaultMaxLength: 2048,
  rendersChatTemplate: false,
  rows,
  lintLengths,
  lintAll: () => [],
  companions,
  advice,
};

function rows(example: Example): ItemRows {
  const conversation = exampleKind.conversationOf(example);
  const refusal = refusePromptTurns(conversation, 'llama-factory');
  if (refusal !== null) return refusal;
  const { conversation: written, findings } = sharegptConversation(wholeOf(conversation));
  if (written === null) return { rows: [], findings };
  const { system, turns } = written;
  return {
    rows: [{ example_id: example.id, conversations: turns, system, tools: sharegptTools(example.tools) }],
    findings: [...findings, ...lintThoughtInTags(turns)],
  };
}

function lintLengths({ prompt, side }: ItemLengths, maxLength: number): RowFinding[] {
  if (prompt + side <= maxLength) return [];
  return [
    {
      rule: 'llama-factory/turns-cut',
      effect: 'truncated',
      reason: `The row has about ${prompt + side} tokens; at cutoff_len ${maxLength} the later turns are left away, with those that finished the task.`,
    },
  ];
}

function companions(facts: ExportFacts, existing: (name: string) => string | null): OutputFile[] {
  const columns = { messages: 'conversations', system: 'system', tools: 'tools' };
  return [dataSetIndex(dataSetName, { file_name: facts.rowsFile, formatting: 'sharegpt', columns }, existing)];
}

function advice(facts: ExportFacts): TrainingAdvice {
  return {
    settings: {
      ...sftSettings,
      mask_history: { value: false, source: 'its default; true would train on the last turn of each row only' },
      cutoff_len: maxLengthSetting(facts.lengths),
    },
    checks: [
      `Compare the number of examples that LLaMA-Factory logs with ${facts.rows}: it skips rows that it cannot read.`,
      "Lengths here are those of the chat template, not of LLaMA-Factory's own template: leave some room in cutoff_len.",
      ...sftChecks,
    ],
    example: {
      language: 'yaml',
      text: `stage: sft
do_train: true
dataset: ${dataSetName}
dataset_dir: .  # this folder, or add the entry of dataset_info.json to your own
template: <the template of your model>
learning_rate: 2.0e-5
num_train_epochs: 3
lr_scheduler_type: cosine
warmup_ratio: 0.03
cutoff_len: ${suggestedMaxLength(facts.lengths) ?? 2048}
`,
    },
  };
}
