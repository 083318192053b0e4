/** What steps say that they cost. */
import { isCost } from '../cost.ts';
import { allPlays } from './played.ts';
import { demand, NotChecked, type Studied } from './studied.ts';

export async function checkCosts(studied: Studied): Promise<string> {
  const { maxStepCost } = studied.environment;
  const costs: number[] = [];
  for await (const { task, name, traces } of allPlays(studied)) {
    for (const [index, { cost }] of traces.entries()) {
      if (cost === undefined) continue;
      const what = `Task ${task.id}, ${name}, action ${index + 1}: the cost is ${cost}`;
      demand(isCost(cost), `${what}, which is no number of US dollars from 0.`);
      demand(maxStepCost === undefined || cost <= maxStepCost, `${what}, and maxStepCost is ${maxStepCost}.`);
      costs.push(cost);
    }
  }
  if (costs.length === 0) throw new NotChecked('steps report none');
  const most =
    maxStepCost === undefined ? 'no maxStepCost: nothing is held before a step' : `maxStepCost ${maxStepCost}`;
  const sum = costs.reduce((all, cost) => all + cost, 0);
  return `${costs.length} steps, US dollars: ${sum.toPrecision(3)} together, at most ${Math.max(...costs)} (${most})`;
}
