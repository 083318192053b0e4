/** Activities of Step-DPO for agents: which action of a step is preferred to which, by their scores. */

import type { Candidate } from '../../domain/candidate.ts';
import { preferenceOf, whyNoPreference } from '../../domain/methods/step-dpo-rule.ts';
import { leadsToTheSame } from '../../domain/pairs/sameness.ts';
import { addUnpaired, decidingReason } from '../../domain/pairs/unpaired.ts';
import { stepDpoOptionsOf } from '../../domain/run/run-config.ts';
import type { RankResult } from '../../domain/wire/step-dpo.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { isRevalued } from '../acting/revalued.ts';
import { lookedAt, reachAll, samenessOf } from '../acting/sameness.ts';
import { scorer } from '../roles/prm.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function stepDpoActivities(context: ActivityContext) {
  const { store, environments } = context;
  const { actionsOf, allScored } = scorer(context);

  /** Scores the actions of a step and says which of them is preferred to which, if any. */
  async function rankCandidates(address: StepAddress, signal: AbortSignal): Promise<RankResult> {
    const run = await store.runs.get(address.runId);
    const { state, policy, alternatives } = await actionsOf(address);
    const scores = await allScored(run, { ...address, state }, [policy, ...alternatives], signal);
    const by = samenessOf(run.config, environments.get(run.environment));
    const preferred = preferenceOf(scores, stepDpoOptionsOf(run.config).gap);
    const isSame =
      preferred.pair !== null && (await areTheSame(run, state, [policy, ...alternatives], preferred.pair, signal));
    const { verdict, pair } = isSame ? { verdict: 'same-state' as const, pair: null } : preferred;
    const { unpaired: ruledOut } = await store.findings.undrawn(run.id, address.trajectoryId, address.step);
    if (isSame) addUnpaired(ruledOut, 'same-state');
    else if (pair === null && (alternatives.length > 0 || decidingReason(ruledOut) === null))
      addUnpaired(ruledOut, whyNoPreference(scores));
    await store.findings.addStep({
      runId: run.id,
      trajectoryId: address.trajectoryId,
      step: address.step,
      nodeId: state.id,
      verdict,
      ownId: policy.id,
      ...(pair && { chosenId: pair.best, rejectedId: pair.worst }),
      ruledOut,
      lookedAt: isProvenByRollouts(run) && preferred.pair ? lookedAt(by, othersThan(policy, preferred.pair)) : [],
    });
    const revalue = isRevalued(run, state.id);
    return { verdict, ...(pair && { pair: { nodeId: state.id, ...pair, revalue } }) };
  }

  /** Whether the two actions that scores select lead to the same state. Checked only if rollouts are paid for to compare them; otherwise no action is taken. */
  async function areTheSame(
    run: Run,
    state: State,
    candidates: Candidate[],
    pair: { best: string; worst: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!isProvenByRollouts(run)) return false;
    const by = samenessOf(run.config, environments.get(run.environment));
    const sides = [pair.best, pair.worst].map((id) => candidates.find((candidate) => candidate.id === id)!);
    const [best, worst] = await reachAll(context, run, state, sides, signal);
    return leadsToTheSame(best!, worst!, by);
  }

  return { rankCandidates };
}

/** Whether fresh rollouts must confirm the scores, in a run that checks what actions lead to before it pays for rollouts. */
function isProvenByRollouts({ config }: Run): boolean {
  return config.sameBy !== undefined && (stepDpoOptionsOf(config).verification?.rollouts ?? 1) > 1;
}

/** The sides that are not the policy's own action, which its trajectory took. */
function othersThan(policy: Candidate, { best, worst }: { best: string; worst: string }): string[] {
  return [best, worst].filter((id) => id !== policy.id);
}
