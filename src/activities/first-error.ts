/** Activities of Step-DPO as published (arXiv 2406.18629): the first wrong step of a failure, its resamples, and what corrects it. */
import { type CorrectionVerdict, correctionOf } from '../domain/correction.ts';
import { stepDpoOptionsOf } from '../domain/run-config.ts';
import type { CorrectInput, ErrorLocation, RankResult, ResampleResult, StepAddress } from '../domain/wire.ts';
import { admitRun } from '../models/admit-run.ts';
import { seededFraction } from '../models/seed.ts';
import type { Run } from '../store/runs.ts';
import type { CandidateTable } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { judgeCall, mostJudgeAsks, readFirstError } from './judge-call.ts';
import { branchOutcome, storedActions } from './proof.ts';
import { modelTurn } from './steps.ts';
import { candidateOf, trajectoryRow, trajectoryStep } from './trajectory-steps.ts';

export function firstErrorActivities(context: ActivityContext) {
  const { store, gateway } = context;

  /** Asks the judge which step of a failed trajectory was the first wrong one. Where it names none, that is recorded at the last step. */
  async function locateError(
    { runId, trajectoryId }: Omit<StepAddress, 'step'>,
    signal: AbortSignal,
  ): Promise<ErrorLocation> {
    const run = await store.runs.get(runId);
    const { leaf_id } = await trajectoryRow(context, runId, trajectoryId);
    const path = await store.tree.path(leaf_id);
    const named = await firstWrongStep(run, path, signal);
    if (typeof named === 'number') return { verdict: 'first-error', step: named };
    const verdict = named === null ? 'no-error' : 'unjudged';
    const last = { runId, trajectoryId, step: path.length - 1 };
    await record(last, path.at(-2)!, { verdict, policyId: '', alternatives: [] });
    return { verdict, step: null };
  }

  /** @returns null when the judge says that none is wrong; undefined when none of the asks gave a readable answer */
  async function firstWrongStep(run: Run, path: State[], signal: AbortSignal): Promise<number | null | undefined> {
    for (let ask = 0; ask < mostJudgeAsks; ask++) {
      const { message } = await gateway.answer(judgeCall(run, path, ask), signal);
      const named = readFirstError(message.content ?? '', path.length - 1);
      if (named !== undefined) return named;
    }
    return undefined;
  }

  /**
   * Draws the policy's action at a step anew, and stores what is another action. Draws belong to the state, as proposals do: whichever
   * trajectory comes through it reads the same ones.
   */
  async function resampleStep(address: StepAddress, signal: AbortSignal): Promise<ResampleResult> {
    const run = await store.runs.get(address.runId);
    admitRun(run);
    const { state, own } = await ownAction(run, address);
    const { resamples = 0 } = stepDpoOptionsOf(run.config);
    const drawn = await Promise.all(
      Array.from({ length: resamples }, (_, draw) => drawnAnew(run, state, draw, signal)),
    );
    const isOther = (candidate: CandidateTable | null) =>
      candidate !== null && candidate.canonical !== null && candidate.canonical !== own.canonical;
    const others = drawn.map((candidate) => (isOther(candidate) ? candidate : null));
    await store.findings.addCandidates([own, ...firstOfEach(others.filter((candidate) => candidate !== null))]);
    return { nodeId: state.id, draws: others.map((candidate) => candidate?.id ?? null) };
  }

  /** @returns null when the policy refused, or had no room left */
  async function drawnAnew(run: Run, state: State, draw: number, signal: AbortSignal): Promise<CandidateTable | null> {
    const where = { role: 'policy' as const, purpose: 'propose' as const, stream: `resample-${draw}` };
    const turn = await modelTurn(context, run, state, where, signal);
    if (turn.kind === 'ended') return null;
    const { model } = run.config.models.policy;
    return candidateOf(context, state, turn.answer.message, { runId: run.id, source: 'policy', model, position: draw });
  }

  /** Records which of the resamples, if any, is preferred to the action that went wrong. All their branches must be over. */
  async function recordCorrection({ draws, ...address }: CorrectInput): Promise<RankResult> {
    const run = await store.runs.get(address.runId);
    const { state, own } = await ownAction(run, address);
    const others = draws.flatMap((candidateId, draw) => (candidateId === null ? [] : [{ candidateId, draw }]));
    const ids = others.map(({ candidateId }) => candidateId);
    const [wrong, ...actions] = await storedActions(store, run.id, state, [own.id, ...ids]);
    const resamples = others.map(({ draw }, index) => {
      const action = actions[index]!;
      const row = action.rows.find(({ purpose, rollout }) => purpose === 'resample' && rollout === draw);
      return { action, completion: row ? branchOutcome(row) : null };
    });
    const { verdict, chosen } = correctionOf(wrong!, resamples);
    const alternatives = chosen === null ? [] : [chosen.candidateId, own.id];
    await record(address, state, { verdict, policyId: own.id, alternatives });
    if (chosen === null) return { verdict };
    const revalue = seededFraction(run.seed, `revalue/${state.id}`) < (stepDpoOptionsOf(run.config).revalueRate ?? 0);
    return { verdict, pair: { nodeId: state.id, best: chosen.candidateId, worst: own.id, revalue } };
  }

  async function ownAction(run: Run, address: StepAddress): Promise<{ state: State; own: CandidateTable }> {
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const { origin, model } = trajectory;
    const source = origin === 'imported' ? 'imported' : 'policy';
    return { state, own: candidateOf(context, state, message, { runId: run.id, source, model, position: -1 }) };
  }

  function record(
    { runId, trajectoryId, step }: StepAddress,
    state: State,
    found: { verdict: CorrectionVerdict; policyId: string; alternatives: string[] },
  ): Promise<void> {
    return store.findings.addStep({
      run_id: runId,
      trajectory_id: trajectoryId,
      step,
      node_id: state.id,
      verdict: found.verdict,
      policy_candidate_id: found.policyId,
      alternatives: JSON.stringify(found.alternatives),
      placebo: 0,
    });
  }

  return {
    locateError: activity(locateError),
    resampleStep: activity(resampleStep),
    recordCorrection: activity(recordCorrection),
  };
}

function firstOfEach(candidates: CandidateTable[]): CandidateTable[] {
  return [...Map.groupBy(candidates, ({ id }) => id).values()].map(([first]) => first!);
}
