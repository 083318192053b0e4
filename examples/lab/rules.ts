/**
 * The rules of the shop: six families of eight, one rule for each thing that a customer may want, be, celebrate, live in, pay by or wait for. And the
 * clerks who kept the shop until now: they are careless about a third of the rules, each always in the same way. A model that learned from their
 * records has learned these rules badly.
 */
export const steps = {
  pick: ['left', 'right', 'front', 'back'],
  size: ['small', 'medium', 'large', 'huge'],
  wrap: ['paper', 'box', 'cloth', 'bag'],
  send: ['van', 'train', 'boat', 'plane'],
  pay: ['cash', 'card', 'cheque', 'later'],
  tell: ['phone', 'letter', 'radio', 'runner'],
} as const;

export type StepName = keyof typeof steps;

export const stepNames = Object.keys(steps) as StepName[];

type PerStep<Value> = { [step in StepName]: Value };

/** What the choice at each step depends on: `goods7`, say. */
const kinds: PerStep<string> = {
  pick: 'goods',
  size: 'guest',
  wrap: 'feast',
  send: 'town',
  pay: 'purse',
  tell: 'hour',
};
const factsOfKind = 8;

export type Order = {
  id: string;
  facts: PerStep<string>;
  /** Guest and feast. No rule depends on both, so held-out groups need no rule that the others do not show. */
  group: string;
  isTest: boolean;
};

const orderCount = 1600;

/** Always the same, in the same sequence. */
export function allOrders(): Order[] {
  return Array.from({ length: orderCount }, (_, number) => {
    const fact = (step: StepName) => hash(`order ${number} ${step}`) % factsOfKind;
    const [guest, feast] = [fact('size'), fact('wrap')];
    return {
      id: `order-${number + 1}`,
      facts: perStep((step) => `${kinds[step]}${fact(step) + 1}`),
      group: `guest${guest + 1}-feast${feast + 1}`,
      isTest: (guest + feast) % 4 === 0,
    };
  });
}

export function rightChoice({ facts }: Order, step: StepName): string {
  return steps[step][choiceNumber(facts[step])]!;
}

/** Shares of mistakes in the clerks' records: of rules that they are careless about, and of others. */
const mistakes = { careless: 0.33, careful: 0.03 };

/** What a clerk chose. @param record makes the same order's choices differ from record to record */
export function clerksChoice(order: Order, step: StepName, record: string): string {
  const fact = order.facts[step];
  const share = hash(`careless ${fact}`) % 3 === 0 ? mistakes.careless : mistakes.careful;
  if (hash(`mistake ${record} ${step}`) % 1000 >= 1000 * share) return rightChoice(order, step);
  return steps[step][(choiceNumber(fact) + 1 + (hash(`wrong ${fact}`) % 3)) % 4]!;
}

function choiceNumber(fact: string): number {
  return hash(`rule ${fact}`) % 4;
}

export function perStep<Value>(value: (step: StepName) => Value): PerStep<Value> {
  return Object.fromEntries(stepNames.map((step) => [step, value(step)])) as PerStep<Value>;
}

/** FNV-1a, and the last mix of MurmurHash3, in 32 bits: the same on every machine. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
