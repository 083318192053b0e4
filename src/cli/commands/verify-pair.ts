import type { RecordedPair } from '../../domain/pairs/pair.ts';
import { EnvironmentRegistry } from '../../environments/registry.ts';
import { CruxError } from '../../errors.ts';
import { inSeal, sealedHere } from '../../sealing.ts';
import type { Store } from '../../store/store.ts';
import { type PairCheck, verifyPair } from '../../views/verify-pair.ts';
import { configOf, type GlobalOptions, homeOf, printResult, readingStore } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { playedDemos } from './demos.ts';

export async function verifyPairs(options: GlobalOptions, names: string[], given: { unseal?: boolean }): Promise<void> {
  const store = await readingStore(options, async ({ runs, findings }) => {
    return (await runs.find(names[0]!)) !== null || (await findings.findPair(names[0]!)) !== null;
  });
  try {
    const pairs = (await Promise.all(names.map((name) => pairsNamed(store, name)))).flat();
    const demos = playedDemos(homeOf(options));
    const isDemo = pairs.every(({ certificate }) => demos.some(({ name }) => name === certificate.environment.name));
    const environments = isDemo ? demos : (await configOf(options)).environments;
    const registry = new EnvironmentRegistry(environments);
    const checks: PairCheck[] = [];
    try {
      for (const pair of pairs) checks.push(await sealedCheck(store, registry, pair));
    } finally {
      await registry.close();
    }
    const failed = checks.filter(({ ok }) => !ok);
    printResult(options, checks, () => text(checks), given.unseal ? 'opened' : 'closed');
    if (failed.length > 0) throw new CommandFailed(`${failed.length} of ${checks.length} certificates do not hold.`, 5);
  } finally {
    await store.close();
  }
}

/** What does not hold may be told in words of the task. */
async function sealedCheck(store: Store, registry: EnvironmentRegistry, pair: RecordedPair): Promise<PairCheck> {
  const { sealed = null } = (await store.runs.get(pair.runId)).config;
  return inSeal(sealed, async () => {
    const check = await verifyPair(store, registry, pair);
    return { ...check, problems: check.problems.map(sealedHere) };
  });
}

/** A pair by its id, or all pairs of a run. */
async function pairsNamed(store: Store, name: string): Promise<RecordedPair[]> {
  if (await store.runs.find(name)) {
    const pairs = await store.findings.pairs(name);
    if (pairs.length === 0) throw new CruxError('User.NotFound', `Run ${name} has no pairs.`);
    return pairs;
  }
  const pair = await store.findings.findPair(name);
  if (!pair)
    throw new CruxError('User.NotFound', `There is no pair and no run "${name}".`, {
      remedy: '`crux show <run> --task <id>` lists pairs.',
    });
  return [pair];
}

function text(checks: PairCheck[]): string {
  const lines = checks.map((check) =>
    check.ok
      ? `✓ ${check.pairId}  ${howChecked(check)}`
      : `✗ ${check.pairId}\n${check.problems.map((problem) => `    ${problem}`).join('\n')}`,
  );
  return [...lines, `${checks.filter(({ ok }) => ok).length} of ${checks.length} certificates hold.`].join('\n');
}

/** What was checked, and how. */
export function howChecked(check: PairCheck): string {
  const { auditedSuccesses } = check;
  const audited =
    auditedSuccesses === 0
      ? ''
      : `; ${auditedSuccesses === 1 ? '1 success' : `${auditedSuccesses} successes`} audited, none flagged`;
  return `${howRestored(check)}${audited}`;
}

/** Names the rule by which the state was restored. Without a replay it says what the check cannot find. */
function howRestored({ restoredBy, comparedObservations, openedSnapshots, recalledSteps }: PairCheck): string {
  const unreplayed =
    'outcomes are as recorded; nothing is replayed, so a record that was false from the start is not found';
  switch (restoredBy) {
    case 'snapshot':
      return `${openedSnapshots === 0 ? 'nothing was restored' : 'its snapshot opens'}; ${unreplayed}`;
    case 'recording':
      return `${recalledSteps === 0 ? 'nothing was restored' : `a session was told ${recalledSteps === 1 ? 'its recorded step' : `its ${recalledSteps} recorded steps`}`}; ${unreplayed}`;
    case 'replay':
      return comparedObservations === 0
        ? 'no branch to replay'
        : `${comparedObservations} observations replayed, all equal`;
  }
}
