import { z } from 'zod';
import { branchAll, judgeStep, type ScoredCandidate } from '../domain/critical-step.ts';
import type { CsoOptions } from '../domain/methods/index.ts';
import { alternativeOptionsOf, csoOptionsOf, stepDpoOptionsOf } from '../domain/run-config.ts';
import { meanScore, preferenceOf } from '../domain/step-preference.ts';
import type { JudgeResult, RankResult, ScoredOwnAction, StepAddress } from '../domain/wire.ts';
import { seededFraction } from '../models/seed.ts';
import type { Run } from '../store/runs.ts';
import type { CandidateTable, ScorePurpose } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { mostScoreAsks, scoreCall } from './score-call.ts';
import { candidateId, candidateOf, trajectoryRow, trajectoryStep } from './trajectory-steps.ts';

const scoreSchema = z.object({ score: z.number().min(0).max(1) });

export function prmActivities(context: ActivityContext) {
  const { store, gateway } = context;

  /** Scores the actions of a step and says whether it is a candidate critical step. Without the gate, nobody is asked and every step is. */
  async function judgeCandidates(address: StepAddress, signal: AbortSignal): Promise<JudgeResult> {
    const run = await store.runs.get(address.runId);
    const { state, policy, alternatives } = await actionsOf(address);
    const options = csoOptionsOf(run.config);
    const scores = options.gate ? await allScored(run, state, [policy, ...alternatives], signal) : [];
    const judged = options.gate
      ? judgeStep(scores[0]!, scores.slice(1), options)
      : branchAll(alternatives.map(({ id }) => ({ candidateId: id })));
    const branched = judged.branched.slice(0, options.branchesPerStep ?? undefined);
    const critical = judged.verdict === 'critical';
    const placebo = critical && seededFraction(run.seed, `placebo/${state.id}`) < options.verification.placeboRate;
    await store.findings.addStep({
      run_id: run.id,
      trajectory_id: address.trajectoryId,
      step: address.step,
      node_id: state.id,
      verdict: judged.verdict,
      policy_candidate_id: policy.id,
      alternatives: JSON.stringify(branched),
      placebo: Number(placebo),
    });
    const calibrated = scores.filter(
      (scored) => isCalibrated(run, scored) && !branchedOnce(options, branched).includes(scored.candidateId),
    );
    return {
      verdict: judged.verdict,
      nodeId: state.id,
      policyCandidateId: policy.id,
      alternatives: branched,
      placebo,
      ...(calibrated.length > 0 && { calibrated: calibrated.map(({ candidateId: id }) => id) }),
    };
  }

  /** Scores what the policy did at a step that was drawn to calibrate the PRM. */
  async function scoreOwnAction(address: StepAddress, signal: AbortSignal): Promise<ScoredOwnAction> {
    const run = await store.runs.get(address.runId);
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const { origin, model } = trajectory;
    const source = origin === 'imported' ? 'imported' : 'policy';
    const own = candidateOf(context, state, message, { runId: run.id, source, model, position: -1 });
    await store.findings.addCandidates([own]);
    const { score } = await scored(run, state, own, signal, 'calibrate');
    return { nodeId: state.id, candidateId: own.id, score };
  }

  /** Which steps of a successful trajectory are drawn to calibrate the PRM. */
  async function calibrationSteps({ runId, trajectoryId }: Omit<StepAddress, 'step'>): Promise<number[]> {
    const run = await store.runs.get(runId);
    const { leaf_id, steps } = await trajectoryRow(context, runId, trajectoryId);
    const path = await store.tree.path(leaf_id);
    return Array.from({ length: steps }, (_, index) => index + 1).filter(
      (step) =>
        seededFraction(run.seed, `calibrate/${path[step]!.id}`) < (csoOptionsOf(run.config).calibrationRate ?? 0),
    );
  }

  /** Scores the actions of a step and says which of them is preferred to which, if any. */
  async function rankCandidates(address: StepAddress, signal: AbortSignal): Promise<RankResult> {
    const run = await store.runs.get(address.runId);
    const { state, policy, alternatives } = await actionsOf(address);
    const scores = await allScored(run, state, [policy, ...alternatives], signal);
    const { verdict, pair } = preferenceOf(scores, stepDpoOptionsOf(run.config).gap);
    await store.findings.addStep({
      run_id: run.id,
      trajectory_id: address.trajectoryId,
      step: address.step,
      node_id: state.id,
      verdict,
      policy_candidate_id: policy.id,
      alternatives: JSON.stringify(pair === null ? [] : [pair.best, pair.worst]),
      placebo: 0,
    });
    const rate = stepDpoOptionsOf(run.config).revalueRate ?? 0;
    const revalue = seededFraction(run.seed, `revalue/${state.id}`) < rate;
    return { verdict, ...(pair && { pair: { nodeId: state.id, ...pair, revalue } }) };
  }

  /** The policy's own action at a step, and the alternatives to it in the order in which they were drawn. */
  async function actionsOf(
    address: StepAddress,
  ): Promise<{ state: State; policy: CandidateTable; alternatives: CandidateTable[] }> {
    const { state, message } = await trajectoryStep(context, address);
    // Another trajectory may have come through the same state with another action, and shares the alternatives.
    const candidates = await store.findings.candidatesOf(address.runId, state.id);
    const policy = candidates.find(({ id }) => id === candidateId(state, message, 'own'));
    if (!policy)
      throw new Error(`The action of step ${address.step} is not among the candidates of state ${state.id}.`);
    const alternatives = candidates.filter(
      ({ position, canonical }) => position >= 0 && (canonical === null || canonical !== policy.canonical),
    );
    return { state, policy, alternatives };
  }

  function allScored(
    run: Run,
    state: State,
    candidates: CandidateTable[],
    signal: AbortSignal,
  ): Promise<ScoredCandidate[]> {
    return Promise.all(candidates.map((candidate) => scored(run, state, candidate, signal)));
  }

  async function scored(
    run: Run,
    state: State,
    candidate: CandidateTable,
    signal: AbortSignal,
    purpose: ScorePurpose = 'score',
  ): Promise<ScoredCandidate> {
    const samples = await Promise.all(
      Array.from({ length: alternativeOptionsOf(run.config).prmSamples }, (_, sample) =>
        score(run, state, candidate, { purpose, sample }, signal),
      ),
    );
    const mean = meanScore(samples);
    await store.findings.addScore({
      run_id: run.id,
      candidate_id: candidate.id,
      purpose,
      score: mean,
      samples: JSON.stringify(samples),
    });
    return { candidateId: candidate.id, score: mean };
  }

  /** @returns process reward in [0, 1]; null when none of the asks gave a readable one */
  async function score(
    run: Run,
    state: State,
    candidate: CandidateTable,
    { purpose, sample }: { purpose: ScorePurpose; sample: number },
    signal: AbortSignal,
  ): Promise<number | null> {
    for (let ask = 0; ask < mostScoreAsks; ask++) {
      const answer = await gateway.answer(scoreCall(run, state, candidate, { purpose, sample, ask }), signal);
      const value = readScore(answer.message.content ?? '');
      if (value !== null) return value;
    }
    return null;
  }

  return {
    judgeCandidates: activity(judgeCandidates),
    rankCandidates: activity(rankCandidates),
    scoreOwnAction: activity(scoreOwnAction),
    calibrationSteps: activity(calibrationSteps),
  };
}

/** Whether an action is in the seeded sample that is rolled out whatever its score is. */
function isCalibrated(run: Run, { candidateId: id, score }: ScoredCandidate): boolean {
  return (
    score !== null && seededFraction(run.seed, `calibrate/${id}`) < (csoOptionsOf(run.config).calibrationRate ?? 0)
  );
}

/** Alternatives that are rolled out anyway, each at least once: where nothing may end that early. */
function branchedOnce({ verify, stopAtFirst }: CsoOptions, branched: string[]): string[] {
  return verify && !stopAtFirst ? branched : [];
}

/** The score in a judge's answer: JSON, alone or inside other text. */
function readScore(text: string): number | null {
  const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  try {
    const parsed = scoreSchema.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data.score : null;
  } catch {
    return null;
  }
}
