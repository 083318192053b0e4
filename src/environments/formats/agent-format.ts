/**
 * How actions are written in messages: native tool calls, or ReAct text. The format is separate from the environment, which knows only parsed
 * actions, and from the model. A malformed message is the policy's own behaviour: a hint says what is wrong, and the turn is used up.
 */
import type { Action, AgentFormatName, Call, CallRule, ParsedMessage } from '../../domain/action.ts';
import type { Json } from '../../domain/canonical-json.ts';
import type { AssistantMessage, Message, OpeningMessage, Tool, ToolCall } from '../../domain/message.ts';
import type { Environment, TextFormat } from '../contract.ts';

export type AgentFormat = {
  /** Messages of a task's first state. */
  opening(messages: readonly OpeningMessage[]): Message[];
  /** Tools to offer natively; empty for text. */
  tools: Tool[];
  parse(message: AssistantMessage): ParsedMessage;
  /** @param step number of the step that the message is, from 1: it numbers the tool calls */
  render(thought: string, actions: readonly Action[], step: number): AssistantMessage;
  /** Messages that tell the agent what came of its calls. @param results in the order of the calls that `parse` reads */
  observation(message: AssistantMessage, results: readonly string[]): Message[];
  /** A new conversation in place of the old one. @throws Error for one that the format cannot hold */
  conversation(messages: readonly Message[]): Message[];
  /** What a result says of tools that changed; empty where they are offered natively, or the environment's own form describes them. */
  toolsNote(tools: readonly Tool[]): string;
};

export type FormatOptions = {
  /** Tools of the state. Default: the environment's. */
  tools?: readonly Tool[];
  /** Which calls of a message are executed. Default `all`. */
  calls?: CallRule;
};

export function agentFormat(environment: Environment, name: AgentFormatName, options: FormatOptions = {}): AgentFormat {
  const tools = [...(options.tools ?? environment.tools ?? [])];
  return name === 'tools'
    ? toolFormat(tools, options.calls === 'first')
    : textFormat(environment.textFormat ?? reactText(tools), environment.textFormat ? null : tools);
}

const notTheFirst = 'Not executed: only the first tool call of a message is.';

function toolFormat(tools: Tool[], isFirstOnly: boolean): AgentFormat {
  const names = tools.map((tool) => tool.function.name);
  const parseCall = ({ function: { name, arguments: text } }: ToolCall): Call => {
    if (!names.includes(name))
      return { kind: 'malformed', hint: `There is no tool "${name}". Call one of: ${names.join(', ')}.` };
    const parameters = readObject(text);
    if (!parameters) return { kind: 'malformed', hint: `The arguments of ${name} are not a JSON object.` };
    return { kind: 'action', action: { tool: name, arguments: parameters } };
  };
  return {
    tools,
    opening: (messages) => [...messages],
    parse(message) {
      const thought = message.content ?? '';
      const calls = message.tool_calls ?? [];
      if (calls.length === 0)
        return {
          thought,
          calls: [{ kind: 'malformed', hint: `No tool was called. Call one of: ${names.join(', ')}.` }],
        };
      return { thought, calls: (isFirstOnly ? calls.slice(0, 1) : calls).map(parseCall) };
    },
    render: (thought, actions, step) => ({
      role: 'assistant',
      content: thought || null,
      tool_calls: actions.map((action, index) => ({
        id: `call_${step}_${index}`,
        type: 'function',
        function: { name: action.tool, arguments: JSON.stringify(action.arguments) },
      })),
    }),
    observation({ tool_calls: calls = [] }, results) {
      if (calls.length === 0) return [{ role: 'user', content: results[0]! }];
      return calls.map(({ id }, index) => ({
        role: 'tool',
        tool_call_id: id,
        content: results[index] ?? notTheFirst,
      }));
    },
    conversation: (messages) => [...messages],
    toolsNote: () => '',
  };
}

/** @param described tools that the form's instructions list; null where the environment's own form says what can be done */
function textFormat(text: TextFormat, described: Tool[] | null): AgentFormat {
  const ours = ownWords(text);
  // A weak model repeats what it reads: the echo of an instruction or a hint is no action.
  const withoutEcho = (content: string) => ours.reduce((rest, own) => rest.replaceAll(own, ''), content);
  return {
    tools: [],
    opening: (messages) => withInstructions(messages, text.instructions),
    parse(message) {
      const parsed = text.parse(withoutEcho(message.content ?? ''));
      if (parsed.kind === 'malformed') return { thought: '', calls: [parsed] };
      return { thought: parsed.thought, calls: [{ kind: 'action', action: parsed.action }] };
    },
    render: (thought, [action]) => ({ role: 'assistant', content: text.render(thought, action!) }),
    observation: (_message, [result]) => [{ role: 'user', content: `${text.observationPrefix}${result}` }],
    conversation(messages) {
      const isCall = (message: Message) =>
        message.role === 'tool' || (message.role === 'assistant' && message.tool_calls);
      if (messages.some(isCall))
        throw new Error('its new conversation holds tool calls, and the agent of this run writes its actions as text');
      // The environment knows nothing of the form, unless it is its own.
      const isTold = messages.some(({ content }) => content?.includes(text.instructions));
      return isTold ? [...messages] : withInstructions(messages, text.instructions);
    },
    toolsNote: (tools) => (described === null ? '' : [toolsAreNow, ...toolLines(tools)].join('\n')),
  };
}

