/** Turns the branches of a trajectory into pairs with their certificates. Reads only what is stored, so it gives the same whenever it runs. */
import type { Json } from '../domain/canonical-json.ts';
import type { Ending } from '../domain/ending.ts';
import { type AssistantMessage, messageText } from '../domain/message.ts';
import type { CandidateSource, Certificate, CertifiedAction, CertifiedBranch } from '../domain/pair.ts';
import { pairFlags } from '../domain/pair-flags.ts';
import type { Role } from '../domain/run-config.ts';
import { isVerifiedSuccess, type Tally, tally, verdictOn } from '../domain/verification.ts';
import type { BranchResult, StepAddress } from '../domain/wire.ts';
import { promptVersions } from '../models/prompts.ts';
import { seededFraction } from '../models/seed.ts';
import { contentHash } from '../store/hash.ts';
import type { Answer } from '../store/journal.ts';
import type { Run } from '../store/runs.ts';
import type { BranchTable, CandidateTable, PairTable, StepTable, TrajectoryTable } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { nextStateKey } from '../store/tree.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { streamOf } from './rollout.ts';

type Proof = {
  chosen: CandidateTable;
  rejected: CandidateTable;
  rule: 'none' | 'once' | 'posterior';
  posterior: number | null;
  chosenTally: Tally;
  rejectedTally: Tally;
  /** Branches through the chosen and through the rejected action. */
  branches: { side: 'chosen' | 'rejected'; row: BranchTable }[];
};

