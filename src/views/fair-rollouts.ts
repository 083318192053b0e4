/** Which rollouts of an action are a fair sample of its outcomes, and how probable it was that an action has any. */

import type { Branch } from '../domain/branch.ts';
import type { BranchPurpose } from '../domain/purpose.ts';
import type { RunConfig } from '../domain/run/run-config.ts';
import type { Step } from '../domain/step.ts';
import { criticalActions } from './flips.ts';

/** Outcomes of an earlier kind may have decided whether those of a later one were made. */
const kinds: readonly (readonly BranchPurpose[])[] = [
  ['value'],
  ['resample'],
  ['verify', 'baseline', 'placebo', 'calibrate', 're-estimate'],
];

/** Rollouts that stop by their outcomes are made two at a time. */
const firstRound = 2;

/** The rollouts of an action that were scheduled before any of its outcomes was known. */
export function fairRollouts({ options }: RunConfig, rollouts: readonly Branch[]): Branch[] {
  const stopsValues = 'valueStopping' in options && options.valueStopping === 'cannot-rise';
  const mayStop = (purpose: string) =>
    purpose === 'verify' || purpose === 'baseline' || (purpose === 'value' && stopsValues);
  const scheduled = rollouts.filter(({ purpose, rollout }) => rollout < firstRound || !mayStop(purpose));
  const byKind = kinds.map((kind) => scheduled.filter(({ purpose }) => kind.some((own) => own === purpose)));
  return byKind.find((own) => own.length > 0) ?? [];
}

/** Whether CSO rolls out every action over the threshold at least once. */
export function isVerifiedAnyway({ options }: RunConfig): boolean {
  return 'stopAtFirst' in options && options.verify && !options.stopAtFirst;
}

/**
 * How probable it was that an action is rolled out, among those that the run drew or scored.
 * @returns in (0, 1] by the action's fair rollouts: 1 if it was sure; null if other outcomes decided, so that it is unknown
 */
export function rolloutChance(
  { options }: RunConfig,
  steps: readonly Step[],
): (candidateId: string, fair: readonly Branch[]) => number | null {
  const critical = criticalActions(steps).filter(({ branched }) => branched.length > 0);
  const luckMayBeMeasured = new Set(critical.map(({ ownId }) => ownId));
  const first = new Set(critical.map(({ branched }) => branched[0]));
  return (candidateId, fair) => {
    const has = (...wanted: BranchPurpose[]) => fair.some(({ purpose }) => wanted.some((own) => own === purpose));
    if (has('value', 'resample')) return 1;
    if (!('stopAtFirst' in options)) return null;
    if (has('baseline')) return 1;
    if (has('verify') && (!options.stopAtFirst || first.has(candidateId))) return 1;
    if (!has('placebo', 'calibrate')) return null;
    const calibrated = options.gate ? (options.calibrationRate ?? 0) : 0;
    const measured = options.verify && luckMayBeMeasured.has(candidateId) ? options.verification.placeboRate : 0;
    // Two seeded draws, independent of each other.
    return calibrated + measured - calibrated * measured;
  };
}
