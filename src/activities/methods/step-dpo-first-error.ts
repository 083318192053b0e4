/** Activities of Step-DPO as published (arXiv 2406.18629): the first wrong step of a failure, its resamples, and what corrects it. */

import { branchOutcome } from '../../domain/branch.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { type CorrectionVerdict, correctionOf, uncorrecting } from '../../domain/methods/step-dpo-first-error-rule.ts';
import { leadsToTheSame } from '../../domain/pairs/sameness.ts';
import { addUnpaired, decidingReason, sumUnpaired } from '../../domain/pairs/unpaired.ts';
import { stepDpoOptionsOf } from '../../domain/run/run-config.ts';
import type { NewStep } from '../../domain/step.ts';
import type { CorrectInput, ErrorLocation, RankResult, ResampleResult } from '../../domain/wire/step-dpo.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { readFirstError } from '../../models/answers/first-error.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { promptsOf } from '../../models/prompts.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateOf, trajectoryOf, trajectoryStep } from '../acting/candidates.ts';
import { isRevalued } from '../acting/revalued.ts';
import { reachAll, samenessOf, lookedAt as takenOnce } from '../acting/sameness.ts';
import { modelTurn } from '../acting/turn.ts';
import { storedActions } from '../pairs/evidence.ts';
import { judgeCall, mostJudgeAsks } from '../roles/judge-call.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function firstErrorActivities(context: ActivityContext) {
  const { store, environments, gateway } = context;

  /** Asks the judge which step of a failed trajectory was the first wrong one. If it names none, this is recorded at the last step. */
  async function locateError(
    { runId, trajectoryId }: Omit<StepAddress, 'step'>,
    signal: AbortSignal,
  ): Promise<ErrorLocation> {
    const run = await store.runs.get(runId);
    const { leafId } = await trajectoryOf(context, runId, trajectoryId);
    const path = await store.tree.path(leafId);
    const named = await firstWrongStep(run, path, signal);
    if (typeof named === 'number') return { verdict: 'first-error', step: named };
    const verdict = named === null ? 'no-error' : 'unjudged';
    const last = { runId, trajectoryId, step: path.length - 1 };
    await record(last, path.at(-2)!, { verdict, ruledOut: { [verdict]: 1 } });
    return { verdict, step: null };
  }

  /** @returns null when the judge says that none is wrong; undefined when none of its answers was readable */
  async function firstWrongStep(run: Run, path: State[], signal: AbortSignal): Promise<number | null | undefined> {
    const { judge } = promptsOf(run.config);
    let isBrief = false;
    for (let ask = 0; ask < mostJudgeAsks; ask++) {
      const { message, finishReason } = await gateway.answer(judgeCall(run, path, ask, isBrief), signal);
      const named = readFirstError(message.content ?? '', path.length - 1, judge);
      if (named !== undefined) return named;
      isBrief ||= judge !== 'first-error-1' && finishReason === 'length';
    }
    return undefined;
  }

  /**
   * Draws the policy's action at a step anew, and stores the draws that differ from it. Draws belong to the state, as proposals do: every
   * trajectory through the state reads the same ones.
   */
  async function resampleStep(address: StepAddress, signal: AbortSignal): Promise<ResampleResult> {
    const run = await store.runs.get(address.runId);
    admitRun(run);
    const { state, own } = await ownAction(run, address);
    const { resamples = 0 } = stepDpoOptionsOf(run.config);
    const drawn = await Promise.all(
      Array.from({ length: resamples }, (_, draw) => drawnAnew(run, state, draw, signal)),
    );
    const isReadable = (candidate: Candidate | null) => candidate !== null && candidate.canonical !== null;
    const isOther = (candidate: Candidate | null) => isReadable(candidate) && candidate!.canonical !== own.canonical;
    const others = drawn.map((candidate) => (isOther(candidate) ? candidate : null));
    const distinct = firstOfEach(others.filter((candidate) => candidate !== null));
    await store.findings.addCandidates([own, ...distinct]);
    const { same, lookedAt } = await leadingToTheSame(run, state, own, distinct, signal);
    const draws = others.map((candidate) => (candidate && !same.has(candidate.id) ? candidate.id : null));
    await store.findings.addProposals({
      ...{ runId: run.id, trajectoryId: address.trajectoryId, step: address.step, duplicates: 0 },
      sameAction: drawn.filter((candidate) => isReadable(candidate) && !isOther(candidate)).length,
      sameState: others.filter((candidate) => candidate && same.has(candidate.id)).length,
      unreadable: drawn.filter((candidate) => !isReadable(candidate)).length,
      lookedAt,
    });
    return { nodeId: state.id, draws };
  }

  /**
   * Finds the resamples that lead to the same state as the wrong action: their completions are not worth paying for. A run from an earlier
   * version finds this out afterwards.
   */
  async function leadingToTheSame(
    run: Run,
    state: State,
    own: Candidate,
    resamples: Candidate[],
    signal: AbortSignal,
  ): Promise<{ same: Set<string>; lookedAt: string[] }> {
    const by = samenessOf(run.config, environments.get(run.environment));
    if (by === 'observation' || resamples.length === 0) return { same: new Set(), lookedAt: [] };
    const [wrong, ...others] = await reachAll(context, run, state, [own, ...resamples], signal);
    const same = resamples.filter((_, index) => leadsToTheSame(others[index]!, wrong!, by));
    return {
      same: new Set(same.map(({ id }) => id)),
      lookedAt: takenOnce(
        by,
        resamples.map(({ id }) => id),
      ),
    };
  }

  /** @returns null when the policy refused, or had no room left */
  async function drawnAnew(run: Run, state: State, draw: number, signal: AbortSignal): Promise<Candidate | null> {
    const where = { role: 'policy' as const, purpose: 'propose' as const, stream: `resample-${draw}` };
    const turn = await modelTurn(context, run, state, where, signal);
    if (turn.kind === 'ended') return null;
    const { model } = run.config.models.policy;
    return candidateOf(context, state, turn.answer.message, { run, source: 'policy', model, position: draw });
  }

  /** Records which of the resamples, if any, is preferred to the action that went wrong. All their branches must be over. */
  async function recordCorrection({ draws, ...address }: CorrectInput): Promise<RankResult> {
    const run = await store.runs.get(address.runId);
    const { state, own } = await ownAction(run, address);
    const others = draws.flatMap((candidateId, draw) => (candidateId === null ? [] : [{ candidateId, draw }]));
    const ids = others.map(({ candidateId }) => candidateId);
    const [wrong, ...actions] = await storedActions(store, run, state, [own.id, ...ids]);
    const resamples = others.map(({ draw }, index) => {
      const action = actions[index]!;
      const branch = action.branches.find(({ purpose, rollout }) => purpose === 'resample' && rollout === draw);
      return { action, completion: branch ? branchOutcome(branch) : null };
    });
    const by = samenessOf(run.config, environments.get(run.environment));
    const { verdict, chosen } = correctionOf(wrong!, resamples, by);
    const { unpaired, lookedAt } = await store.findings.undrawn(run.id, address.trajectoryId, address.step);
    const ruledOut = sumUnpaired([unpaired, uncorrecting(wrong!, resamples, chosen?.candidateId ?? null, by)]);
    if (chosen === null && decidingReason(ruledOut) === null) addUnpaired(ruledOut, 'no-alternative');
    const pair = chosen && { chosenId: chosen.candidateId, rejectedId: own.id };
    await record(address, state, { verdict, ownId: own.id, ...pair, ruledOut, lookedAt });
    if (chosen === null) return { verdict };
    const revalue = isRevalued(run, state.id);
    return { verdict, pair: { nodeId: state.id, best: chosen.candidateId, worst: own.id, revalue } };
  }

  async function ownAction(run: Run, address: StepAddress): Promise<{ state: State; own: Candidate }> {
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const { origin, model } = trajectory;
    const source = origin === 'imported' ? 'imported' : 'policy';
    return { state, own: candidateOf(context, state, message, { run, source, model, position: -1 }) };
  }

  function record(
    { runId, trajectoryId, step }: StepAddress,
    state: State,
    found: { verdict: CorrectionVerdict } & Pick<
      NewStep,
      'ownId' | 'chosenId' | 'rejectedId' | 'ruledOut' | 'lookedAt'
    >,
  ): Promise<void> {
    return store.findings.addStep({ runId, trajectoryId, step, nodeId: state.id, ...found });
  }

  return {
    locateError,
    resampleStep,
    recordCorrection,
  };
}

function firstOfEach(candidates: Candidate[]): Candidate[] {
  return [...Map.groupBy(candidates, ({ id }) => id).values()].map(([first]) => first!);
}
