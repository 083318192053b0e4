/** The certificate of a pair: everything that is known about it, gathered from the store. */

import type { Action } from '../../domain/action.ts';
import { askPurposes } from '../../domain/ask.ts';
import { isFlagged } from '../../domain/audit-flags.ts';
import { type Branch, branchOutcome } from '../../domain/branch.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { isAtLimit } from '../../domain/ending.ts';
import { messageText } from '../../domain/message.ts';
import { standardError } from '../../domain/methods/rro-rule.ts';
import { screeningPurposes } from '../../domain/monte-carlo.ts';
import { pairFlags } from '../../domain/pairs/flags.ts';
import type { Certificate, CertifiedAction, CertifiedBranch, RecordedPair } from '../../domain/pairs/pair.ts';
import { isVerifiedSuccess } from '../../domain/pairs/verification.ts';
import { certifiedThresholds, type Role } from '../../domain/run/run-config.ts';
import { transitionStream } from '../../domain/run/transitions.ts';
import { sumOrNull } from '../../domain/statistics/sums.ts';
import { streamOf } from '../../domain/stream.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { Environment } from '../../environments/contract.ts';
import { callKey } from '../../models/gateway.ts';
import { promptVersionOf } from '../../models/prompts.ts';
import { contentHash } from '../../store/hash.ts';
import type { Answer } from '../../store/journal.ts';
import type { Run } from '../../store/runs.ts';
import { limitKey, outcomeKey, type State } from '../../store/tree.ts';
import { mostScoreAsks, scoreCall } from '../roles/score-call.ts';
import type { ActivityContext } from '../runtime/context.ts';
import type { Proof } from './evidence.ts';
import { type Side, toldOfSide } from './usage.ts';

/** A branch whose calls are behind a pair, and their stream if it is not the branch's own. */
type CalledBranch = Pick<Proof['branches'][number], 'branch' | 'stream'>;

/** Candidates of a state: those that matter to a trajectory, and those that only others have scored. */
type CandidatesAt = { own: Candidate[]; foreign: Candidate[] };