export function pairActivities(context: ActivityContext) {
  const { store, environments } = context;

  /** Emits the pairs of a trajectory. @returns how many pairs it has */
  async function recordPairs({ runId, trajectoryId }: Omit<StepAddress, 'step'>): Promise<number> {
    const run = await store.runs.get(runId);
    const trajectory = await store.findings.trajectory(runId, trajectoryId);
    if (!trajectory) throw new Error(`Run ${runId} has no trajectory ${trajectoryId}.`);
    const rows: PairTable[] = [];
    for (const step of await store.findings.steps(runId, trajectoryId)) {
      if (step.verdict !== 'critical') continue;
      const state = await store.tree.state(step.node_id);
      const proofs = await proofsOf(run, step, state);
      const kept = keepBest(proofs, run.config.options.pairsPerStep, run.seed);
      for (const proof of kept) rows.push(await pairRow(run, trajectory, step, state, proof));
    }
    const balanced = keepBestRows(rows, run.config.options.pairsPerTask, run.seed);
    await store.findings.addPairs(balanced);
    return balanced.length;
  }

  /** All (chosen, rejected) of a step that its branches prove. */
  async function proofsOf(run: Run, step: StepTable, state: State): Promise<Proof[]> {
    const { options } = run.config;
    const candidates = await store.findings.candidatesOf(run.id, state.id);
    // By state, not by trajectory: two trajectories that came through one state share its branches.
    const all = await store.findings.branchesAt(run.id, state.id);
    const policy = candidates.find(({ id }) => id === step.policy_candidate_id)!;
    const of = (candidate: CandidateTable, purpose: string) =>
      all.filter((row) => row.candidate_id === candidate.id && row.purpose === purpose);
    const alternatives = (JSON.parse(step.alternatives) as string[]).map(
      (id) => candidates.find((other) => other.id === id)!,
    );
    const [chosenSource, rejectedSource] = options.pairSources.split('/');
    const baseline = of(policy, 'baseline');
    const policyTally = tally(baseline.map(branchOutcome));

    const proofs: Proof[] = [];
    for (const chosen of alternatives.filter(({ source }) => source === chosenSource)) {
      const verified = of(chosen, 'verify');
      const chosenTally = tally(verified.map(branchOutcome));
      const verdict = options.verify
        ? verdictOn(chosenTally, policyTally, options.verification)
        : { verdict: 'accepted' as const, rule: 'none' as const, posterior: null };
      if (verdict.verdict !== 'accepted') continue;
      const rejectedOnes =
        rejectedSource === 'policy'
          ? [{ candidate: policy, branches: baseline }]
          : alternatives
              .filter((other) => other.source === 'expert' && other.id !== chosen.id)
              .map((candidate) => ({ candidate, branches: of(candidate, 'verify') }))
              .filter(({ branches }) => isFailure(tally(branches.map(branchOutcome))));
      for (const rejected of rejectedOnes) {
        if (await leadsToTheSame(state, chosen, rejected.candidate)) continue;
        proofs.push({
          chosen,
          rejected: rejected.candidate,
          rule: verdict.rule,
          posterior: verdict.posterior,
          chosenTally,
          rejectedTally: tally(rejected.branches.map(branchOutcome)),
          branches: [
            ...verified.map((row) => ({ side: 'chosen' as const, row })),
            ...rejected.branches.map((row) => ({ side: 'rejected' as const, row })),
          ],
        });
        // Without verification a step gives one pair: its best alternative.
        if (!options.verify) return proofs;
      }
    }
    return proofs;
  }

  /** Two actions after which the agent sees the same and can do the same are no preference. */
  async function leadsToTheSame(state: State, one: CandidateTable, other: CandidateTable): Promise<boolean> {
    if (one.action === null || other.action === null) return false;
    const [first, second] = await Promise.all(
      [one, other].map((candidate) =>
        store.tree.transition(nextStateKey(state.stateKey, JSON.parse(candidate.action!))),
      ),
    );
    return !!first && !!second && !first.done && !second.done && first.observation === second.observation;
  }

  async function pairRow(
    run: Run,
    trajectory: TrajectoryTable,
    step: StepTable,
    state: State,
    proof: Proof,
  ): Promise<PairTable> {
    const id = contentHash(['pair', state.id, proof.chosen.id, proof.rejected.id]);
    const task = await environments.task(run.environment, trajectory.task_id);
    const environment = environments.get(run.environment);
    const calls = await callsBehind(run, state, proof);
    const branches = await Promise.all(proof.branches.map(({ side, row }) => certifiedBranch(side, row, calls)));
    const stepsOfSuccesses = proof.branches
      .filter(({ side, row }) => side === 'chosen' && isVerifiedSuccess(branchOutcome(row)))
      // The alternative itself is no step of the policy.
      .map(({ row }) => row.steps - 1);
    const chosenMessage = JSON.parse(proof.chosen.message) as AssistantMessage;
    const flags = pairFlags({
      conversation: state.messages.map(messageText).join('\n') + JSON.stringify(state.tools),
      chosenText: messageText(chosenMessage),
      chosenArguments: argumentTexts(proof.chosen.action),
      stepsAfterAlternative: stepsOfSuccesses,
      imported: trajectory.origin === 'imported',
      rule: proof.rule,
    });
    const { options, models } = run.config;
    const certificate: Certificate = {
      schemaVersion: 1,
      pairId: id,
      runId: run.id,
      method: run.method,
      preset: run.config.preset,
      environment: { name: environment.name, version: environment.version, verifier: environment.verifier },
      task: { id: task.id, group: task.group, split: task.split },
      nodeId: state.id,
      step: step.step,
      trajectoryId: trajectory.id,
      chosen: await certifiedAction(run, proof.chosen),
      rejected: await certifiedAction(run, proof.rejected),
      branches,
      verification: {
        rule: proof.rule,
        chosenSuccesses: proof.chosenTally.successes,
        chosenRollouts: proof.chosenTally.rollouts,
        rejectedSuccesses: proof.rejectedTally.successes,
        rejectedRollouts: proof.rejectedTally.rollouts,
        missing: proof.chosenTally.missing + proof.rejectedTally.missing,
        posterior: proof.posterior,
        fitsOriginalBudget: stepsOfSuccesses.some((steps) => state.step + 1 + steps <= run.config.stepLimit),
        confirmed: confirmedOf(proof.branches.filter(({ side }) => side === 'chosen').map(({ row }) => row)),
      },
      restore: environment.capabilities.deterministic
        ? { method: 'replay', comparedObservations: state.actions.length }
        : { method: 'snapshot', comparedObservations: 0 },
      models: Object.fromEntries(
        (Object.keys(models) as Role[]).map((role) => [
          role,
          {
            model: models[role].model,
            sampling: {
              temperature: models[role].temperature,
              topP: models[role].topP,
              maxTokens: models[role].maxTokens,
            },
            promptVersion: promptVersions[role],
          },
        ]),
      ),
      thresholds: {
        gammaLow: options.gammaLow,
        gammaHigh: options.gammaHigh,
        confidence: options.verification.confidence,
      },
      attempts: {
        asks: calls.length,
        faults: await store.journal.countFaults(
          run.id,
          calls.map(({ key }) => key),
        ),
      },
      tokens: tokensByRole(calls),
      costMicroUsd: sumOrNull(calls.map((call) => call.costMicroUsd)),
      flags,
    };
    return {
      run_id: run.id,
      id,
      trajectory_id: trajectory.id,
      task_id: task.id,
      task_group: task.group,
      node_id: state.id,
      step: step.step,
      chosen_id: proof.chosen.id,
      rejected_id: proof.rejected.id,
      flags: JSON.stringify(flags),
      certificate: JSON.stringify(certificate),
    };
  }

  /** Proposals and scores in the pair's state, and the calls of its branches. */
  async function callsBehind(run: Run, state: State, proof: Proof): Promise<Answer[]> {
    const inState = await store.journal.inState(run.id, state.id, ['propose', 'score']);
    const streams = proof.branches.map(({ row }) => ({
      purpose: row.purpose,
      stream: streamOf({ nodeId: row.node_id, candidateId: row.candidate_id, rollout: row.rollout }),
    }));
    const inBranches = await Promise.all(
      streams.map(({ purpose, stream }) => store.journal.inStream(run.id, purpose, stream)),
    );
    return [...inState, ...inBranches.flat()];
  }

  async function certifiedAction(run: Run, candidate: CandidateTable): Promise<CertifiedAction> {
    return {
      candidateId: candidate.id,
      source: candidate.source as CandidateSource,
      model: candidate.model,
      message: JSON.parse(candidate.message) as AssistantMessage,
      canonical: candidate.canonical,
      score: (await store.findings.score(run.id, candidate.id))?.score ?? null,
    };
  }

  async function certifiedBranch(
    side: 'chosen' | 'rejected',
    row: BranchTable,
    calls: Answer[],
  ): Promise<CertifiedBranch> {
    let first = await store.tree.state(row.leaf_id);
    const origin = await store.tree.state(row.node_id);
    while (first.step > origin.step + 1) first = await store.tree.state(first.parentId!);
    const stream = streamOf({ nodeId: row.node_id, candidateId: row.candidate_id, rollout: row.rollout });
    const call = calls.find(
      (other) => other.purpose === row.purpose && other.stream === stream && other.nodeId === first.id,
    );
    return {
      branchId: row.id,
      side,
      rollout: row.rollout,
      purpose: row.purpose,
      seed: call?.seed ?? null,
      ending: row.ending as Ending,
      reward: row.reward,
      success: row.success === null ? null : row.success === 1,
      steps: row.steps - 1,
      leafNodeId: row.leaf_id,
    };
  }

  return { recordPairs: activity(recordPairs) };
}

