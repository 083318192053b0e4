import type { Pair } from '../../../domain/pairs/pair.ts';
import { hasSeveralTurns } from '../../conversation/conversation.ts';
import { type TextTurn, textTurns } from '../../conversation/text-turns.ts';
import type { RowFinding } from '../../finding.ts';
import { type ExportFacts, type ExportFormat, type ItemRows, leftOut, type RowOptions } from '../../format.ts';
import { pairKind } from '../../kinds/pair.ts';
import { renderedSides, renderingFindings } from '../../rendered-sides.ts';
import type { ItemLengths } from '../../tokens/length.ts';
import type { ChatTokenizer } from '../../tokens/tokenizer.ts';
import {
  beta,
  collapseChecks,
  learningRate,
  maxLengthSetting,
  sftWeight,
  suggestedMaxLength,
  type TrainingAdvice,
} from '../../training-advice.ts';
import { lintObservations } from '../trl/conversation.ts';

/** Text that may precede the content in a rendered turn. Axolotl would find the content there first. */
const wordsOnly = /^[\p{L}_|[\]<>/ ]{1,20}$/u;

/**
 * Preference rows of Axolotl (`rl: dpo`). With a tokenizer the texts are rendered here and pass through: its own strategies lose tools and calls, and
 * search for the side by its text. Without one the rows are for `chat_template.default`, with tool traffic as text. Checked against axolotl 0.19.
 */
export const axolotl: ExportFormat<Pair> = {
  name: 'axolotl',
  of: 'pair',
  description: 'Axolotl (rl: dpo): JSON Lines with axolotl.yml, rendered with --tokenizer',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: 512,
  rendersChatTemplate: true,
  toolsAsText: (tokenizer) => tokenizer === null,
  rows,
  lintLengths: (lengths, maxLength) => lintAxolotlLengths(lengths, maxLength),
  lintAll: lintAxolotl,
  companions: (facts) => [{ name: 'axolotl.yml', text: configuration(facts) }],
  advice,
};

function rows(pair: Pair, options: RowOptions, tokenizer: ChatTokenizer | null): ItemRows {
  const conversation = pairKind.conversationOf(pair);
  if (tokenizer !== null) {
    const findings = lintObservations(conversation, options, 'axolotl', 'Axolotl');
    if (findings.some(({ effect }) => effect === 'left-out')) return { rows: [], findings };
    const rendered = renderedSides(axolotl, conversation, tokenizer);
    if (rendered.refusal !== null) return rendered.refusal;
    const [chosen, rejected] = rendered.sides.map(({ text }) => text);
    return { rows: [{ pair_id: pair.id, prompt: rendered.prompt, chosen, rejected }], findings };
  }
  if (hasSeveralTurns(conversation)) {
    return leftOut(
      'axolotl/several-turns',
      'A side has several turns, of which Axolotl takes the last one only. Use crux-masked.',
    );
  }
  const sides = [pair.chosen, pair.rejected].map((side) => textTurns(side)[0]!);
  const { trimmed, findings } = trimSides(sides);
  const [chosen, rejected] = trimmed;
  return { rows: [{ pair_id: pair.id, messages: textTurns(pair.prompt), chosen, rejected }], findings };
}

/** Sides that Axolotl can find again in the rendered text. */
function trimSides(sides: readonly TextTurn[]): { trimmed: TextTurn[]; findings: RowFinding[] } {
  const findings: RowFinding[] = [];
  const trimmed = sides.map(({ role, content }) => ({ role, content: content.trim() }));
  if (trimmed.some(({ content }, index) => content !== sides[index]!.content)) {
    findings.push({
      rule: 'axolotl/trimmed',
      effect: 'rewritten',
      reason:
        'White space around a side was left away: most templates trim it, and Axolotl, which searches for the side, would keep its last character only.',
    });
  }
  if (trimmed.some(({ content }) => wordsOnly.test(content))) {
    findings.push({
      rule: 'axolotl/content-search',
      effect: 'warning',
      reason:
        'A side is a few plain words, which Axolotl may find in the tags before it and then train on those too. Export with --tokenizer.',
    });
  }
  return { trimmed, findings };
}

/** Rows over the limit are dropped whole by default (`excess_length_strategy`). */
export function lintAxolotlLengths({ prompt, side }: ItemLengths, maxLength: number): RowFinding[] {
  if (prompt + side <= maxLength) return [];
  return [
    {
      rule: 'axolotl/too-long',
      effect: 'dropped',
      reason: `The row has ${prompt + side} tokens; at sequence_len ${maxLength} Axolotl drops it with a line in its log.`,
    },
  ];
}

function lintAxolotl(all: readonly object[], { tokenizer }: ExportFacts): RowFinding[] {
  return renderingFindings('axolotl', all, tokenizer, {
    notRendered:
      'Axolotl renders the sides apart from the prompt and cuts them out by searching for their text. Export with --tokenizer for rows that pass through as they are.',
    endOfTurn: (eos) =>
      `The chat template does not end a turn with the end-of-text token ${eos}: the trainer adds that token to every side, so a row has one token more than was counted, and the model learns to write it.`,
  });
}

function configuration(facts: ExportFacts): string {
  const type = facts.tokenizer === null ? 'chat_template.default' : 'passthrough';
  return `rl: dpo
rl_beta: ${beta.value}
dpo_loss_type: [sigmoid, sft]
dpo_loss_weights: [1.0, ${Number(sftWeight.value).toFixed(1)}]
learning_rate: ${Number(learningRate.value).toExponential(1)}
sequence_len: ${suggestedMaxLength(facts.lengths) ?? 512}
datasets:
  - path: ${facts.rowsFile}
    ds_type: json
    split: train
    type: ${type}
${facts.tokenizer === null ? 'chat_template: tokenizer_default\n' : ''}`;
}

function advice(facts: ExportFacts): TrainingAdvice {
  return {
    settings: {
      rl_beta: beta,
      learning_rate: learningRate,
      dpo_loss_type: { value: ['sigmoid', 'sft'], source: 'the SFT term on the chosen side' },
      dpo_loss_weights: { value: [1, Number(sftWeight.value)], source: sftWeight.source },
      sequence_len: maxLengthSetting(facts.lengths),
    },
    checks: [
      'Start Axolotl in this folder, or write the full path of the rows into axolotl.yml, and add your base_model.',
      `Its log must name no dropped samples: ${facts.rows} rows go in.`,
      ...collapseChecks,
    ],
    example: { language: 'yaml', text: configuration(facts) },
  };
}
