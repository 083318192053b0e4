import type { Action } from '../domain/action.ts';
import type { AssistantMessage, Message } from '../domain/message.ts';
import type { Dice } from './random.ts';

/** A policy or expert as a world sees it. */
export type Agent = { role: 'policy' | 'expert'; skill: number; family: string };

/** What an agent wants to do next. */
export type Proposal = {
  thought: string;
  action: Action;
  /** Null where nobody knows how likely it was. Absent: it follows from the draws that were made. */
  logprob?: null;
};

/** The hidden truth about one action in one state. Only the simulated PRM sees it, and only through its noise. */
export type Judgement = {
  /** How much the action helps, in [0, 1]. */
  quality: number;
  /** Whether the action helps at all: `quality >= 0.5`. */
  good: boolean;
  /** Equal for actions that are the same except for their wording. */
  actionKey: string;
  /** The PRM's answer, where a world gives it itself: no noise is added to it. In [0, 1]. */
  score?: number;
};

/** A conversation that a world has recognised as a state of one of its tasks. */
export type Scene = {
  task: string;
  /** @param seed the server's seed, which fixes what lasts: misconceptions, tastes */
  propose(agent: Agent, seed: number, dice: Dice): Proposal;
  /** The proposal as an assistant message in the conversation's own format. */
  write(proposal: Proposal): AssistantMessage;
  judge(message: AssistantMessage, seed: number): Judgement;
};

/** Tasks that simulated models know how to work on, with the truth about them. */
export type SimulatedWorld = {
  name: string;
  /**
   * @param messages a policy's conversation, guidance for an expert at the end of the system message included
   * @param tools whether the request offers tools
   * @returns null when the conversation is about none of this world's tasks
   */
  match(messages: readonly Message[], tools: boolean): Scene | null;
};

/** Whether an action of this quality is good. */
export function isGood(quality: number): boolean {
  return quality >= 0.5;
}
