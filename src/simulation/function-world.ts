/** A world whose models are functions of the conversation, for an environment whose right actions no script can name. */
import type { Action } from '../domain/action.ts';
import type { AskRequest } from '../domain/ask.ts';
import type { Message } from '../domain/message.ts';
import { errorText } from '../errors.ts';
import { isRecord } from './chat-request.ts';
import { readAction, readTurns, type TextForm, type Turn, writeProposal } from './conversation.ts';
import { digest } from './random.ts';
import { RequestError } from './request-error.ts';
import { type Agent, isGood, type Proposal, type Scene, type SimulatedWorld } from './world.ts';

/** The arguments of the functions. */
export type SimulatedConversation = {
  /** All messages. Guidance for an expert stands at the end of the system message. */
  messages: readonly Message[];
  /** The actions so far, each with the observation that followed it. */
  turns: readonly Turn[];
};

/** Further arguments for an agent. */
export type AgentConversation = SimulatedConversation & {
  /** In [0, 1], from the model's name: `sim-policy@skill=0.7`. */
  skill: number;
  /** A draw from [0, 1), fixed by the server's seed and the request. With `Math.random` no run could be repeated. */
  random(): number;
};

type AgentFunction = (conversation: AgentConversation) => { thought?: string; action: Action };

export type FunctionWorldDefinition = {
  /** Shown in errors. Default `functions`. */
  name?: string;
  /** The environment's own `textFormat`, if it has one. */
  textFormat?: TextForm;
  /** Whether a conversation is about one of this world's tasks. Default: every conversation with a user message is. */
  knows?(messages: readonly Message[]): boolean;
  /** Answers as `sim-policy`. It must return the answer itself and not a promise. */
  policy: AgentFunction;
  /** Answers as `sim-expert`. */
  expert: AgentFunction;
  /**
   * Answers as `sim-prm`: the score of an action, in [0, 1], sent as it is. No noise is added, and the model's `auc` has no effect.
   * @param action null for a message that holds none
   */
  prm(conversation: SimulatedConversation, action: Action | null): number;
  /** Answers as `sim-user` and `sim-grader` what sessions ask: usually the environment's own `simulatedReply`. */
  reply?(request: AskRequest): string;
};

export function functionWorld(definition: FunctionWorldDefinition): SimulatedWorld {
  const { name = 'functions', textFormat: native = null, knows = () => true } = definition;
  return {
    name,
    reply: (request) => definition.reply?.(request) ?? null,
    match(messages, tools) {
      const opening = messages.findIndex(({ role }) => role === 'user');
      if (opening < 0 || !knows(messages)) return null;
      const conversation: SimulatedConversation = { messages, turns: readTurns(messages, opening, native) };
      return {
        task: digest(messages[opening]!.content ?? ''),
        propose({ role, skill }: Agent, _seed, dice) {
          const said = call(role, () => definition[role]({ ...conversation, skill, random: dice.next }));
          return { ...readProposal(role, said), logprob: null };
        },
        write: (proposal) => writeProposal(proposal, messages, tools, native),
        judge(message) {
          const action = readAction(message, native);
          const score: unknown = call('prm', () => definition.prm(conversation, action));
          if (typeof score !== 'number' || !(score >= 0 && score <= 1))
            throw unusable('prm', `a number from 0 to 1, not ${shown(score)}`);
          return { quality: score, good: isGood(score), actionKey: JSON.stringify(action), score };
        },
      } satisfies Scene;
    },
  };
}

/** An error in a function is no transient fault: the request is refused, and clients do not retry it. */
function call<T>(who: keyof FunctionWorldDefinition, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new RequestError(400, 'simulation_error', `The function "${who}" failed: ${errorText(error)}`);
  }
}

function readProposal(who: Agent['role'], said: unknown): Proposal {
  const action = isRecord(said) ? said.action : null;
  if (!isRecord(said) || !isRecord(action) || typeof action.tool !== 'string' || !isRecord(action.arguments))
    throw unusable(who, `{ thought, action: { tool, arguments } }, not ${shown(said)}`);
  return { thought: typeof said.thought === 'string' ? said.thought : '', action: action as Action };
}

function unusable(who: keyof FunctionWorldDefinition, expected: string): RequestError {
  return new RequestError(400, 'simulation_error', `The function "${who}" must return ${expected}.`);
}

function shown(value: unknown): string {
  return value instanceof Promise ? 'a promise: it must answer at once' : (JSON.stringify(value) ?? String(value));
}
