import type { ProcessExample } from '../../domain/example.ts';
import type { RowFinding } from '../finding.ts';
import type { ExportFormat, ItemRows } from '../format.ts';
import { outcomeError } from '../kinds/action.ts';
import type { ItemLengths } from '../tokens/length.ts';
import { maxLengthSetting, type TrainingAdvice } from '../training-advice.ts';
import { openAiMessage } from './openai/chat.ts';

/** Everything that is known about each action, for users' own trainers: the conversation as it was, and the outcome as a number. */
export const prm: ExportFormat<ProcessExample> = {
  name: 'prm',
  of: 'action',
  description: 'plain JSON Lines: conversation, action, outcome in [0, 1], rollouts, standard error, weight',
  rowsFile: 'actions.jsonl',
  defaultMaxLength: null,
  rendersChatTemplate: false,
  rows,
  lintLengths,
  lintAll: () => [],
  companions: () => [],
  advice: (facts): TrainingAdvice => ({
    settings: { max_length: maxLengthSetting(facts.lengths) },
    checks: [
      'Use `weight` wherever you average over rows: they were drawn with unlike probabilities. Leave rows without a weight out: theirs is unknown.',
      'Split by `group`, never by row: rows of a group share tasks.',
      'Outcomes are means of few rollouts: `standard_error` says how few.',
    ],
    example: null,
  }),
};

function rows(item: ProcessExample): ItemRows {
  const row = {
    action_id: item.id,
    task_id: item.taskId,
    group: item.group,
    split: item.split,
    step: item.step,
    messages: item.prompt.map(openAiMessage),
    tools: item.tools,
    action: openAiMessage(item.action),
    outcome: item.outcome,
    successes: item.successes,
    rollouts: item.rollouts,
    standard_error: outcomeError(item),
    score: item.score,
    weight: item.weight,
  };
  return { rows: [row], findings: [] };
}

function lintLengths({ prompt, side }: ItemLengths, maxLength: number): RowFinding[] {
  if (prompt + side <= maxLength) return [];
  const reason = `Conversation and action have about ${prompt + side} tokens, more than ${maxLength}.`;
  return [{ rule: 'prm/too-long', effect: 'truncated', reason }];
}
