import { countBy } from '../domain/count-by.ts';
import { readScored } from '../models/scoring/scoring-answer.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';

export type ScoreCounts = {
  /** Answers of the scoring endpoint. */
  of: number;
  /** Those that no score can be made of, by reason (`MissingScore`). */
  missing: { [reason: string]: number };
};

/** How many answers of a run's scoring endpoint are no score; null for a run whose PRM is no scoring endpoint. */
export async function scoreCounts(store: Store, { id, config }: Run): Promise<ScoreCounts | null> {
  const scoring = config.models.prm?.scoring;
  if (!scoring) return null;
  const texts = await store.journal.textsOf(id, 'prm', ['score', 'calibrate']);
  const read = texts.map((text) => readScored(text, scoring)).filter((score) => typeof score === 'string');
  return { of: texts.length, missing: countBy(read, (reason) => reason) };
}
