import type { CertifiedBranch } from '../domain/pairs/pair.ts';
import { transitionStream } from '../domain/run/transitions.ts';
import { streamOf, streamOfSample } from '../domain/stream.ts';
import type { Store } from './store.ts';
import { outcomeKey, type RecordedOutcome, type State } from './tree.ts';

/**
 * What an environment said was reached where a limit ended a branch, or a whole trajectory, of a certificate.
 * @param leaf the state in which it ended
 * @returns null if the environment was not asked
 */
export async function outcomeAtLimitOf(
  { tree, runs, findings }: Pick<Store, 'tree' | 'runs' | 'findings'>,
  runId: string,
  { branchId, purpose }: Pick<CertifiedBranch, 'branchId' | 'purpose'>,
  { stateKey }: State,
): Promise<RecordedOutcome | null> {
  const { config } = await runs.get(runId);
  const branch = await findings.branch(runId, branchId);
  const whole = branch ? null : await findings.trajectory(runId, branchId);
  const stream = branch ? streamOf(branch) : whole && streamOfSample(whole.sample);
  const key = stream === null ? stateKey : outcomeKey(stateKey, transitionStream(config, { purpose, stream }));
  // That of an imported trajectory, or of a run from an earlier version, belongs to all.
  return (await tree.outcomeSoFar(key)) ?? tree.outcomeSoFar(stateKey);
}
