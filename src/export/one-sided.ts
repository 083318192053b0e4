/** What pairs teach together besides what each of them says, with the option that mends it. The limits are ours. */
import type { Pair } from '../domain/pairs/pair.ts';
import type { RowFinding } from './finding.ts';
import { countBySide, kindOfAction, leaningKinds } from './leaning.ts';

/** Fewer pairs show no habit. */
const leastPairs = 5;
/** Of the pairs: a kind of action that is rarer does little harm. */
const leastShare = 0.2;

/** @param pairs that are exported, as they were found */
export function oneSidedFindings(pairs: readonly Pair[]): RowFinding[] {
  return [...leaningFindings(pairs), ...solvesAloneFinding(pairs)];
}

function leaningFindings(pairs: readonly Pair[]): RowFinding[] {
  const counts = countBySide(pairs.map(({ chosen, rejected }) => [kindOfAction(chosen), kindOfAction(rejected)]));
  const least = Math.max(leastPairs, leastShare * pairs.length);
  const harmful = leaningKinds(counts).filter(({ name, on }) => name !== '' && on >= least);
  return harmful.map(({ name, heavy, on, of }) => ({
    rule: 'pair/one-sided-action',
    effect: 'warning',
    reason: `Actions of the kind "${name}" stand on the ${heavy === 0 ? 'chosen' : 'rejected'} side in ${on} of ${of} cases: DPO may learn to ${heavy === 0 ? 'take' : 'avoid'} them in any state. --balance action leaves out pairs until none leans (improve.export.balance: 'action').`,
  }));
}

function solvesAloneFinding(pairs: readonly Pair[]): RowFinding[] {
  const alone = pairs.filter(({ flags }) => flags.includes('solves-alone')).length;
  if (alone < leastPairs || alone <= pairs.length / 2) return [];
  return [
    {
      rule: 'pair/mostly-solves-alone',
      effect: 'warning',
      reason: `In ${alone} of ${pairs.length} pairs the chosen action all but solves the task (solves-alone): a weak policy cannot follow, and may only learn not to act as it does now. --without solves-alone leaves them out (improve.export.without: ['solves-alone']).`,
    },
  ];
}
