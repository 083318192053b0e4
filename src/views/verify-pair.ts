/** Checks the certificate of a pair again, offline: by content hashes, and by replaying every branch in the environment. No model is asked. */
import { readFirstError } from '../activities/judge-call.ts';
import { branchOutcome } from '../activities/proof.ts';
import type { Action } from '../domain/action.ts';
import type { Json } from '../domain/canonical-json.ts';
import type { Certificate, CertifiedBranch } from '../domain/pair.ts';
import { valueAtBest } from '../domain/rising.ts';
import { selectsFirstErrors, verificationOf } from '../domain/run-config.ts';
import { isApart, meanScore } from '../domain/step-preference.ts';
import { lastingVerdict, tally, verdictOn } from '../domain/verification.ts';
import type { BranchResult } from '../domain/wire.ts';
import type { Environment } from '../environments/contract.ts';
import type { EnvironmentRegistry } from '../environments/registry.ts';
import { errorText } from '../errors.ts';
import { contentHash } from '../store/hash.ts';
import type { PairTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { isIntact, type State } from '../store/tree.ts';

export type PairCheck = {
  pairId: string;
  ok: boolean;
  /** Observations that were made again and compared. */
  comparedObservations: number;
  /** What does not hold; empty when the certificate stands. */
  problems: string[];
};

export async function verifyPair(store: Store, environments: EnvironmentRegistry, row: PairTable): Promise<PairCheck> {
  const certificate = JSON.parse(row.certificate) as Certificate;
  const problems: string[] = [];
  let comparedObservations = 0;
  try {
    const environment = environments.get(certificate.environment.name);
    if (environment.version !== certificate.environment.version) {
      problems.push(
        `The environment has version ${environment.version}; the pair was made with ${certificate.environment.version}.`,
      );
    }
    problems.push(...(await wrongHashes(store, row, certificate)));
    for (const branch of certificate.branches) {
      const replayed = await replayBranch(store, environment, environments, certificate, branch);
      comparedObservations += replayed.compared;
      problems.push(...replayed.problems);
    }
    problems.push(...(await wrongVerdict(store, row, certificate)));
  } catch (error) {
    problems.push(errorText(error));
  }
  return { pairId: row.id, ok: problems.length === 0, comparedObservations, problems };
}

/** Ids are content hashes: what is stored under them must give them. */
async function wrongHashes(store: Store, row: PairTable, certificate: Certificate): Promise<string[]> {
  const problems: string[] = [];
  for (const side of ['chosen', 'rejected'] as const) {
    const { candidateId, message } = certificate[side];
    const id = (part: 'own' | 'proposed') =>
      contentHash(['candidate', part, certificate.nodeId, message as unknown as Json]);
    if (candidateId !== id('own') && candidateId !== id('proposed')) {
      problems.push(`The ${side} action is not the one that its id stands for.`);
    }
  }
  const { nodeId, chosen, rejected, leaves } = certificate;
  const sides = leaves ? [leaves.chosen, leaves.rejected] : [chosen.candidateId, rejected.candidateId];
  if (contentHash(['pair', nodeId, ...sides]) !== row.id) {
    problems.push('State and actions are not the ones that the pair id stands for.');
  }
  const ends = leaves ? [leaves.chosen, leaves.rejected] : [nodeId];
  const states = (await Promise.all(ends.map((id) => store.tree.path(id)))).flat();
  for (const state of new Set(states)) {
    if (!isIntact(state)) problems.push(`The stored state ${state.id} is not what its id stands for.`);
  }
  return problems;
}

async function replayBranch(
  store: Store,
  environment: Environment,
  environments: EnvironmentRegistry,
  certificate: Certificate,
  branch: CertifiedBranch,
): Promise<{ compared: number; problems: string[] }> {
  const leaf = await store.tree.state(branch.leafNodeId);
  const label = `Branch ${branch.branchId.slice(0, 8)} (${branch.side}, rollout ${branch.rollout})`;
  // What shows that an outcome lasts starts anew.
  const isFresh = certificate.verification.rule === 'lasting' && branch.purpose === 'baseline';
  if (!(await descendsFrom(store, leaf, isFresh ? leaf.rootId : certificate.nodeId)))
    return { compared: 0, problems: [`${label} does not start in the pair's state.`] };
  const task = await environments.task(environment.name, certificate.task.id);
  const session = await environment.open(task);
  const signal = AbortSignal.timeout(120_000);
  let compared = 0;
  try {
    for (const [index, action] of leaf.actions.entries()) {
      const now = await session.step(action, signal);
      const recorded = await store.tree.transition(leaf.actionKeys[index]!);
      compared++;
      if (recorded && now.observation !== recorded.observation) {
        return { compared, problems: [`${label}: action ${index + 1} now gives another observation.`] };
      }
      if (now.done) {
        const problems = outcomeProblems(environment, label, branch, now.reward ?? null, now.success);
        return {
          compared,
          problems: [...problems, ...(await unconfirmed(environment, task, branch, leaf.actions, label, signal))],
        };
      }
    }
  } finally {
    await session.close?.();
  }
  return { compared, problems: branch.ending === 'submitted' ? [`${label} no longer ends.`] : [] };
}

function outcomeProblems(
  environment: Environment,
  label: string,
  branch: CertifiedBranch,
  reward: number | null,
  flag?: boolean,
): string[] {
  const success = flag ?? (reward !== null && reward >= environment.successAt);
  if (branch.ending !== 'submitted') return [`${label} was recorded as ${branch.ending}, and now ends by itself.`];
  return success === branch.success && reward === branch.reward
    ? []
    : [`${label}: reward ${reward} now, ${branch.reward} when it was recorded.`];
}

async function unconfirmed(
  environment: Environment,
  task: Parameters<Environment['open']>[0],
  branch: CertifiedBranch,
  actions: Action[],
  label: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (!branch.success || branch.side !== 'chosen' || !environment.confirm) return [];
  const { confirmed, reason } = await environment.confirm(task, actions, signal);
  return confirmed ? [] : [`${label}: the success does not hold on variants of the data (${reason}).`];
}

/** Step-DPO's pairs rest on the PRM's single scores, which are stored; under `sound` on branches too. */
async function wrongScores(
  store: Store,
  row: PairTable,
  { chosen, rejected, thresholds }: Certificate,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [side, { candidateId, score }] of Object.entries({ chosen, rejected })) {
    const stored = await store.findings.score(row.run_id, candidateId, 'score');
    const mean = stored && meanScore(JSON.parse(stored.samples) as (number | null)[]);
    if (mean !== score)
      problems.push(`The stored scores of the ${side} action do not give the one of the certificate.`);
  }
  const isPair =
    chosen.score !== null && rejected.score !== null && isApart(chosen.score, rejected.score, thresholds.gap!);
  return isPair ? problems : [...problems, 'The scores are not far enough apart for a pair.'];
}

