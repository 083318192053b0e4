/** The flags by which `without` leaves items out. */
import { CruxError } from '../errors.ts';
import type { KindName } from './item.ts';
import { actionKind } from './kinds/action.ts';
import { exampleKind } from './kinds/example.ts';
import { pairKind } from './kinds/pair.ts';

/** Marks items that were exported although they hold a special token of the target. */
export const specialFlag = 'special-token';

/** Flags that items of a kind may have. */
export function flagsOfKind(of: KindName): string[] {
  const kind = [pairKind, exampleKind, actionKind].find(({ name }) => name === of)!;
  return [...kind.flags, specialFlag];
}

/** @throws CruxError `User.Config` for a flag that items of none of these kinds may have */
export function checkFlags(wanted: readonly string[], kinds: readonly KindName[]): void {
  const known = [...new Set(kinds.flatMap(flagsOfKind))];
  const unknown = wanted.find((flag) => !known.includes(flag));
  if (unknown === undefined) return;
  const whose = kinds.length === 1 ? `${kinds[0]}s have no flag` : 'there is no flag';
  throw new CruxError('User.Config', `Nothing can be left out by "${unknown}": ${whose} of this name`, {
    remedy: `Use some of: ${known.join(', ')}.`,
  });
}
