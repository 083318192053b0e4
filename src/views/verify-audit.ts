/** Audits the successes behind a certificate again: an audit may have become stricter, or come later than the pair. */
import { isFlagged } from '../domain/audit-flags.ts';
import { isAtLimit } from '../domain/ending.ts';
import type { Certificate, CertifiedBranch } from '../domain/pairs/pair.ts';
import { flagsOf, takenAction, takenActions } from '../environments/audit.ts';
import type { AuditedTrajectory, Environment } from '../environments/contract.ts';
import type { EnvironmentRegistry } from '../environments/registry.ts';
import { drawnSteps } from '../store/drawn-steps.ts';
import { outcomeAtLimitOf } from '../store/outcome-at-limit.ts';
import type { Store } from '../store/store.ts';

const timeLimitMs = 120_000;

/** A success that counts for the pair, with what an audit is shown of it. */
type Won = { label: string; trajectory: AuditedTrajectory };

export function branchLabel({ branchId, side, rollout }: CertifiedBranch): string {
  return `Branch ${branchId.slice(0, 8)} (${side}, rollout ${rollout})`;
}

/**
 * Shows the audit the records. Whether the environment still does what they say is the replay's matter.
 * @returns how many successes were audited, 0 if the environment has no audit; and a sentence for each that is flagged
 */
export async function auditAgain(
  store: Store,
  environment: Environment,
  environments: EnvironmentRegistry,
  certificate: Certificate,
): Promise<{ audited: number; problems: string[] }> {
  if (!environment.audit) return { audited: 0, problems: [] };
  const task = await environments.task(environment.name, certificate.task.id);
  const won = [...(await wonByBranches(store, certificate)), ...(await wonAtOnce(store, certificate))];
  const problems: string[] = [];
  for (const { label, trajectory } of won) {
    const flags = await flagsOf(environment, task, trajectory, AbortSignal.timeout(timeLimitMs));
    if (flags?.length) problems.push(`${label}: the environment's audit now flags its success: ${flags.join(', ')}.`);
  }
  return { audited: won.length, problems };
}

/** A branch that was flagged when the pair was made is missing, and counts for nothing. */
async function wonByBranches(store: Store, { runId, branches }: Certificate): Promise<Won[]> {
  const { tree } = store;
  const won = branches.filter((branch) => branch.success && !isFlagged(branch));
  return Promise.all(
    won.map(async (branch) => {
      const leaf = await tree.state(branch.leafNodeId);
      const ended = await (isAtLimit(branch.ending)
        ? outcomeAtLimitOf(store, runId, branch, leaf)
        : tree.transition(leaf.stateKey));
      const details = ended?.details ?? null;
      const trajectory = { actions: await takenActions(tree, leaf), reward: branch.reward, details };
      return { label: branchLabel(branch), trajectory };
    }),
  );
}

/** Actions that ended the task when they were drawn: their outcome is their value, and they have no branch. */
async function wonAtOnce(
  { tree, runs, findings }: Store,
  { runId, nodeId, trajectoryId, branches, ...sides }: Certificate,
): Promise<Won[]> {
  if (sides.verification.rule === 'none') return [];
  const state = await tree.state(nodeId);
  const { config } = await runs.get(runId);
  const { sample = 0 } = (await findings.trajectory(runId, trajectoryId)) ?? {};
  const won: Won[] = [];
  for (const side of ['chosen', 'rejected'] as const) {
    if (branches.some((branch) => branch.side === side)) continue;
    const candidate = await findings.candidate(runId, sides[side].candidateId);
    const steps = await drawnSteps(tree, config, state, candidate, sample);
    const ended = steps.at(-1)?.transition;
    if (!ended?.done || !ended.success) continue;
    const drawn = steps.map(({ transition }, index) => takenAction(candidate.actions[index]!, transition!));
    const actions = [...(await takenActions(tree, state)), ...drawn];
    const { reward, details } = ended;
    won.push({ label: `The ${side} action`, trajectory: { actions, reward, details } });
  }
  return won;
}
