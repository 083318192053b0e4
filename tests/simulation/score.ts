import type { AssistantMessage, Message } from '../../src/domain/message.ts';
import { scoreRequest } from '../../src/models/prompts.ts';
import { answer } from '../../src/simulation/answer.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';

/** The score that sim-prm gives an action, asked as a run asks. */
export function scoreOf(worlds: SimulatedWorld[], messages: Message[], action: AssistantMessage, seed: number): number {
  const asked = scoreRequest(messages, [], action, { version: 'rubric-2' }).messages;
  const request = {
    model: 'sim-prm',
    messages: asked,
    tools: false,
    n: 1,
    temperature: 1,
    maxTokens: null,
    logprobs: false,
  };
  const [choice] = answer({ ...request, seed }, seed, worlds).choices;
  return (JSON.parse(choice!.message.content!) as { score: number }).score;
}
