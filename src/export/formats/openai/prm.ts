import type { ProcessExample } from '../../../domain/example.ts';
import { promptVersions, scoreRequest } from '../../../models/prompts.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows } from '../../format.ts';
import { maxLengthSetting, type TrainingAdvice } from '../../training-advice.ts';
import { lintOpenAiLengths, openAiNotes } from './chat.ts';

/**
 * Chat rows that train a judge: a run's very request to its process reward model, answered with the outcome of the rollouts. The trained model can
 * replace the judge as it is.
 */
export const openaiPrm: ExportFormat<ProcessExample> = {
  name: 'openai-prm',
  of: 'action',
  description: "OpenAI-style chat fine-tuning of a judge: a run's own scoring requests, answered with the outcomes",
  rowsFile: 'actions.jsonl',
  defaultMaxLength: null,
  rendersChatTemplate: false,
  rows,
  conversationOf,
  lintLengths: lintOpenAiLengths,
  lintAll,
  companions: () => [],
  advice,
};

function conversationOf({ prompt, tools, action, outcome, rubric, wording }: ProcessExample): Conversation {
  // The reason stays empty: no model wrote one, and the trained model would learn an invented one.
  const content = JSON.stringify({ score: Number(outcome.toFixed(2)), reason: '' });
  const version = wording ?? promptVersions.score;
  const { messages } = scoreRequest(prompt, tools, action, { version, ...(rubric !== undefined && { rubric }) });
  return { prompt: messages, tools: [], sides: [[{ role: 'assistant', content }]] };
}

function rows(item: ProcessExample): ItemRows {
  const { prompt, sides } = conversationOf(item);
  return { rows: [{ messages: [...prompt, ...sides.flat()] }], findings: [] };
}

function lintAll(all: readonly object[]): RowFinding[] {
  return [
    ...openAiNotes(all),
    {
      rule: 'openai/weights-unused',
      effect: 'note',
      reason:
        'The services know no weights of rows: they count alike, though they were drawn with unlike probabilities. The weights are in sources.jsonl.',
    },
  ];
}

function advice(facts: ExportFacts): TrainingAdvice {
  return {
    settings: {
      n_epochs: { value: 'auto', source: 'no paper used here trains a judge on rollouts' },
      max_length: maxLengthSetting(facts.lengths),
    },
    checks: [
      'The answers teach scores without reasons, so the trained judge gives none.',
      'Judge it by AUC and a reliability curve on held-out groups of tasks, under temperature 0.',
    ],
    example: { language: 'json', text: `${JSON.stringify({ method: { type: 'supervised' } }, null, 2)}\n` },
  };
}
