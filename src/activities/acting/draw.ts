/** Draws an action of the policy in a state, and takes it. */
import { type AuditFlags, isFlagged } from '../../domain/audit-flags.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { samenessKey } from '../../domain/pairs/sameness.ts';
import { drawnIn } from '../../domain/stream.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import type { DrawInput } from '../../domain/wire/rro.ts';
import { contentHash } from '../../store/hash.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { outcomeAtLimit } from './at-limit.ts';
import { auditSuccess } from './audit-success.ts';
import { candidateOf } from './candidates.ts';
import { endedByModel } from './play-out.ts';
import { reachAll, samenessOf } from './sameness.ts';
import { modelTurn, takerOf, takeStep } from './turn.ts';

/** @property isNew whether the draw was made now: it was not in the journal, and did not end the conversation */
export type Draw = { action: DrawnAction; isNew: boolean };

export async function drawIn(
  context: ActivityContext,
  run: Run,
  { nodeId, sample, draw }: Omit<DrawInput, 'runId'>,
  signal: AbortSignal,
): Promise<Draw> {
  const { store } = context;
  const state = await store.tree.state(nodeId);
  const where = { role: 'policy' as const, purpose: 'propose' as const, stream: `sample-${sample}/draw-${draw}` };
  const taker = takerOf(run, drawnIn(sample));
  const turn = await modelTurn(context, run, state, where, signal);
  if (turn.kind === 'ended') {
    const ended = await endedByModel(context, state, turn.ending, taker.caller, signal);
    const { ending, reward, success } = ended;
    const flagged = flaggedOnly(await auditSuccess(context, run, state, ended, signal));
    const action = { candidateId: '', equality: ending, nodeId, done: true, ending, reward, success, ...flagged };
    return { action, isNew: false };
  }
  const candidate = candidateOf(context, state, turn.answer.message, {
    run,
    source: 'policy',
    model: run.config.models.policy.model,
    position: draw,
  });
  await store.findings.addCandidates([candidate]);
  const taken = await takeStep(context, state, turn.answer, taker, signal);
  const equality = await equalityOf(context, run, state, candidate, signal);
  const isLast = !taken.done && taken.state.step >= run.config.stepLimit;
  const outcome = isLast ? await outcomeAtLimit(context, taken.state, taker.caller, signal) : taken;
  const flagged = flaggedOnly(await auditSuccess(context, run, taken.state, outcome, signal));
  const { reward, success } = outcome;
  const action: DrawnAction = {
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
  return { action, isNew: turn.isNew };
}

/** Equal for actions that lead to the same state, so that they are valued once. In a run from an earlier version: for equal actions. */
async function equalityOf(
  context: ActivityContext,
  run: Run,
  state: State,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<string> {
  const by = samenessOf(run.config, context.environments.get(run.environment));
  if (by === 'observation')
    return candidate.canonical === null ? candidate.id : `=${candidate.canonical}`.slice(0, 200);
  const [compared] = await reachAll(context, run, state, [candidate], signal);
  const key = samenessKey(compared!, by);
  return key === null ? candidate.id : contentHash(key);
}

function flaggedOnly(auditFlags: AuditFlags): Pick<DrawnAction, 'auditFlags'> {
  return isFlagged({ auditFlags }) ? { auditFlags: auditFlags! } : {};
}
