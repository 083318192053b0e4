/** Which goals are trained on, which are tested on, and which are neither. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CruxError, errorText } from '../../errors.ts';
import { benchmarkFiles, optionalFile } from './benchmark-files.ts';

export type Splits = {
  /** By the goal's place in the benchmark's order; null for a goal in no split. */
  splits: ('train' | 'test' | null)[];
  /** Goals that would be trained on, but are about a product of the test. */
  leaking: number;
  /** Goals that the benchmark keeps for development, or that the given lists leave out. */
  unused: number;
};

/** A file with places of goals in the benchmark's order, as IPR publishes them. */
type GivenList = { path: string; places: readonly number[] };
export type GivenSplits = { train: GivenList | null; test: GivenList | null };

/** The benchmark's own: 500 test goals, then 1,000 for development. */
const [testGoals, developmentGoals] = [500, 1000];
/** Catalogues with fewer goals than this have a tenth of them for the test, and none for development. */
const fewGoals = 3000;

/**
 * Two goals of one product could leak into one another, so no product of a test goal is trained on.
 * @param asins product of each goal, in the benchmark's order
 * @param given null for the benchmark's own split
 */
export function splitGoals(asins: readonly string[], given: GivenSplits | null): Splits {
  const wanted = given ? givenSplits(asins.length, given) : ownSplits(asins.length);
  const tested = new Set(asins.filter((_, place) => wanted[place] === 'test'));
  const result: Splits = { splits: [], leaking: 0, unused: 0 };
  for (const [place, asin] of asins.entries()) {
    const split = wanted[place]!;
    const isLeaking = split === 'train' && tested.has(asin);
    if (isLeaking) result.leaking++;
    if (split === null) result.unused++;
    result.splits.push(isLeaking ? null : split);
  }
  return result;
}

function ownSplits(count: number): Splits['splits'] {
  const isSmall = count < fewGoals;
  const tests = isSmall ? Math.ceil(count / 10) : testGoals;
  const trainFrom = isSmall ? tests : testGoals + developmentGoals;
  return Array.from({ length: count }, (_, place) => (place < tests ? 'test' : place < trainFrom ? null : 'train'));
}

function givenSplits(count: number, given: GivenSplits): Splits['splits'] {
  const splits: Splits['splits'] = Array.from({ length: count }, () => null);
  for (const split of ['train', 'test'] as const)
    for (const place of given[split]?.places ?? []) {
      if (place < count) splits[place] = split;
      else throw noList(given[split]!.path, `it names goal ${place}, and there are ${count}, from 0`);
    }
  return splits;
}

const placesSchema = z.array(z.number().int().min(0));

/** @returns null if the folder holds no lists. @throws CruxError `User.Config` for a list that cannot be read */
export function readGivenSplits(folder: string): GivenSplits | null {
  const read = (names: readonly string[]): GivenList | null => {
    const path = optionalFile(folder, names);
    if (path === null) return null;
    try {
      return { path, places: placesSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) };
    } catch (cause) {
      throw noList(path, errorText(cause).slice(0, 200), cause);
    }
  };
  const [train, test] = [read(benchmarkFiles.train), read(benchmarkFiles.test)];
  return train || test ? { train, test } : null;
}

function noList(path: string, why: string, cause?: unknown): CruxError {
  return new CruxError('User.Config', `${path} is no list of this catalogue's goals: ${why}`, {
    remedy: 'Take the file out, or put the lists of this catalogue there.',
    cause,
  });
}