/** The step must be the one that the judge's last answer names, which is stored. */
async function wrongLocation(store: Store, row: PairTable, { step }: Certificate): Promise<string[]> {
  const trajectory = await store.findings.trajectory(row.run_id, row.trajectory_id);
  const answers = trajectory ? await store.journal.inState(row.run_id, trajectory.leaf_id, ['locate']) : [];
  const last = answers.toSorted((one, other) => one.ask - other.ask).at(-1);
  const named = last && readFirstError(last.message.content ?? '', trajectory!.steps);
  return named === step ? [] : ["The stored answer of the judge does not name the pair's step."];
}

/** The rule, applied once more to the recorded branches. */
async function wrongVerdict(store: Store, row: PairTable, certificate: Certificate): Promise<string[]> {
  const { config } = await store.runs.get(row.run_id);
  if (certificate.method === 'step-dpo') {
    const wrongSelection = selectsFirstErrors(config) ? wrongLocation : wrongScores;
    const problems = await wrongSelection(store, row, certificate);
    if (problems.length > 0 || certificate.verification.rule === 'none') return problems;
  }
  if (certificate.verification.rule === 'none') return [];
  if (certificate.verification.outcomes) {
    const problems = wrongOutcomes(certificate);
    if (problems.length > 0 || certificate.verification.rule === 'outcome') return problems;
    if (certificate.verification.rule === 'lasting') return wrongLasting(store, row, certificate);
  }
  const rows = (await store.findings.branchesAt(row.run_id, certificate.nodeId)).filter((branch) =>
    certificate.branches.some(({ branchId }) => branchId === branch.id),
  );
  const of = (side: 'chosen' | 'rejected') =>
    rows
      .filter(({ purpose }) => purpose !== 'contrast')
      .filter((branch) => certificate.branches.find(({ branchId }) => branchId === branch.id)?.side === side)
      .map(branchOutcome);
  const planned = config.method === 'rro' ? config.options.rollouts : 0;
  if (certificate.verification.rule === 'values')
    return wrongValues(certificate, of('chosen'), of('rejected'), planned);
  const { verdict } = verdictOn(tally(of('chosen')), tally(of('rejected')), verificationOf(config));
  return verdict === 'accepted' ? [] : ['The recorded branches do not verify the alternative.'];
}

