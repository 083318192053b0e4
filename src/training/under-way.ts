/** Whether a round's training is at work, or has made its model: it keeps the settings that it began with, and its rows. */
import { mayGoOn } from '../domain/improve/hosted-job.ts';
import type { PhaseRecord } from '../domain/improve/rounds.ts';
import type { Store } from '../store/store.ts';

/** @param records of the improvement's phases */
export async function isUnderWay(
  { improvements, trainings }: Pick<Store, 'improvements' | 'trainings'>,
  id: string,
  records: readonly PhaseRecord[],
  round: number,
): Promise<boolean> {
  const job = await improvements.job(id, round);
  if (job !== null) return mayGoOn(job);
  const training = await trainings.ofRound(records, round);
  return training !== null && (training.state === 'running' || training.exit?.model != null);
}