/** Records pairs that were proven. */
export function certifier(context: ActivityContext) {
  const { store, environments } = context;
  async function certify(run: Run, trajectory: Trajectory, state: State, proof: Proof): Promise<RecordedPair> {
    const { leaves } = proof;
    const id = contentHash(
      leaves
        ? ['pair', state.id, leaves.chosen, leaves.rejected]
        : ['pair', state.id, proof.chosen.id, proof.rejected.id],
    );
    const task = await environments.task(run.environment, trajectory.taskId);
    const environment = environments.get(run.environment);
    const calls = await callsBehind(run, trajectory, state, proof);
    const branches = await Promise.all(proof.branches.map(({ side, branch }) => certifiedBranch(side, branch, calls)));
    const stepsOfSuccesses = proof.branches
      .filter(({ side, branch }) => side === 'chosen' && isVerifiedSuccess(branchOutcome(branch)))
      // The alternative itself is no step of the policy.
      .map(({ branch }) => branch.steps - 1);
    const chosenMessage = proof.chosen.message;
    const flags = pairFlags({
      conversation: state.messages.map(messageText).join('\n') + JSON.stringify(state.tools),
      chosenText: messageText(chosenMessage),
      chosenArguments: argumentTexts(proof.chosen.actions),
      languageWords: environment.languageWords ?? [],
      stepsAfterAlternative: stepsOfSuccesses,
      imported: trajectory.origin === 'imported',
      rule: proof.rule,
      sameObservation: proof.sameObservation ?? false,
      otherHistory: proof.otherHistory ?? false,
      scripted: trajectory.origin === 'scripted' && proof.chosen.source === 'expert',
    });
    const { models } = run.config;
    const certificate: Certificate = {
      schemaVersion: 1,
      pairId: id,
      runId: run.id,
      method: run.method,
      preset: run.config.preset,
      environment: { name: environment.name, version: environment.version, verifier: environment.verifier },
      task: { id: task.id, group: task.group, split: task.split },
      nodeId: state.id,
      step: state.step + 1,
      trajectoryId: trajectory.id,
      chosen: await certifiedAction(run, trajectory, state, { candidate: proof.chosen, leafId: leaves?.chosen }),
      rejected: await certifiedAction(run, trajectory, state, { candidate: proof.rejected, leafId: leaves?.rejected }),
      ...(leaves && { leaves }),
      branches,
      verification: {
        rule: proof.rule,
        chosenSuccesses: proof.chosenTally.successes,
        chosenRollouts: proof.chosenTally.rollouts,
        rejectedSuccesses: proof.rejectedTally.successes,
        rejectedRollouts: proof.rejectedTally.rollouts,
        missing: proof.chosenTally.missing + proof.rejectedTally.missing,
        posterior: proof.posterior,
        values: proof.values,
        ...(proof.values && { standardErrors: proof.standardErrors ?? standardErrorsOf(proof) }),
        ...(proof.outcomes && { outcomes: proof.outcomes }),
        fitsOriginalBudget: stepsOfSuccesses.some((steps) => state.step + 1 + steps <= run.config.stepLimit),
        audited: isAudited(run, environment, proof) ? true : null,
        confirmed: confirmedOf(proof.branches.filter(({ side }) => side === 'chosen').map(({ branch }) => branch)),
      },
      restore: await restoreOf(environment, state, proof),
      models: Object.fromEntries(
        Object.entries(models).map(([role, { model, temperature, topP, maxTokens }]) => [
          role,
          {
            model,
            sampling: { temperature, topP, maxTokens },
            promptVersion: promptVersionOf(run.config, role as Role),
          },
        ]),
      ),
      ...(run.config.monteCarlo && { monteCarlo: run.config.monteCarlo }),
      thresholds: certifiedThresholds(run.config),
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
      runId: run.id,
      id,
      trajectoryId: trajectory.id,
      taskId: task.id,
      group: task.group,
      nodeId: state.id,
      step: state.step + 1,
      chosenId: proof.chosen.id,
      rejectedId: proof.rejected.id,
      chosenLeaf: leaves?.chosen ?? null,
      rejectedLeaf: leaves?.rejected ?? null,
      flags,
      certificate,
    };
  }

  /** How the pair's state was restored before its branches. */
  async function restoreOf(environment: Environment, state: State, { rule }: Proof): Promise<Certificate['restore']> {
    const { replay } = environment.capabilities;
    if (replay === 'compare')
      return { method: 'replay', comparedObservations: rule === 'none' ? 0 : state.actions.length };
    const isRecording = replay === 'recorded' && (await store.tree.snapshot(state.stateKey)) === undefined;
    return { method: isRecording ? 'recording' : 'snapshot', comparedObservations: 0, after: 'live' };
  }

  /** Proposals and scores in the pair's state, what the judge of the trajectory said, and the calls of its branches. */
  async function callsBehind(run: Run, trajectory: Trajectory, state: State, proof: Proof): Promise<Answer[]> {
    const others = await othersAt(run, trajectory, state);
    const ofOthers = scoresOnlyOf(run, state, others);
    const all = await store.journal.inState(run.id, state.id, ['propose', 'score']);
    // Draws at a state under RRO belong to one sample; proposals under the other methods belong to all samples.
    const inState = all.filter(({ key, stream }) => !ofOthers.has(key) && !isDrawOfOther(stream, trajectory.sample));
    const branches = [...proof.branches, ...(await screening(run, state, others))];
    const inBranches = await Promise.all(
      branches.map(({ branch, stream }) =>
        stream === undefined
          ? store.journal.inStream(run.id, branch.purpose, branchStream(branch))
          : callsOfTrajectory(run, branch, stream),
      ),
    );
    const judged = await store.journal.inState(run.id, trajectory.leafId, ['locate']);
    return [...inState, ...judged, ...inBranches.flat(), ...(await asksBehind(run, branches))];
  }

  /** What sessions asked in the steps of the branches. Branches that share a step share what it asked. */
  async function asksBehind(run: Run, branches: CalledBranch[]): Promise<Answer[]> {
    if (!environments.get(run.environment).asks?.length) return [];
    const keys = new Set<string>();
    for (const { branch, stream } of branches) {
      const path = await store.tree.path(branch.leafId);
      // A whole trajectory is no branch from the pair's state: all of its calls count.
      const first = stream === undefined ? path.findIndex(({ id }) => id === branch.nodeId) + 1 : 0;
      for (const { stateKey } of path.slice(first)) keys.add(stateKey);
      const call = { purpose: branch.purpose, stream: stream ?? branchStream(branch) };
      if (isAtLimit(branch.ending))
        keys.add(limitKey(outcomeKey(path.at(-1)!.stateKey, transitionStream(run.config, call))));
    }
    return store.journal.inStates(run.id, [...keys], askPurposes);
  }

  /**
   * Candidates that only other trajectories through the state asked to score: their own actions, and alternatives that are this one's own
   * action. Whether they have been scored already depends on which trajectory came first, and no pair of this trajectory needs them.
   */
  async function othersAt(run: Run, trajectory: Trajectory, state: State): Promise<CandidatesAt> {
    const candidates = await store.findings.candidatesOf(run.id, state.id);
    const step = await store.findings.step(run.id, trajectory.id, state.step + 1);
    const policy = candidates.find(({ id }) => id === step?.ownId);
    if (!policy) return { own: candidates, foreign: [] };
    const isForeign = (candidate: Candidate) =>
      candidate.id !== policy.id &&
      (candidate.position < 0 || (candidate.canonical !== null && candidate.canonical === policy.canonical));
    return { own: candidates.filter((one) => !isForeign(one)), foreign: candidates.filter(isForeign) };
  }

  /** Keys of the calls that scored none but foreign candidates. */
  function scoresOnlyOf(run: Run, state: State, { own, foreign }: CandidatesAt): Set<string> {
    if (!('prmSamples' in run.config.options) || !run.config.models.prm || foreign.length === 0) return new Set();
    const { prmSamples } = run.config.options;
    const keysOf = (some: Candidate[]) =>
      new Set(
        some.flatMap((candidate) =>
          Array.from({ length: prmSamples * mostScoreAsks }, (_, index) => {
            const [sample, ask] = [Math.floor(index / mostScoreAsks), index % mostScoreAsks];
            const asked = (isBrief: boolean) =>
              callKey(scoreCall(run, state, candidate, { purpose: 'score', sample, ask }, isBrief));
            return ask === 0 ? [asked(false)] : [asked(false), asked(true)];
          }).flat(),
        ),
      );
    // The same words are the same call, no matter which trajectory asked.
    return keysOf(foreign).difference(keysOf(own));
  }

  /** The rollouts behind the scores in the state. */
  async function screening(run: Run, state: State, { own }: CandidatesAt): Promise<CalledBranch[]> {
    if (!run.config.monteCarlo) return [];
    const scored = new Set(own.map(({ id }) => id));
    return (await store.findings.branchesAt(run.id, state.id))
      .filter(({ purpose, candidateId }) => purpose === screeningPurposes.score && scored.has(candidateId))
      .map((branch) => ({ branch }));
  }

  /** A trajectory's stream is not unique: other tasks have it too. */
  async function callsOfTrajectory(run: Run, { leafId, purpose }: Branch, stream: string): Promise<Answer[]> {
    const path = await store.tree.path(leafId);
    const calls = await Promise.all(path.map(({ id }) => store.journal.inState(run.id, id, [purpose])));
    return calls.flat().filter((call) => call.stream === stream);
  }

  async function certifiedAction(run: Run, trajectory: Trajectory, state: State, side: Side): Promise<CertifiedAction> {
    const { candidate } = side;
    return {
      candidateId: candidate.id,
      source: candidate.source,
      model: candidate.model,
      message: candidate.message,
      canonical: candidate.canonical,
      score: (await store.findings.score(run.id, candidate.id, 'score'))?.score ?? null,
      ...(await toldOfSide(context, run, trajectory, state, side)),
    };
  }

  async function certifiedBranch(
    side: 'chosen' | 'rejected',
    branch: Branch,
    calls: Answer[],
  ): Promise<CertifiedBranch> {
    let first = await store.tree.state(branch.leafId);
    const origin = await store.tree.state(branch.nodeId);
    while (first.step > origin.step + 1) first = await store.tree.state(first.parentId!);
    const stream = branchStream(branch);
    const call = calls.find(
      (other) => other.purpose === branch.purpose && other.stream === stream && other.nodeId === first.id,
    );
    return {
      branchId: branch.id,
      side,
      rollout: branch.rollout,
      purpose: branch.purpose,
      seed: call?.seed ?? null,
      ending: branch.ending,
      reward: branch.reward,
      success: branch.success,
      ...(isFlagged(branch) && { auditFlags: branch.auditFlags! }),
      steps: branch.steps - 1,
      leafNodeId: branch.leafId,
    };
  }

  return certify;
}

