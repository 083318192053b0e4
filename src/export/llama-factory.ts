import type { AssistantMessage, Message } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import { CruxError, errorText } from '../errors.ts';
import type { RowFinding } from './finding.ts';
import { type ExportFacts, type ExportFormat, leftOut, type OutputFile, type PairRows } from './format.ts';
import { unwrapThink } from './thought.ts';
import type { PairLengths } from './token-length.ts';
import { exactArguments } from './tool-arguments.ts';
import {
  beta,
  collapseChecks,
  learningRate,
  maxLengthSetting,
  sftWeight,
  suggestedMaxLength,
} from './training-advice.ts';

type Turn = { from: 'human' | 'gpt' | 'function_call' | 'observation'; value: string };

const dataSetName = 'crux_pairs';
const indexFile = 'dataset_info.json';

/**
 * Preference rows of LLaMA-Factory in its sharegpt form. It wants turns of the user's side and of the model's side in strict alternation, an odd
 * number of them, and one turn a side; whatever breaks this is skipped there with a line in the log, so it is merged or left out here.
 */
export const llamaFactory: ExportFormat = {
  name: 'llama-factory',
  description: 'LLaMA-Factory (sharegpt ranking): JSON Lines with dataset_info.json',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: 2048,
  rendersChatTemplate: false,
  rows,
  lintLengths,
  lintAll: () => [],
  companions,
  advice,
};

function rows(pair: Pair): PairRows {
  const findings: RowFinding[] = [];

  if (pair.chosen.length !== 1 || pair.rejected.length !== 1) {
    return leftOut('llama-factory/several-turns', 'A side has several turns; LLaMA-Factory takes a single one.');
  }
  const firstTurn = pair.prompt.findIndex((message) => message.role !== 'system');
  const system = pair.prompt
    .slice(0, firstTurn)
    .map((message) => message.content)
    .join('\n\n');
  const body = pair.prompt.slice(firstTurn);
  if (body.some((message) => message.role === 'system')) {
    return leftOut(
      'llama-factory/late-system',
      'A system message stands within the conversation; LLaMA-Factory knows one at the start only.',
    );
  }
  const conversations: Turn[] = [];
  const merged = new Set<string>();
  for (const message of body) {
    const turn = turnOf(message);
    if (turn === null) return leftOut('llama-factory/arguments-not-json', argumentsReason);
    const last = conversations.at(-1);
    if (last === undefined || isModelTurn(last) !== isModelTurn(turn)) conversations.push(turn);
    else if (isModelTurn(turn)) {
      return leftOut(
        'llama-factory/two-assistant-turns',
        'Two assistant messages stand in a row; LLaMA-Factory would skip the row.',
      );
    } else {
      merged.add(`${last.from} and ${turn.from}`);
      conversations[conversations.length - 1] = { from: last.from, value: `${last.value}\n${turn.value}` };
    }
  }
  if (merged.size > 0) {
    findings.push({
      rule: 'llama-factory/merged-turns',
      effect: 'rewritten',
      reason: `Turns in a row were merged (${[...merged].join(', ')}): LLaMA-Factory skips rows whose sides do not alternate.`,
    });
  }
  if (isModelTurn(conversations[0]!)) {
    return leftOut(
      'llama-factory/starts-with-assistant',
      'The conversation starts with an assistant message; LLaMA-Factory would skip the row.',
    );
  }
  const chosen = turnOf(pair.chosen[0]!);
  const rejected = turnOf(pair.rejected[0]!);
  if (chosen === null || rejected === null) return leftOut('llama-factory/arguments-not-json', argumentsReason);
  if (
    [...conversations, chosen, rejected].some(
      (turn) => turn.from === 'function_call' && turn.value.startsWith('<think>'),
    )
  ) {
    findings.push({
      rule: 'llama-factory/thought-in-tags',
      effect: 'warning',
      reason:
        'The text beside a tool call stands in <think> tags before its JSON, the only text allowed there. Whether it reaches the model as thought depends on the template: use a reasoning template with these tags, --thought drop, or --tools-as-text.',
    });
  }
  const tools = pair.tools.length === 0 ? '' : JSON.stringify(pair.tools.map((tool) => tool.function));
  return { rows: [{ pair_id: pair.id, conversations, chosen, rejected, system, tools }], findings };
}

