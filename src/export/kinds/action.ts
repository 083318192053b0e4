import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ProcessExample } from '../../domain/example.ts';
import type { ItemKind, Study } from '../item.ts';

/** A group that holds more than this share of the rows decides what the reward model learns. Ours. */
const mostOfOneGroup = 0.5;
/** If the rarer class has less than this share of the rows, a model that always gives the other class looks good. Ours. */
const leastOfOneClass = 0.1;

export const actionKind: ItemKind<ProcessExample> = {
  name: 'action',
  plural: 'actions',
  heading: 'Actions with their outcomes',
  caution: 'An outcome is the mean of a few rollouts by the policy of this run: a newer policy needs new ones.',
  sideNames: ['action'],
  sources: {
    file: 'sources.jsonl',
    meaning: 'the rollouts behind each action and its weight, by task, step and id',
    line: ({ id, runId, taskId, group, split, step, outcome, successes, rollouts, score, weight }) =>
      `${canonicalJson({ id, runId, taskId, group, split, step, outcome, successes, rollouts, score, weight })}\n`,
  },
  conversationOf: ({ prompt, tools, action }) => ({ prompt, tools, sides: [[action]] }),
  withConversation: (item, { prompt, tools, sides }) => {
    const [action] = sides[0]!;
    return action?.role === 'assistant' ? { ...item, prompt, tools, action } : { ...item, prompt, tools };
  },
  splitOf: (item) => item.split,
  flags: ['tie', 'good', 'bad', 'one-rollout', 'unscored'],
  flagsOf: ({ outcome, rollouts, score }) => [
    outcome === 0.5 ? 'tie' : outcome > 0.5 ? 'good' : 'bad',
    ...(rollouts === 1 ? ['one-rollout'] : []),
    ...(score === null ? ['unscored'] : []),
  ],
  check({ outcome, rollouts }) {
    if (rollouts >= 1 && outcome >= 0 && outcome <= 1) return [];
    const reason = `The outcome is ${outcome} over ${rollouts} rollouts: no figure in [0, 1] that rests on any.`;
    return [{ rule: 'action/no-outcome', effect: 'left-out', reason }];
  },
  study,
};

/** Standard error of an outcome from n rollouts. It is never 0, because it counts one success and one failure more. Ours. */
export function outcomeError({ outcome, rollouts }: ProcessExample): number {
  const smoothed = (outcome * rollouts + 1) / (rollouts + 2);
  return Number(Math.sqrt((smoothed * (1 - smoothed)) / rollouts).toFixed(6));
}

function* study(written: readonly ProcessExample[]): Generator<void, Study> {
  const findings: Study['findings'] = [];
  if (written.length === 0) return { findings, authorship: null };
  const good = written.filter(({ outcome }) => outcome >= 0.5).length;
  const rarer = Math.min(good, written.length - good) / written.length;
  if (rarer < leastOfOneClass) {
    findings.push({
      rule: 'action/class-balance',
      effect: 'warning',
      reason: `${good} of ${written.length} actions have an outcome of 0.5 or more: a model that always says so, or never, looks good. Judge it by AUC.`,
    });
  }
  const perGroup = new Map<string, number>();
  for (const { group } of written) {
    perGroup.set(group, (perGroup.get(group) ?? 0) + 1);
    yield;
  }
  const largest = Math.max(...perGroup.values());
  if (largest / written.length > mostOfOneGroup) {
    findings.push({
      rule: 'action/few-groups',
      effect: 'warning',
      reason: `${largest} of ${written.length} rows are of one group of tasks (${perGroup.size} in all): rows of a group are no independent evidence.`,
    });
  }
  const unsure = written.filter((item) => Math.abs(item.outcome - 0.5) < outcomeError(item)).length;
  if (unsure > 0) {
    findings.push({
      rule: 'action/unsure-outcome',
      effect: 'note',
      reason: `${unsure} of ${written.length} outcomes are within one standard error of 0.5: as labels, they are close to a toss.`,
    });
  }
  return { findings, authorship: null };
}
