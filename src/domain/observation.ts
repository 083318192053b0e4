import { type Message, messageText, type UserMessage } from './message.ts';

/** What an agent reads after an action. */
export type Observation =
  | string
  /** The result of the action, and what a user says after it. */
  | { result: string; messages: UserMessage[] }
  /** A new conversation in place of the whole one before it, as programs write that summarise their history. */
  | { conversation: Message[] };

/** What puts a new conversation in place of the one before it. */
export function isRewriting(observation: Observation): observation is { conversation: Message[] } {
  return typeof observation === 'object' && 'conversation' in observation;
}

/** Whether the calls that follow a step in its message are not executed: the task is over, or the conversation that holds them is gone. */
export function endsMessage({ done, observation }: { done: boolean; observation: Observation }): boolean {
  return done || isRewriting(observation);
}

/** The texts of an observation, message by message. */
export function observationTexts(observation: Observation): string[] {
  if (typeof observation === 'string') return [observation];
  if (isRewriting(observation)) return observation.conversation.map(messageText);
  return [observation.result, ...observation.messages.map(({ content }) => content)];
}

/** Everything that an observation says, as one text. */
export function observationText(observation: Observation): string {
  return observationTexts(observation).join('\n');
}
