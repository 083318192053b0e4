/** The calls of a message, taken one after another in the environment. */
import type { Action, Malformed, ParsedMessage } from '../../domain/action.ts';
import type { AssistantMessage, Message, UserMessage } from '../../domain/message.ts';
import { isRewriting } from '../../domain/observation.ts';
import { readObservation } from '../../domain/observation-limit.ts';
import type { AgentFormat } from '../../environments/formats/agent-format.ts';
import { type Position, positionAfter, type State, type Transition } from '../../store/tree.ts';

/** What came of a message's calls. */
export type CallsTaken = {
  /** Where the last executed call led; the state itself if none was. */
  reached: Position;
  /** What the agent reads. */
  observation: Message[];
  isRewritten: boolean;
  /** Tools that were called, in their order. */
  tools: string[];
  /** Characters that the limit left out. */
  leftOut: number;
  /** Of the last executed call; null if none was. */
  last: Transition | null;
};

export type CallOptions = {
  format: AgentFormat;
  observationLimit: number | null | undefined;
  hintOf(call: Malformed): string;
  /** A new conversation as the agent reads it where it stands then. */
  rewritten(position: Position, conversation: readonly Message[]): Message[];
  /** Takes one action in the environment. */
  step(position: Position, action: Action): Promise<Transition>;
};

const afterTheEnd = 'Not executed: the task was over before this call.';

/**
 * Executes the calls in their order until one ends the task, or puts a new conversation in place of the one that holds them. A malformed call is
 * answered with its hint, and the others are executed.
 */
export async function takeCalls(
  state: State,
  message: AssistantMessage,
  { calls }: ParsedMessage,
  { format, observationLimit, hintOf, rewritten, step }: CallOptions,
): Promise<CallsTaken> {
  const results: string[] = [];
  const said: UserMessage[] = [];
  const tools: string[] = [];
  let [reached, leftOut]: [Position, number] = [state, 0];
  let last: Transition | null = null;
  const cut = (text: string): string => {
    const read = readObservation(text, observationLimit);
    leftOut += read.leftOut;
    return read.text;
  };
  for (const call of calls) {
    if (last?.done) results.push(afterTheEnd);
    else if (call.kind === 'malformed') results.push(hintOf(call));
    else {
      last = await step(reached, call.action);
      tools.push(call.action.tool);
      reached = positionAfter(reached, call.action, last);
      const { observation } = last;
      if (isRewriting(observation)) {
        const conversation = rewritten(reached, observation.conversation);
        return { reached, observation: conversation, isRewritten: true, tools, leftOut, last };
      }
      const { result, messages } =
        typeof observation === 'string' ? { result: observation, messages: [] } : observation;
      const note = last.tools === null ? '' : format.toolsNote(last.tools);
      results.push([cut(result), note].filter((part) => part !== '').join('\n\n'));
      said.push(...messages.map(({ content }): UserMessage => ({ role: 'user', content: cut(content) })));
    }
  }
  const observation = [...format.observation(message, results), ...said];
  return { reached, observation, isRewritten: false, tools, leftOut, last };
}
