// Layer: pure core. The rules of examples/lab, on which the lab's figures rest.
import { describe, expect, it } from 'vitest';
import { allOrders, clerksChoice, rightChoice, stepNames, steps } from '../../../examples/lab/rules.ts';

const orders = allOrders();
const train = orders.filter(({ isTest }) => !isTest);
const test = orders.filter(({ isTest }) => isTest);

describe('the shop of the lab', () => {
  it('holds groups out whose rules the other orders all show', () => {
    const shown = new Set(train.flatMap(({ facts }) => Object.values(facts)));
    expect(test.flatMap(({ facts }) => Object.values(facts)).filter((fact) => !shown.has(fact))).toEqual([]);
    const groups = new Set(train.map(({ group }) => group));
    expect(test.filter(({ group }) => groups.has(group))).toEqual([]);
    expect(new Set(test.map(({ group }) => group)).size).toBe(16);
  });

  it('has a right choice at each step, which the offered ones hold', () => {
    for (const order of orders)
      for (const step of stepNames) expect(steps[step] as readonly string[]).toContain(rightChoice(order, step));
  });

  it('was kept by clerks who are wrong about some rules in one way, a third of the time, and rarely about the others', () => {
    for (const step of stepNames) {
      for (const [fact, own] of Map.groupBy(train, ({ facts }) => facts[step])) {
        const right = rightChoice(own[0]!, step);
        const wrong = own.map((order) => clerksChoice(order, step, order.id)).filter((choice) => choice !== right);
        const share = wrong.length / own.length;
        expect(new Set(wrong).size, fact).toBeLessThan(2);
        expect(share < 0.12 || (share > 0.2 && share < 0.5), `${fact}: ${share}`).toBe(true);
      }
    }
  });
});
