/** What the simulated PRM thinks of an action, whether it is asked as a judge or by a scoring endpoint. */
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import { noisyScore } from './noisy-score.ts';
import { digest, type Part } from './random.ts';
import { recognise } from './recognise.ts';
import type { SimulatedWorld } from './world.ts';

/** `tools`: those that the agent was offered; undefined if the request does not say. */
export type Scored = { conversation: Message[]; tools: Tool[] | undefined; action: AssistantMessage };

/** @returns the score in [0, 1] that one call gives: the small part of the noise differs from call to call */
export function scoreByCall(
  { conversation, tools, action }: Scored,
  auc: number,
  seed: number,
  worlds: readonly SimulatedWorld[],
): (call: Part[]) => number {
  const scene = recognise(conversation, false, worlds, tools);
  const { good, actionKey, score } = scene.judge(action, seed);
  const state = digest(JSON.stringify(conversation));
  return (call) => score ?? noisyScore({ good, auc, seed, task: scene.task, state, action: actionKey, call });
}
