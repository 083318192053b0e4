/** Whether enough came of a campaign for an improvement to go on with it. */
import { countBy, countsText } from '../../domain/count-by.ts';
import type { Phase } from '../../domain/improve/rounds.ts';
import { isTooMuchLost, lossesOf } from '../../domain/run/losses.ts';
import { CruxError } from '../../errors.ts';
import type { RunTask } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';
import { faultText } from '../../views/fault-text.ts';
import { runSummary } from '../../views/run-summary.ts';

/**
 * A decision on the few tasks that a fault spared would be one on other tasks than those that were chosen, and too few pairs for want of a server say
 * nothing about the policy.
 * @param tasks of the campaign
 * @throws CruxError `Run.Broken` if faults took over half of the trajectories, or if an evaluation is left without any outcome
 */
export async function requireOutcomes(
  store: Store,
  runId: string,
  phase: Phase,
  tasks: readonly RunTask[],
): Promise<void> {
  const results = tasks.flatMap(({ result }) => result ?? []);
  const losses = lossesOf(results);
  const isTooMuch = isTooMuchLost(losses);
  const isBare = phase !== 'collect' && results.every(({ success }) => success === null);
  if (!isTooMuch && !isBare) return;
  const { lost, of, kinds } = losses;
  const words = isTooMuch
    ? `${lost} of ${of} trajectories of ${runId} were lost to faults (${countsText(kinds)}).`
    : `No trajectory of ${runId} has an outcome (${countsText(countBy(results, ({ ending }) => ending))}).`;
  throw new CruxError('Run.Broken', [words, faultText(await runSummary(store, runId))].filter(Boolean).join(' '), {
    remedy: `Mend what took them, and try these again. \`crux show ${runId}\` has the whole list.`,
  });
}
