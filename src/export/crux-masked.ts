import type { Message } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import { errorText } from '../errors.ts';
import { maskedTrainerPython } from './crux-masked-trainer.ts';
import type { RowFinding } from './finding.ts';
import { type ExportFacts, type ExportFormat, leftOut, type PairRows, type RowOptions } from './format.ts';
import { type TemplateMessage, templateMessages } from './hugging-face-messages.ts';
import type { PairLengths } from './token-length.ts';
import type { ChatTokenizer } from './tokenizer.ts';
import { plainArguments } from './tool-arguments.ts';
import { beta, collapseChecks, maxLengthSetting, sftWeight, suggestedMaxLength } from './training-advice.ts';

/** The label of a token that is not trained on, as in PyTorch's cross entropy. */
const ignored = -100;

/**
 * Pairs as token ids with labels, for sides of several turns (ETO, the rest-of-trajectory pairs of IPR): only the model's own turns after what both
 * sides share are labelled, never an observation. Comes with a small TRL trainer that reads the labels.
 */
export const cruxMasked: ExportFormat = {
  name: 'crux-masked',
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

function rows(pair: Pair, _options: RowOptions, tokenizer: ChatTokenizer | null): PairRows {
  const prompt = templateMessages(pair.prompt, plainArguments);
  const sides = [pair.chosen, pair.rejected].map((side) => templateMessages(side, plainArguments, pair.prompt));
  const [chosen, rejected] = sides;
  if (!prompt || !chosen || !rejected) {
    return leftOut(
      'crux-masked/arguments-not-json',
      'The arguments of a tool call are no JSON object, so the chat template cannot write them.',
    );
  }
  try {
    const shared = sharedMessages(pair.chosen, pair.rejected);
    const promptIds = tokenizer!.encode(tokenizer!.render(prompt, pair.tools, true));
    const labelled = [chosen, rejected].map((side) => labelSide(tokenizer!, pair, promptIds, prompt, side, shared));
    const [first, second] = labelled;
    if (!first || !second) {
      return leftOut(
        'crux-masked/template-rewrites-history',
        'The chat template writes earlier turns differently once later ones follow, so there is no one row of tokens that the policy saw. Use a template that keeps the history as it was.',
      );
    }
    return {
      rows: [
        {
          pair_id: pair.id,
          prompt_ids: promptIds,
          chosen_ids: first.ids,
          chosen_labels: first.labels,
          rejected_ids: second.ids,
          rejected_labels: second.labels,
        },
      ],
      findings: [],
    };
  } catch (error) {
    return leftOut('pair/template-refuses', `The chat template refuses the conversation: ${errorText(error)}`);
  }
}

/**
 * The tokens of a side after the prompt, labelled where the model wrote them: from the generation prompt of each of its turns to the end of the turn.
 * @param shared messages at the start of the side that the other side has too: not trained on, they say nothing about the preference
 * @returns null when the tokens up to some turn are not the start of the tokens of the whole
 */
function labelSide(
  tokenizer: ChatTokenizer,
  pair: Pair,
  promptIds: readonly number[],
  prompt: readonly TemplateMessage[],
  side: readonly TemplateMessage[],
  shared: number,
): { ids: number[]; labels: number[] } | null {
  const whole = [...prompt, ...side];
  const allIds = tokenizer.encode(tokenizer.render(whole, pair.tools, false));
  /** How many tokens the first `count` messages take; null when they are no start of the whole. */
  const lengthOf = (count: number, withGenerationPrompt: boolean): number | null => {
    const ids = tokenizer.encode(tokenizer.render(whole.slice(0, count), pair.tools, withGenerationPrompt));
    return ids.every((id, index) => allIds[index] === id) ? ids.length : null;
  };
  if (lengthOf(prompt.length, true) === null) return null;
  const labels = allIds.map(() => ignored);
  for (let index = prompt.length + shared; index < whole.length; index += 1) {
    if (whole[index]!.role !== 'assistant') continue;
    const start = lengthOf(index, true);
    const end = lengthOf(index + 1, false);
    if (start === null || end === null) return null;
    for (let position = start; position < end; position += 1) labels[position] = allIds[position]!;
  }
  return { ids: allIds.slice(promptIds.length), labels: labels.slice(promptIds.length) };
}

function sharedMessages(chosen: readonly Message[], rejected: readonly Message[]): number {
  const differing = chosen.findIndex((message, index) => JSON.stringify(message) !== JSON.stringify(rejected[index]));
  // A side that continues the other one shares all of the shorter; its last turn must still be trained on.
  return differing === -1 ? Math.max(0, chosen.length - 1) : Math.min(differing, Math.max(0, rejected.length - 1));
}

function lintLengths(lengths: PairLengths, maxLength: number): RowFinding[] {
  const total = lengths.prompt + Math.max(lengths.chosen, lengths.rejected);
  if (total <= maxLength) return [];
  return [
    {
      rule: 'crux-masked/side-cut',
      effect: 'truncated',
      reason: `Prompt and longer side have ${total} tokens; at max_length ${maxLength} the end is cut.`,
    },
  ];
}

function advice(facts: ExportFacts): ReturnType<ExportFormat['advice']> {
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
