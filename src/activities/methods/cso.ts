/** Activities of CSO: which steps are candidate critical steps, and what is scored to calibrate the PRM. */

import type { Candidate } from '../../domain/candidate.ts';
import { branchAll, judgeStep, ruledOutByScore, type ScoredCandidate } from '../../domain/methods/cso-rule.ts';
import type { CsoOptions } from '../../domain/methods/index.ts';
import { isWorthBranching } from '../../domain/pairs/rules.ts';
import { addUnpaired, decidingReason, sumUnpaired } from '../../domain/pairs/unpaired.ts';
import { csoOptionsOf } from '../../domain/run/run-config.ts';
import type { JudgeResult, ScoredOwnAction } from '../../domain/wire/cso.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { seededFraction } from '../../models/seed.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateOf, trajectoryOf, trajectoryStep } from '../acting/candidates.ts';
import { lookedAt, reachAll, samenessOf } from '../acting/sameness.ts';
import { scorer } from '../roles/prm.ts';
import type { ActivityContext } from '../runtime/context.ts';

export function csoActivities(context: ActivityContext) {
  const { store, environments } = context;
  const { actionsOf, allScored } = scorer(context);

  /** Scores the actions of a step and says whether it is a candidate critical step. Without the gate, the PRM is not asked and every step is one. */
  async function judgeCandidates(address: StepAddress, signal: AbortSignal): Promise<JudgeResult> {
    const run = await store.runs.get(address.runId);
    const { state, policy, alternatives } = await actionsOf(address);
    const options = csoOptionsOf(run.config);
    const scores = options.gate ? await allScored(run, { ...address, state }, [policy, ...alternatives], signal) : [];
    const judged = options.gate
      ? judgeStep(scores[0]!, scores.slice(1), options)
      : branchAll(alternatives.map(({ id }) => ({ candidateId: id })));
    const rows = judged.branched.map((id) => alternatives.find((candidate) => candidate.id === id)!);
    const compared = await comparedWith(run, state, policy, rows, signal);
    const worth = rows.filter((_, index) => compared.isWorthBranching[index]).map(({ id }) => id);
    const branched = worth.slice(0, options.branchesPerStep ?? undefined);
    const ruledOut = sumUnpaired([
      (await store.findings.undrawn(run.id, address.trajectoryId, address.step)).unpaired,
      options.gate ? ruledOutByScore(scores[0]!, scores.slice(1), options) : {},
      { 'same-state': rows.length - worth.length, 'branch-limit': worth.length - branched.length },
    ]);
    if (alternatives.length === 0 && decidingReason(ruledOut) === null) addUnpaired(ruledOut, 'no-alternative');
    const critical = judged.verdict === 'critical';
    const placebo = critical && seededFraction(run.seed, `placebo/${state.id}`) < options.verification.placeboRate;
    await store.findings.addStep({
      runId: run.id,
      trajectoryId: address.trajectoryId,
      step: address.step,
      nodeId: state.id,
      verdict: judged.verdict,
      ownId: policy.id,
      branched,
      placebo,
      ruledOut,
      lookedAt: compared.lookedAt,
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

  /**
   * Finds the alternatives that can be a side of a pair: it checks what they lead to before rollouts are paid for. A run from an earlier
   * version compares only afterwards.
   * @returns also the candidates that were taken for this
   */
  async function comparedWith(
    run: Run,
    state: State,
    policy: Candidate,
    alternatives: Candidate[],
    signal: AbortSignal,
  ): Promise<{ isWorthBranching: boolean[]; lookedAt: string[] }> {
    const by = samenessOf(run.config, environments.get(run.environment));
    if (by === 'observation' || alternatives.length === 0)
      return { isWorthBranching: alternatives.map(() => true), lookedAt: [] };
    const [own, ...others] = await reachAll(context, run, state, [policy, ...alternatives], signal);
    const { pairSources } = csoOptionsOf(run.config);
    const isWorth = others.map((one) =>
      isWorthBranching(
        own!,
        one,
        others.filter((other) => other !== one),
        pairSources,
        by,
      ),
    );
    return {
      isWorthBranching: isWorth,
      lookedAt: lookedAt(
        by,
        alternatives.map(({ id }) => id),
      ),
    };
  }

  /** Scores what the policy did at a step that was drawn to calibrate the PRM. */
  async function scoreOwnAction(address: StepAddress, signal: AbortSignal): Promise<ScoredOwnAction> {
    const run = await store.runs.get(address.runId);
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const { origin, model } = trajectory;
    const source = origin === 'imported' ? 'imported' : 'policy';
    const own = candidateOf(context, state, message, { run, source, model, position: -1 });
    await store.findings.addCandidates([own]);
    const [scored] = await allScored(run, { ...address, state }, [own], signal, 'calibrate');
    return { nodeId: state.id, ...scored! };
  }

  /** Which steps of a successful trajectory are drawn to calibrate the PRM. */
  async function calibrationSteps({ runId, trajectoryId }: Omit<StepAddress, 'step'>): Promise<number[]> {
    const run = await store.runs.get(runId);
    const { leafId, steps } = await trajectoryOf(context, runId, trajectoryId);
    const path = await store.tree.path(leafId);
    return Array.from({ length: steps }, (_, index) => index + 1).filter(
      (step) =>
        seededFraction(run.seed, `calibrate/${path[step]!.id}`) < (csoOptionsOf(run.config).calibrationRate ?? 0),
    );
  }

  return {
    judgeCandidates,
    scoreOwnAction,
    calibrationSteps,
  };
}

/** Whether an action is in the seeded sample that is rolled out regardless of its score. */
function isCalibrated(run: Run, { candidateId: id, score }: ScoredCandidate): boolean {
  return (
    score !== null && seededFraction(run.seed, `calibrate/${id}`) < (csoOptionsOf(run.config).calibrationRate ?? 0)
  );
}

/** Alternatives that are rolled out anyway, each at least once. None without verification, or if it stops at the first verified one. */
function branchedOnce({ verify, stopAtFirst }: CsoOptions, branched: string[]): string[] {
  return verify && !stopAtFirst ? branched : [];
}
