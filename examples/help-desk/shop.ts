/** The shop: its complaints, its rule, and its order service. */

/** A complaint about an order. `days` have passed since its delivery. */
export type Case = { order: string; item: string; price: number; days: number; manner: string; complaint: string };

export const cases: Case[] = [
  { order: 'K-101', item: 'kettle', price: 40, days: 3, manner: 'in a hurry', complaint: 'My new kettle leaks.' },
  { order: 'K-102', item: 'kettle', price: 55, days: 90, manner: 'patient', complaint: 'My kettle does not boil.' },
  { order: 'L-201', item: 'lamp', price: 25, days: 12, manner: 'friendly', complaint: 'The lamp arrived broken.' },
  { order: 'L-202', item: 'lamp', price: 80, days: 45, manner: 'angry', complaint: 'This lamp flickers!' },
  { order: 'R-301', item: 'radio', price: 60, days: 29, manner: 'shy', complaint: 'Sorry, my radio is silent.' },
  { order: 'R-302', item: 'radio', price: 35, days: 200, manner: 'talkative', complaint: 'The radio only hums.' },
  { order: 'T-401', item: 'toaster', price: 30, days: 7, manner: 'polite', complaint: 'My toaster burns all bread.' },
  { order: 'T-402', item: 'toaster', price: 45, days: 31, manner: 'curt', complaint: 'Toaster dead. Money back.' },
];

export const rule = 'Up to 30 days after its delivery an order is refunded at its full price, later not at all.';

/** What the customer gets back by the rule, in USD. */
export const due = ({ days, price }: Case) => (days <= 30 ? price : 0);

export const decision = (given: Case) => (due(given) > 0 ? `a refund of ${due(given)} USD` : 'no refund');

export const resolution = (given: Case) => (due(given) > 0 ? 'refunded' : 'refused');

export const caseOf = (order: unknown) => cases.find((one) => one.order === order);

const unknownOrder = (order: unknown) => `There is no order ${String(order)}.`;

/** What one look at an order costs, in USD. */
export const lookUpCost = 0.001;

export function lookUp(order: unknown): string {
  const found = caseOf(order);
  if (!found) return unknownOrder(order);
  return `${found.order}: ${found.item}, ${found.price} USD, delivered ${found.days} days ago.`;
}

/** Pays money back for an order, once. @returns what the agent reads */
export function refund(refunds: Map<string, number>, order: unknown, amount: unknown): string {
  const found = caseOf(order);
  if (!found) return unknownOrder(order);
  if (refunds.has(found.order)) return `Refused: ${found.order} was refunded before.`;
  if (typeof amount !== 'number' || !(amount > 0 && amount <= found.price))
    return `Refused: the amount must be above 0 and at most ${found.price} USD.`;
  refunds.set(found.order, amount);
  return `Refunded ${amount} USD for ${found.order}.`;
}