const argumentsReason =
  'The arguments of a tool call are no JSON object; LLaMA-Factory stops with an error at such a function_call turn. --tools-as-text holds them as they are.';

/** @returns null when a tool call's arguments are no JSON object */
function turnOf(message: Message): Turn | null {
  if (message.role === 'assistant')
    return message.tool_calls?.length ? functionCallTurn(message) : { from: 'gpt', value: message.content ?? '' };
  return { from: message.role === 'tool' ? 'observation' : 'human', value: message.content };
}

function functionCallTurn(message: AssistantMessage): Turn | null {
  const calls = message.tool_calls!.map((call) => ({ name: call.function.name, arguments: exactArguments(call) }));
  if (calls.some((call) => call.arguments === null)) return null;
  const json = JSON.stringify(calls.length === 1 ? calls[0] : calls);
  const thought = unwrapThink(message.content ?? '').trim();
  // Exactly these line breaks: LLaMA-Factory looks for them.
  return { from: 'function_call', value: thought === '' ? json : `<think>\n${thought}\n</think>\n\n${json}` };
}

function isModelTurn(turn: Turn): boolean {
  return turn.from === 'gpt' || turn.from === 'function_call';
}

function lintLengths(lengths: PairLengths, maxLength: number): RowFinding[] {
  const side = Math.max(lengths.chosen, lengths.rejected);
  const over = lengths.prompt + side - maxLength;
  if (over <= 0) return [];
  // It keeps a side whole while it takes less than half of the limit, and shortens both in proportion otherwise, unless the prompt is short.
  if (side * 2 < maxLength) {
    return [
      {
        rule: 'llama-factory/prompt-cut',
        effect: 'truncated',
        reason: `Prompt and longer side have about ${lengths.prompt + side} tokens; at cutoff_len ${maxLength} the last ${over} of the prompt are cut, which is the newest observation.`,
      },
    ];
  }
  return [
    {
      rule: 'llama-factory/side-cut',
      effect: 'truncated',
      reason: `The longer side has about ${side} tokens, at least half of cutoff_len ${maxLength}: its end is cut${lengths.prompt * 2 < maxLength ? '' : ', and the end of the prompt'}.`,
    },
  ];
}

function companions(facts: ExportFacts, existing: (name: string) => string | null): OutputFile[] {
  const entry = {
    file_name: facts.rowsFile,
    formatting: 'sharegpt',
    ranking: true,
    columns: { messages: 'conversations', chosen: 'chosen', rejected: 'rejected', system: 'system', tools: 'tools' },
  };
  return [
    {
      name: indexFile,
      text: `${JSON.stringify({ ...otherDataSets(existing(indexFile)), [dataSetName]: entry }, null, 2)}\n`,
    },
  ];
}

/** Entries of an index that is already there: the folder may be LLaMA-Factory's own data folder, whose other data sets must stay. */
function otherDataSets(text: string | null): object {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    throw new TypeError('it holds no JSON object');
  } catch (error) {
    throw new CruxError(
      'User.Config',
      `${indexFile} in the output folder cannot be read (${errorText(error)}), so its entries could not be kept`,
      {
        remedy: 'Repair or remove it, or name another folder.',
        cause: error,
      },
    );
  }
}

function advice(facts: ExportFacts): ReturnType<ExportFormat['advice']> {
  const maxLength = suggestedMaxLength(facts.lengths);
  return {
    settings: {
      pref_beta: beta,
      learning_rate: learningRate,
      pref_loss: { value: 'sigmoid', source: 'DPO' },
      pref_ftx: sftWeight,
      cutoff_len: maxLengthSetting(facts.lengths),
    },
    checks: [
      `Compare the number of examples that LLaMA-Factory logs with ${facts.rows}: it skips rows that it cannot read.`,
      "Lengths here are those of the chat template, not of LLaMA-Factory's own template: leave some room in cutoff_len.",
      ...collapseChecks,
    ],
    example: {
      language: 'yaml',
      text: `stage: dpo
do_train: true
dataset: ${dataSetName}
dataset_dir: .  # this folder, or add the entry of ${indexFile} to your own
template: <the template of your model>
pref_loss: sigmoid
pref_beta: ${beta.value}
pref_ftx: ${Number(sftWeight.value).toFixed(1)}
learning_rate: 5.0e-7
cutoff_len: ${maxLength ?? 2048}
`,
    },
  };
}