export function branchOutcome(row: BranchTable): BranchResult {
  return {
    ending: row.ending as Ending,
    success: row.success === null ? null : row.success === 1,
    reward: row.reward,
    confirmed: row.confirmed === null ? null : row.confirmed === 1,
  };
}

function isFailure({ successes, rollouts }: Tally): boolean {
  return rollouts > 0 && successes === 0;
}

function confirmedOf(rows: BranchTable[]): boolean | null {
  const successes = rows.filter((row) => row.success === 1 && row.confirmed !== null);
  return successes.length === 0 ? null : successes.some((row) => isVerifiedSuccess(branchOutcome(row)));
}

/** By posterior where there is one, else in a seeded random order; never by score gap, which selects the PRM's overconfidence. */
function keepBest(proofs: Proof[], most: number | null, seed: number): Proof[] {
  const order = (proof: Proof) => seededFraction(seed, `keep/${proof.chosen.id}/${proof.rejected.id}`);
  return proofs
    .toSorted((one, other) => (other.posterior ?? 0) - (one.posterior ?? 0) || order(one) - order(other))
    .slice(0, most ?? undefined);
}

function keepBestRows(rows: PairTable[], most: number | null, seed: number): PairTable[] {
  if (most === null || rows.length <= most) return rows;
  const posterior = (row: PairTable) => (JSON.parse(row.certificate) as Certificate).verification.posterior ?? 0;
  const order = (row: PairTable) => seededFraction(seed, `keep/${row.id}`);
  return rows.toSorted((one, other) => posterior(other) - posterior(one) || order(one) - order(other)).slice(0, most);
}

function tokensByRole(calls: Answer[]): Certificate['tokens'] {
  const roles = [...new Set(calls.map((call) => call.role))].sort();
  return Object.fromEntries(
    roles.map((role) => {
      const own = calls.filter((call) => call.role === role);
      return [
        role,
        {
          prompt: sumOrNull(own.map((call) => call.promptTokens)),
          completion: sumOrNull(own.map((call) => call.completionTokens)),
        },
      ];
    }),
  );
}

/** A sum with an unknown part is unknown. */
function sumOrNull(values: (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}

function argumentTexts(action: string | null): string {
  if (action === null) return '';
  const { arguments: parameters } = JSON.parse(action) as { arguments: { [name: string]: Json } };
  return Object.values(parameters)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join('\n');
}
