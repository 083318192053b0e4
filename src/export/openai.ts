import type { AssistantMessage, Message } from '../domain/message.ts';
import type { Pair } from '../domain/pair.ts';
import type { Finding, RowFinding } from './finding.ts';
import { type ExportFacts, type ExportFormat, leftOut, type PairRows } from './format.ts';
import type { PairLengths } from './token-length.ts';
import { plainArguments } from './tool-arguments.ts';
import { beta, maxLengthSetting } from './training-advice.ts';

/**
 * Preference rows as OpenAI defined them, read by Azure, Together and Fireworks too: `input`, `preferred_output`, `non_preferred_output`. The
 * service validates a whole file and refuses it for one bad row, so such rows are left out here. No further key is allowed, so pairs are told
 * apart by their line: line n of certificates.jsonl belongs to line n of the rows.
 */
export const openai: ExportFormat = {
  name: 'openai',
  description: 'OpenAI-style preference JSON Lines (OpenAI, Azure, Together, Fireworks)',
  rowsFile: 'pairs.jsonl',
  defaultMaxLength: null,
  rendersChatTemplate: false,
  rows,
  lintLengths,
  lintAll,
  companions: () => [],
  advice,
};

const toolName = /^[A-Za-z0-9_-]{1,64}$/;

function rows(pair: Pair): PairRows {
  if (pair.chosen.length !== 1 || pair.rejected.length !== 1) {
    return leftOut(
      'openai/several-turns',
      'A side has several turns; these services take exactly one assistant message a side.',
    );
  }
  const messages = [...pair.prompt, ...pair.chosen, ...pair.rejected];
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.tool_calls ?? []) : []));
  if (calls.some((call) => plainArguments(call) === null)) {
    return leftOut(
      'openai/arguments-not-json',
      'The arguments of a tool call are no JSON object; the file would be refused.',
    );
  }
  const badName = [...calls.map((call) => call.function.name), ...pair.tools.map((tool) => tool.function.name)].find(
    (name) => !toolName.test(name),
  );
  if (badName !== undefined) {
    return leftOut(
      'openai/tool-name',
      `The tool name "${badName}" is not made of 1 to 64 letters, digits, hyphens and underscores; the file would be refused.`,
    );
  }
  const unanswered = firstBrokenCall(pair.prompt);
  if (unanswered !== null) return leftOut('openai/unanswered-call', unanswered);

  const input: { [key: string]: unknown } = { messages: pair.prompt.map(writeMessage) };
  if (pair.tools.length > 0) {
    input.tools = pair.tools;
    input.parallel_tool_calls = true;
  }
  const row = {
    input,
    preferred_output: pair.chosen.map(writeMessage),
    non_preferred_output: pair.rejected.map(writeMessage),
  };
  return { rows: [row], findings: [] };
}

/** A call without a result, or a result without a call, as a sentence; null when all match. */
function firstBrokenCall(prompt: readonly Message[]): string | null {
  let open = new Set<string>();
  for (const message of prompt) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        return `The tool result ${message.tool_call_id} answers no call before it; the file would be refused.`;
      continue;
    }
    if (open.size > 0) return `The tool call ${[...open][0]} has no result; the file would be refused.`;
    if (message.role === 'assistant') open = new Set((message.tool_calls ?? []).map((call) => call.id));
  }
  return open.size > 0 ? `The tool call ${[...open][0]} has no result; the file would be refused.` : null;
}

/** A message with its keys in one fixed order. */
function writeMessage(message: Message): object {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.tool_call_id, content: message.content };
  const calls = (message as AssistantMessage).tool_calls;
  if (!calls?.length) return { role: message.role, content: message.content ?? '' };
  return {
    role: message.role,
    content: message.content,
    tool_calls: calls.map((call) => ({
      id: call.id,
      type: call.type,
      function: { name: call.function.name, arguments: call.function.arguments },
    })),
  };
}

function lintLengths(lengths: PairLengths, maxLength: number): RowFinding[] {
  const total = lengths.prompt + Math.max(lengths.chosen, lengths.rejected);
  if (total <= maxLength) return [];
  return [
    {
      rule: 'openai/too-long',
      effect: 'truncated',
      reason: `Prompt and longer side have about ${total} tokens, more than ${maxLength}: services cut or refuse such a row.`,
    },
  ];
}

function lintAll(allRows: readonly object[], facts: ExportFacts): Omit<Finding, 'pairId'>[] {
  const findings: Omit<Finding, 'pairId'>[] = [
    {
      rule: 'openai/availability',
      effect: 'note',
      reason:
        'OpenAI closed self-serve fine-tuning to new users in May 2026; Azure, Together and Fireworks take this form.',
    },
  ];
  if (allRows.length < 10) {
    findings.push({
      rule: 'openai/too-few-rows',
      effect: 'note',
      reason: `${allRows.length} rows: OpenAI refuses a file with fewer than 10, Fireworks with fewer than 3.`,
    });
  }
  if (facts.tools) {
    findings.push({
      rule: 'openai/fireworks-tool-turns',
      effect: 'note',
      reason: 'Fireworks documents system, user and assistant messages only: export with --tools-as-text for it.',
    });
  }
  return findings;
}

function advice(facts: ExportFacts): ReturnType<ExportFormat['advice']> {
  return {
    settings: {
      beta,
      learning_rate_multiplier: { value: 'auto', source: 'the service knows its own base rate; there is no SFT term' },
      max_length: maxLengthSetting(facts.lengths),
    },
    checks: [
      'Compare the number of examples that the service reports with the rows here.',
      'Watch the success on held-out tasks: preference accuracy looks fine in a collapse.',
    ],
    example: {
      language: 'json',
      text: `${JSON.stringify({ method: { type: 'dpo', dpo: { hyperparameters: { beta: beta.value } } } }, null, 2)}\n`,
    },
  };
}
