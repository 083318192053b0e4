/** What the environment asks models: the words of the customer, and a grade. */
import type { AskRequest, Message } from 'crux-rl';
import { type Case, decision } from './shop.ts';

/** What was said after the complaint. */
export type Line = { who: 'Agent' | 'Customer'; text: string };

/** The conversation as the customer's model reads it: there the customer is the assistant. */
export function asCustomer({ order, item, manner, complaint }: Case, said: Line[]): Message[] {
  const persona = `You are a customer of a shop, and you are ${manner}. You wrote: "${complaint}" You want your money back for the ${item}.
Your order number is ${order}: tell it only if you are asked. Answer the help desk in one or two sentences.`;
  const turns = said.map(({ who, text }) => ({ role: who === 'Agent' ? 'user' : 'assistant', content: text }) as const);
  return [{ role: 'system', content: persona }, ...turns];
}

/**
 * Asks whether the customer was told the right decision. An answer that is neither yes nor no is asked for again.
 * @throws Error after three of these: a broken grader is no failure of the agent
 */
export async function isWellTold(
  ask: (request: AskRequest) => Promise<string>,
  given: Case,
  said: Line[],
): Promise<boolean> {
  const transcript = said.map(({ who, text }) => `${who}: ${text}`).join('\n');
  const question = `A customer wrote to a help desk: "${given.complaint}" The right decision is: ${decision(given)}.
Did the agent tell the customer this decision, politely, and nothing that contradicts it? Answer with one word, yes or no.`;
  const messages = [{ role: 'user' as const, content: `${question}\n\n${transcript}` }];
  for (let asked = 0; asked < 3; asked++) {
    const answer = await ask({ purpose: 'grade', messages, temperature: 0 });
    const grade = /\b(yes|no)\b/i.exec(answer)?.[0].toLowerCase();
    if (grade) return grade === 'yes';
  }
  throw new Error('The grader answered neither yes nor no, three times.');
}

/** Stands in for both models where there is no key. Equal requests get equal answers. */
export function simulatedReply({ purpose, messages }: AskRequest): string {
  const [first, last] = [messages[0]!.content!, messages.at(-1)!.content!];
  if (purpose === 'grade') {
    const [question, transcript] = last.split('\n\n') as [string, string];
    const decided = /decision is: (.*)\./.exec(question)![1]!;
    const told = transcript.match(/no refund|a refund of \d+ USD/g) ?? [];
    return told.length > 0 && told.every((one) => one === decided) ? 'Yes.' : 'No.';
  }
  if (/order number/i.test(last)) return `It is ${/order number is (\S+):/.exec(first)![1]}.`;
  return /refund/i.test(last) ? 'I see. Thank you.' : 'And what about my money?';
}
