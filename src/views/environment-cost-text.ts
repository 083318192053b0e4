/** What is to be said of the costs of an environment's steps, besides the sums. */
import type { EnvironmentCostLine } from '../store/environment-costs.ts';

export function environmentTotals(lines: readonly EnvironmentCostLine[]) {
  const sum = (pick: (line: EnvironmentCostLine) => number) => lines.reduce((all, line) => all + pick(line), 0);
  return {
    steps: sum(({ steps }) => steps),
    unknown: sum(({ unknown }) => unknown),
    aboveMost: sum(({ aboveMost }) => aboveMost),
    knownMicroUsd: sum(({ knownMicroUsd }) => knownMicroUsd),
  };
}

/** Steps without a known cost, and steps that cost more than the environment had said. */
export function environmentCostNotes(lines: readonly EnvironmentCostLine[]): string[] {
  const { steps, unknown, aboveMost, knownMicroUsd } = environmentTotals(lines);
  const known = `$${(knownMicroUsd / 1e6).toFixed(4)}`;
  return [
    ...(unknown === 0
      ? []
      : [
          `${unknown} of ${steps} steps of the environment failed or reported no cost: the others cost ${known}. For ceilings each counts at maxStepCost.`,
        ]),
    ...(aboveMost === 0 ? [] : [`${aboveMost} of ${steps} steps of the environment cost more than its maxStepCost.`]),
  ];
}
