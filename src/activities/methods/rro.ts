/** Activities of RRO: draw an action, and choose one of those drawn. */

import { isFlagged } from '../../domain/audit-flags.ts';
import { addUnpaired, type UnpairedCounts } from '../../domain/pairs/unpaired.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import type { ChoiceInput, DrawInput } from '../../domain/wire/rro.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { drawIn } from '../acting/draw.ts';
import { isRevalued } from '../acting/revalued.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function rroActivities(context: ActivityContext) {
  const { store } = context;

  /** Draws an action of the policy in a state, and takes it. Draws of different numbers are independent. */
  async function drawAction(input: DrawInput, signal: AbortSignal): Promise<DrawnAction> {
    const run = await store.runs.get(input.runId);
    admitRun(run);
    return (await drawIn(context, run, input, signal)).action;
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

  /** Rollouts whose successes are flagged leave no value, as faults do. What the choice was made by says why, not what was rolled out after it. */
  async function whyNoOutcome({ runId, nodeId }: ChoiceInput): Promise<'flagged' | 'no-outcome'> {
    const branches = await store.findings.branchesAt(runId, nodeId);
    return branches.some((branch) => branch.purpose === 'value' && isFlagged(branch)) ? 'flagged' : 'no-outcome';
  }

  return { drawAction, recordChoice };
}
