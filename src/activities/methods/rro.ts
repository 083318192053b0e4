/** Activities of RRO: draw an action, and choose one of those drawn. */

import { type AuditFlags, isFlagged } from '../../domain/audit-flags.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { samenessKey } from '../../domain/pairs/sameness.ts';
import { addUnpaired, type UnpairedCounts } from '../../domain/pairs/unpaired.ts';
import { drawnIn } from '../../domain/stream.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import type { ChoiceInput, DrawInput } from '../../domain/wire/rro.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { contentHash } from '../../store/hash.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { outcomeAtLimit } from '../acting/at-limit.ts';
import { auditSuccess } from '../acting/audit-success.ts';
import { candidateOf } from '../acting/candidates.ts';
import { endedByModel } from '../acting/play-out.ts';
import { isRevalued } from '../acting/revalued.ts';
import { reachAll, samenessOf } from '../acting/sameness.ts';
import { modelTurn, takerOf, takeStep } from '../acting/turn.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function rroActivities(context: ActivityContext) {
  const { store, environments } = context;

  /** Draws an action of the policy in a state, and takes it. Draws of different numbers are independent. */
  async function drawAction({ runId, nodeId, sample, draw }: DrawInput, signal: AbortSignal): Promise<DrawnAction> {
    const run = await store.runs.get(runId);
    admitRun(run);
    const state = await store.tree.state(nodeId);
    const where = { role: 'policy' as const, purpose: 'propose' as const, stream: `sample-${sample}/draw-${draw}` };
    const taker = takerOf(run, drawnIn(sample));
    const turn = await modelTurn(context, run, state, where, signal);
    if (turn.kind === 'ended') {
      const ended = await endedByModel(context, state, turn.ending, taker.caller, signal);
      const { ending, reward, success } = ended;
      const flagged = flaggedOnly(await auditSuccess(context, run, state, ended, signal));
      return { candidateId: '', equality: ending, nodeId, done: true, ending, reward, success, ...flagged };
    }
    const candidate = candidateOf(context, state, turn.answer.message, {
      run,
      source: 'policy',
      model: run.config.models.policy.model,
      position: draw,
    });
    await store.findings.addCandidates([candidate]);
    const taken = await takeStep(context, state, turn.answer, taker, signal);
    const equality = await equalityOf(run, state, candidate, signal);
    const isLast = !taken.done && taken.state.step >= run.config.stepLimit;
    const outcome = isLast ? await outcomeAtLimit(context, taken.state, taker.caller, signal) : taken;
    const flagged = flaggedOnly(await auditSuccess(context, run, taken.state, outcome, signal));
    const { reward, success } = outcome;
    return {
      candidateId: candidate.id,
      // What is flagged and what is not are no equals, although both may end the task with one reward.
      equality: isFlagged(flagged) ? contentHash([equality, flagged.auditFlags ?? []]) : equality,
      nodeId: taken.state.id,
      done: taken.done || isLast,
      ending: taken.done ? 'submitted' : isLast ? 'step-limit' : null,
      reward,
      success,
      ...flagged,
    };
  }

  /** Equal for actions that lead to the same state, so that they are valued once. In a run from an earlier version: for equal actions. */
  async function equalityOf(run: Run, state: State, candidate: Candidate, signal: AbortSignal): Promise<string> {
    const by = samenessOf(run.config, environments.get(run.environment));
    if (by === 'observation')
      return candidate.canonical === null ? candidate.id : `=${candidate.canonical}`.slice(0, 200);
    const [compared] = await reachAll(context, run, state, [candidate], signal);
    const key = samenessKey(compared!, by);
    return key === null ? candidate.id : contentHash(key);
  }

  /** Records which action a step continues with, and which one it is preferred to. @returns whether the pair is in the sample to be valued again */
  async function recordChoice(choice: ChoiceInput): Promise<{ revalue: boolean }> {
    const run = await store.runs.get(choice.runId);
    // Empty if the policy ended the conversation.
    const ownId = choice.acceptedId === '' ? null : choice.acceptedId;
    const ruledOut: UnpairedCounts = {};
    const unpaired = choice.unpaired === 'no-outcome' ? await whyNoOutcome(choice) : choice.unpaired;
    if (unpaired) addUnpaired(ruledOut, unpaired);
    // If a flagged draw decided the step, it is counted already.
    addUnpaired(ruledOut, 'flagged', (choice.flaggedDraws ?? 0) - (ruledOut.flagged ?? 0));
    await store.findings.addStep({
      runId: run.id,
      trajectoryId: choice.trajectoryId,
      step: choice.step,
      nodeId: choice.nodeId,
      verdict: choice.verdict,
      ownId,
      ...(ownId !== null && choice.rejectedId !== null && { chosenId: ownId, rejectedId: choice.rejectedId }),
      ruledOut,
    });
    return { revalue: choice.rejectedId !== null && isRevalued(run, choice.nodeId) };
  }

  /** Rollouts whose successes are flagged leave no value, as faults do. */
  async function whyNoOutcome({ runId, nodeId }: ChoiceInput): Promise<'flagged' | 'no-outcome'> {
    return (await store.findings.branchesAt(runId, nodeId)).some(isFlagged) ? 'flagged' : 'no-outcome';
  }

  return { drawAction, recordChoice };
}

function flaggedOnly(auditFlags: AuditFlags): Pick<DrawnAction, 'auditFlags'> {
  return isFlagged({ auditFlags }) ? { auditFlags: auditFlags! } : {};
}