function branchStream({ nodeId, candidateId, rollout }: Branch): string {
  return streamOf({ nodeId, candidateId, rollout });
}

function standardErrorsOf({ branches, chosen, rejected }: Proof): Certificate['verification']['standardErrors'] {
  const of = (candidateId: string) =>
    standardError(
      branches
        .map(({ branch }) => branch)
        .filter((branch) => branch.candidateId === candidateId && branch.purpose === 'value'),
    );
  return { chosen: of(chosen.id), rejected: of(rejected.id) };
}

function isAudited({ config }: Run, { audit }: Environment, { rule, branches }: Proof): boolean {
  const isAsked = audit !== undefined && config.auditSuccesses === true && rule !== 'none';
  return isAsked && branches.every(({ branch }) => !branch.success || branch.auditFlags !== null);
}

function confirmedOf(branches: Branch[]): boolean | null {
  const asked = branches.filter(({ success, confirmed }) => success && confirmed !== null);
  return asked.length === 0 ? null : asked.some((branch) => isVerifiedSuccess(branchOutcome(branch)));
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

function argumentTexts(actions: readonly Action[]): string {
  return actions
    .flatMap((action) => Object.values(action.arguments))
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join('\n');
}

function isDrawOfOther(stream: string, sample: number): boolean {
  return stream.includes('/draw-') && !stream.startsWith(`sample-${sample}/`);
}
