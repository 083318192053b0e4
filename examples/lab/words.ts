/** What is said in the shop, word by word: each word is a token of the lab's model, so blanks stand around signs. */
import { type Order, type StepName, stepNames, steps } from './rules.ts';

export const system = 'You serve a shop .';

export const instructions = 'Write one command : pick , size , wrap , send , pay or tell , with a choice .';

export function briefing(order: Order): string {
  return `${stepNames.map((step) => order.facts[step]).join(' , ')} . ${question(order, 'pick')}`;
}

/** What the agent is asked, with what the choice depends on. */
export function question({ facts }: Order, step: StepName): string {
  return `Next : ${step} ${facts[step]} .`;
}

export function command(step: string, choice: string): string {
  return `${step} ${choice}`;
}

/** Whatever may be said, for the vocabulary of a model. */
export function everything(orders: readonly Order[]): string {
  const commands = stepNames.flatMap((step) => steps[step].map((choice) => command(step, choice)));
  const questions = orders.flatMap((order) => [briefing(order), ...stepNames.map((step) => question(order, step))]);
  const answers = ['Done .', 'That was not asked .', 'That is no command .'];
  return [system, instructions, ...commands, ...new Set(questions), ...answers].join('\n');
}
