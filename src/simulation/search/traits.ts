/**
 * Fixed traits: how a model family sees one question, drawn once from (server seed, family, question). Thresholds are compared with draws that do not
 * depend on the skill, so that more skill only ever removes a weakness.
 */
import { unit } from '../random.ts';
import type { Agent } from '../world.ts';
import type { Lesson } from './lesson.ts';

/** Whether a wrong text is given up. `open`: once it was read. `anchored`: only as long as it was not read. `stubborn`: hardly ever. */
export type Disposition = 'open' | 'anchored' | 'stubborn';

export type Traits = {
  /** The hop for whose answer it takes a text that does not have it; null if it is not misled. */
  misled: { hop: number; decoy: { id: string; title: string }; disposition: Disposition; belief: number } | null;
  /** The hop before which it tends to stop, with the answer of the one before; null if it goes on to the end. */
  stopsBefore: number | null;
  /** Share of its moves that are a slip. */
  slipRate: number;
};

/** Share of questions at skill 0.5; twice that at skill 0. Numbers are ours, set so that the policy succeeds with about every second question. */
const misledRate = 0.6;
const hastyRate = 0.35;
const dispositions: readonly Disposition[] = ['open', 'anchored', 'stubborn'];

export function drawTraits({ skill, family }: Agent, { id, hops }: Lesson, seed: number): Traits {
  const draw = (name: string) => unit(seed, name, family, 'search', id);
  const weakness = 2 * (1 - skill);
  const withDecoys = hops.flatMap(({ decoys }, hop) => decoys.map((decoy) => ({ hop, decoy })));
  const isMisled = withDecoys.length > 0 && draw('misled') < misledRate * weakness;
  return {
    misled: isMisled
      ? {
          ...withDecoys[Math.floor(draw('which decoy') * withDecoys.length)]!,
          disposition: dispositions[Math.floor(draw('disposition') * dispositions.length)]!,
          belief: 0.6 + 0.35 * draw('belief'),
        }
      : null,
    stopsBefore:
      hops.length > 1 && draw('hasty') < hastyRate * weakness
        ? 1 + Math.floor(draw('stops before') * (hops.length - 1))
        : null,
    slipRate: Math.min(0.6, 0.16 * weakness),
  };
}
