import type { Example } from '../../../domain/example.ts';
import { wholeOf } from '../../conversation/conversation.ts';
import { lintHistory, refusePromptTurns, textTurns } from '../../conversation/text-turns.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows } from '../../format.ts';
import { exampleKind } from '../../kinds/example.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import {
  maxLengthSetting,
  sftChecks,
  sftSettings,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import { lintOpenRlhf, lintOpenRlhfLengths } from './pairs.ts';

/**
 * Whole conversations for OpenRLHF's train_sft with `--data.multiturn`, which trains on the model's turns only. It knows no tools, so their traffic
 * is text. It would train on the whole of a rendered text. Checked against openrlhf 0.11.
 */
export const openRlhfSft: ExportFormat<Example> = {
  name: 'openrlhf-sft',
  of: 'example',
  description: 'OpenRLHF train_sft, multi-turn: JSON Lines with message lists',
  rowsFile: 'examples.jsonl',
  defaultMaxLength: 2048,
  rendersChatTemplate: true,
  toolsAsText: () => true,
  rows,
  lintLengths,
  lintAll: (all, facts) => lintOpenRlhf(all, facts),
  companions: () => [],
  advice,
};

function rows(example: Example): ItemRows {
  const conversation = exampleKind.conversationOf(example);
  const refusal = refusePromptTurns(conversation, 'openrlhf');
  if (refusal !== null) return refusal;
  const input = textTurns(wholeOf(conversation));
  return { rows: [{ example_id: example.id, input }], findings: [] };
}

function lintLengths({ prompt, side, context, historyKept }: ItemLengths, maxLength: number): RowFinding[] {
  return [...lintOpenRlhfLengths(context, prompt + side, maxLength), ...lintHistory(historyKept, 'openrlhf')];
}

function advice(facts: ExportFacts): TrainingAdvice {
  return {
    settings: { ...sftSettings, 'data.max_len': maxLengthSetting(facts.lengths) },
    checks: [
      'Without --data.multiturn only the last turn is trained on.',
      `Compare the number of examples that OpenRLHF trains on with ${facts.rows}: a row whose last turn does not fit is dropped whole.`,
      ...sftChecks,
    ],
    example: {
      language: 'sh',
      text: `deepspeed --module openrlhf.cli.train_sft \\
  --model.model_name_or_path <your base model> --adam.lr 2e-5 --train.max_epochs 3 --train.batch_size 64 \\
  --data.dataset ${facts.rowsFile} --data.input_key input --data.apply_chat_template --data.multiturn \\
  --data.max_len ${suggestedMaxLength(facts.lengths) ?? '<longest row>'}
`,
    },
  };
}
