import type { Action } from '../domain/action.ts';
import type { AskRequest } from '../domain/ask.ts';
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import type { Dice } from './random.ts';

/** A policy or expert as a world sees it. */
export type Agent = { role: 'policy' | 'expert'; skill: number; family: string };

/** What an agent wants to do next. */
export type Proposal = {
  thought: string;
  action: Action;
  /** Null if its likelihood is unknown. Absent: it follows from the draws. */
  logprob?: null;
};

/** The hidden truth about one action in one state. Only the simulated PRM sees it, and only through its noise. */
export type Judgement = {
  /** How much the action helps, in [0, 1]. */
  quality: number;
  /** Whether the action helps at all: `quality >= 0.5`. */
  good: boolean;
  /** Equal for actions that differ only in their wording. */
  actionKey: string;
  /** The PRM's answer in [0, 1], if the world gives it itself; no noise is added to it. */
  score?: number;
};

/** A conversation that a world has recognised as a state of one of its tasks. */
export type Scene = {
  task: string;
  /** @param seed the server's seed, which determines the fixed traits: misconceptions, tastes */
  propose(agent: Agent, seed: number, dice: Dice): Proposal;
  /** The proposal as an assistant message in the conversation's own format. */
  write(proposal: Proposal): AssistantMessage;
  judge(message: AssistantMessage, seed: number): Judgement;
};

/** Tasks that simulated models know how to work on, with the truth about them. */
export type SimulatedWorld = {
  name: string;
  /**
   * @param messages a policy's conversation; guidance for an expert stands at the end of the system message
   * @param tools whether the request offers tools
   * @param offered the tools that the agent has in this state, if the request holds them. Text may describe them instead
   * @returns null if the conversation is about none of this world's tasks
   */
  match(messages: readonly Message[], tools: boolean, offered?: readonly Tool[]): Scene | null;
  /**
   * The answer to what an environment's session asks a model.
   * @returns null if this world does not answer it
   */
  reply?(request: AskRequest): string | null;
};

/** Whether an action of this quality is good. */
export function isGood(quality: number): boolean {
  return quality >= 0.5;
}
