import { roundsOf } from '../pairs/decision.ts';
import { tally, verdictOn } from '../pairs/verification.ts';
import type { DrawnAction } from '../wire/action.ts';
import type { BranchResult } from '../wire/branch.ts';
import type { VerificationOptions } from './options.ts';
import type { Rolling, StepState } from './rolling.ts';
import { type Valuing, value } from './value.ts';

export type Contest = StepState & {
  /** Candidate ids. */
  alternatives: string[];
  rivalId: string;
  /** Whether the first accepted alternative ends it. Default false. */
  stopAtFirst?: boolean;
};

/**
 * n > 1 [D]: rolls out alternatives and their rival from the same state, two rollouts of each at a time, until the rule has decided every
 * alternative. Always in whole rounds, so that what is drawn does not depend on which answer comes first.
 */
export async function verify(
  task: Rolling,
  verification: VerificationOptions,
  { step, nodeId, alternatives, rivalId, stopAtFirst = false }: Contest,
): Promise<void> {
  const rival: BranchResult[] = [];
  let open = alternatives.map((candidateId) => ({ candidateId, results: [] as BranchResult[] }));
  for (const { ofAlternative, ofRival } of roundsOf(verification)) {
    if (open.length === 0) return;
    const [baseline, ...verified] = await Promise.all([
      task.branches(step, { nodeId, candidateId: rivalId, purpose: 'baseline' }, ofRival),
      ...open.map(({ candidateId }) => task.branches(step, { nodeId, candidateId, purpose: 'verify' }, ofAlternative)),
    ]);
    rival.push(...baseline!);
    for (const [index, results] of verified.entries()) open[index]!.results.push(...results);
    const decided = open.map(({ results }) => verdictOn(tally(results), tally(rival), verification).verdict);
    if (stopAtFirst && decided.includes('accepted')) return;
    open = open.filter((_, index) => decided[index] === 'continue');
  }
}

/**
 * Further evidence for a pair of valued actions, besides the values that found it: fresh rollouts under `sound`, and on a seeded sample under
 * both presets [D].
 */
export async function verifyValued(
  task: Valuing,
  { nodeId, step }: StepState,
  chosen: DrawnAction,
  rejected: DrawnAction,
  revalue: boolean,
): Promise<void> {
  const { verification } = task.options;
  if (verification.rollouts > 1) {
    const sides = { alternatives: [chosen.candidateId], rivalId: rejected.candidateId };
    await verify(task, verification, { step, nodeId, ...sides });
  }
  if (revalue)
    await Promise.all([chosen, rejected].map((action) => value(task, { nodeId, step }, action, 're-estimate')));
}