/** At the end of the system message; in one of its own, if the opening has none. */
function withInstructions(messages: readonly Message[], instructions: string): Message[] {
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: instructions }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${instructions}` }, ...rest];
}

export const generalObservationPrefix = 'Observation: ';

/** Everything that a model reads about a form: the instructions, and the reply to a message that holds no action. */
function ownWords(text: TextFormat): string[] {
  const nothing = text.parse('');
  const hints = nothing.kind === 'malformed' ? [nothing.hint, nothing.firstHint ?? ''] : [];
  return [text.instructions, ...hints].filter((own) => own.trim() !== '');
}

/** The general ReAct form, for environments that prescribe none. Source of the idea: ReAct, arXiv 2210.03629. */
function reactText(tools: Tool[]): TextFormat {
  const names = tools.map((tool) => tool.function.name);
  const hint = `Write "Thought: …", then "Action: <tool>", then "Action Input: <JSON object>". Tools: ${names.join(', ')}.`;
  return {
    observationPrefix: generalObservationPrefix,
    instructions: [
      'You work in steps. In each step write exactly:',
      'Thought: what you think\nAction: the name of one tool\nAction Input: its arguments as a JSON object',
      `Then stop: you are told the observation. ${toolsAre}`,
      ...toolLines(tools),
    ].join('\n'),
    parse(content) {
      const found = findAction(content.replaceAll('\r\n', '\n').split('\n'));
      const parameters = found && readObject(found.input);
      if (!found || !names.includes(found.tool) || !parameters) return { kind: 'malformed', hint };
      return { kind: 'action', thought: found.thought, action: { tool: found.tool, arguments: parameters } };
    },
    render: (thought, action) =>
      `Thought: ${thought}\nAction: ${action.tool}\nAction Input: ${JSON.stringify(action.arguments)}`,
  };
}

const [toolsAre, toolsAreNow] = ['The tools are:', 'The tools are now:'];

function toolLines(tools: readonly Tool[]): string[] {
  return tools.map(
    ({ function: tool }) => `- ${tool.name}: ${tool.description} Input: ${JSON.stringify(tool.parameters)}`,
  );
}

/** The tools that the general ReAct form described last; null if no message describes any. */
export function describedTools(messages: readonly Message[]): Tool[] | null {
  for (const { role, content } of messages.toReversed()) {
    if (role === 'assistant' || content === null) continue;
    const heading = [...content.matchAll(/The tools are(?: now)?:\n(?=- )/g)].at(-1);
    if (!heading) continue;
    const lines = content.slice(heading.index + heading[0].length).matchAll(/^- (\S+): ([\s\S]*?) Input: (\{.*\})$/gm);
    return [...lines].map(([, name, description, parameters]) => ({
      type: 'function',
      function: { name: name!, description: description!, parameters: readObject(parameters!) ?? {} },
    }));
  }
  return null;
}

/**
 * The first line `Action:` that is followed by a line `Action Input:`, and what stands before and after them. Searches line by line: one
 * regular expression for the whole takes minutes on the thousands of empty lines that a derailed model writes.
 */
function findAction(lines: string[]): { thought: string; tool: string; input: string } | null {
  const written = lines.map((line, index) => ({ line, index })).filter(({ line }) => line.trim() !== '');
  for (const [position, { line, index }] of written.entries()) {
    const next = written[position + 1];
    if (!line.startsWith('Action:') || !next?.line.startsWith('Action Input:')) continue;
    return {
      thought: withoutLabel(lines.slice(0, index).join('\n')),
      tool: line.slice('Action:'.length).trim(),
      input: lines.slice(next.index).join('\n').slice('Action Input:'.length).trimStart(),
    };
  }
  return null;
}

function withoutLabel(before: string): string {
  const text = before.trim();
  const label = text.startsWith('Thought:') ? 0 : text.indexOf('\nThought:') + 1;
  return label === 0 && !text.startsWith('Thought:') ? text : text.slice(label + 'Thought:'.length).trim();
}

/** The JSON object that a text starts with; null when it starts with none. What follows it is the model's own invention. */
function readObject(text: string): { [name: string]: Json } | null {
  try {
    const value = JSON.parse(text.slice(0, endOfObject(text))) as Json;
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as { [name: string]: Json })
      : null;
  } catch {
    return null;
  }
}

/** Where the first brace of a text is closed, ignoring braces in strings; the whole length if it never is. */
function endOfObject(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++;
    if (token === '}' && --depth === 0) return index + 1;
  }
  return text.length;
}
