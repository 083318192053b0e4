import { type Message, messageText } from './message.ts';

/** A conversation as text: each message with its role before it and an empty line behind it. */
export function plainText(messages: readonly Message[]): string {
  return messages.map((message) => `${message.role}: ${messageText(message)}\n\n`).join('');
}