/** The final rewards of two ways on, which the replay has checked, must differ in favour of the chosen one. */
function wrongOutcomes({ branches, verification, thresholds }: Certificate): string[] {
  const ends = branches.filter(
    ({ purpose }) => purpose === 'demonstrate' || purpose === 'explore' || purpose === 'contrast',
  );
  const [chosen, rejected] = (['chosen', 'rejected'] as const).map(
    (side) => ends.find((end) => end.side === side)?.reward,
  );
  const { outcomes, rule } = verification;
  if (chosen !== outcomes?.chosen || rejected !== outcomes?.rejected)
    return ['The recorded trajectories do not have the final rewards of the certificate.'];
  const gap = rule === 'values' || rule === 'posterior' ? (thresholds.gap ?? 0) : 0;
  return chosen! - rejected! > gap ? [] : ['The final rewards do not prefer the chosen side.'];
}

async function wrongLasting(store: Store, row: PairTable, certificate: Certificate): Promise<string[]> {
  const { config } = await store.runs.get(row.run_id);
  if (config.method !== 'eto' && config.method !== 'ipr') return ['The run is of a method without this rule.'];
  const { rootId } = await store.tree.state(certificate.nodeId);
  const fresh = (await store.findings.branchesAt(row.run_id, rootId)).filter(
    ({ purpose, candidate_id }) => purpose === 'baseline' && candidate_id === '',
  );
  const policyLost = certificate.chosen.source === 'expert';
  const { verdict } = lastingVerdict(tally(fresh.map(branchOutcome)), policyLost, config.options);
  return verdict === 'accepted' ? [] : ['The fresh trajectories do not bear the outcome out.'];
}

/** An action that ends the task has no rollouts: its value is the environment's outcome, which the replay has checked. */
function wrongValues(
  certificate: Certificate,
  chosen: BranchResult[],
  rejected: BranchResult[],
  planned: number,
): string[] {
  const { values } = certificate.verification;
  const differs = (stated: number | undefined, branches: BranchResult[]) =>
    branches.length > 0 && Math.abs((stated ?? Number.NaN) - valueAtBest(branches, planned)!) > 1e-9;
  return differs(values?.chosen, chosen) || differs(values?.rejected, rejected)
    ? ['The recorded rollouts do not give the values of the certificate.']
    : [];
}

async function descendsFrom(store: Store, leaf: State, nodeId: string): Promise<boolean> {
  let state = leaf;
  while (state.id !== nodeId && state.parentId !== null) state = await store.tree.state(state.parentId);
  return state.id === nodeId;
}
