import type { Pair } from '../../../domain/pairs/pair.ts';
import { textTurns } from '../../conversation/text-turns.ts';
import type { RowFinding } from '../../finding.ts';
import type { ExportFacts, ExportFormat, ItemRows, RowOptions } from '../../format.ts';
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

/**
 * Preference rows of OpenRLHF. With a tokenizer the texts are rendered here: OpenRLHF knows no tools, and cuts the rendered whole at the length of
 * the prompt's text, whatever stands there. Without one the rows hold messages, with tool traffic as text. Checked against openrlhf 0.11.
 */
export const openRlhf: ExportFormat<Pair> = {
  name: 'openrlhf',
  of: 'pair',
  description: 'OpenRLHF train_dpo: JSON Lines, rendered with --tokenizer',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: 512,
  rendersChatTemplate: true,
  toolsAsText: (tokenizer) => tokenizer === null,
  rows,
  lintLengths,
  lintAll: lintOpenRlhf,
  companions: () => [],
  advice,
};

function rows(pair: Pair, options: RowOptions, tokenizer: ChatTokenizer | null): ItemRows {
  const conversation = pairKind.conversationOf(pair);
  const findings = lintObservations(conversation, options, 'openrlhf', 'OpenRLHF');
  if (findings.some(({ effect }) => effect === 'left-out')) return { rows: [], findings };
  if (tokenizer === null) {
    const [prompt, chosen, rejected] = [pair.prompt, pair.chosen, pair.rejected].map(textTurns);
    return { rows: [{ pair_id: pair.id, prompt, chosen, rejected }], findings };
  }
  const rendered = renderedSides(openRlhf, conversation, tokenizer);
  if (rendered.refusal !== null) return rendered.refusal;
  const [chosen, rejected] = rendered.sides.map(({ text }) => text);
  return { rows: [{ pair_id: pair.id, prompt: rendered.prompt, chosen, rejected }], findings };
}

function lintLengths(lengths: ItemLengths, maxLength: number): RowFinding[] {
  const findings = lintOpenRlhfLengths(lengths.prompt, lengths.prompt + lengths.side, maxLength);
  if (lengths.historyKept === false) {
    findings.push({
      rule: 'openrlhf/prompt-not-prefix',
      effect: 'damaged',
      reason:
        "The prompt's tokens do not start those of the whole row: OpenRLHF takes the side to start where the prompt alone would end.",
    });
  }
  return findings;
}

/** @param context number of tokens before the part that must not be cut away entirely */
export function lintOpenRlhfLengths(context: number, total: number, maxLength: number): RowFinding[] {
  if (context >= maxLength - 2) {
    const reason = `${context} tokens stand before the last turn; at data.max_len ${maxLength} OpenRLHF drops a row with ${maxLength - 2} or more.`;
    return [{ rule: 'openrlhf/prompt-too-long', effect: 'dropped', reason }];
  }
  if (total <= maxLength) return [];
  const reason = `The row has ${total} tokens; at data.max_len ${maxLength} its end is cut, and the last token left is overwritten with the end of text.`;
  return [{ rule: 'openrlhf/row-cut', effect: 'truncated', reason }];
}

/** What holds for pairs and examples alike. */
export function lintOpenRlhf(rows: readonly object[], { tokenizer }: ExportFacts): RowFinding[] {
  return renderingFindings('openrlhf', rows, tokenizer, {
    notRendered:
      'OpenRLHF renders these messages and cuts the parts out by the length of their text: a chat template that strips old thoughts shifts them unseen. Export with --tokenizer to know.',
    endOfTurn: (eos) =>
      `The chat template does not end a turn with the end-of-text token ${eos}: OpenRLHF adds a space and that token to every row, and the model learns to.`,
  });
}

function advice(facts: ExportFacts): TrainingAdvice {
  const maxLength = suggestedMaxLength(facts.lengths);
  const rendered = facts.tokenizer === null ? ' --data.apply_chat_template' : '';
  return {
    settings: {
      'model.beta': beta,
      'adam.lr': learningRate,
      'model.nll_loss_coef': sftWeight,
      'data.max_len': maxLengthSetting(facts.lengths),
    },
    checks: [
      `Compare the number of examples that OpenRLHF trains on with ${facts.rows}: it drops long prompts without a word, from 510 tokens on at its default data.max_len of 512.`,
      'It knows no tools: what the rows say of them stands in the prompt.',
      ...collapseChecks,
    ],
    example: {
      language: 'sh',
      text: `deepspeed --module openrlhf.cli.train_dpo \\
  --model.model_name_or_path <your policy> --model.beta ${beta.value} --model.nll_loss_coef ${Number(sftWeight.value).toFixed(1)} \\
  --adam.lr ${learningRate.value} --data.max_len ${maxLength ?? '<longest row>'} \\
  --data.dataset ${facts.rowsFile} --data.prompt_key prompt --data.chosen_key chosen --data.rejected_key rejected${rendered}
`,
    },
  };
}
