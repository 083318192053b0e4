/** The seed by which a round collects and trains. */
import { seededRandom } from '../statistics/random.ts';

/**
 * The improvement's own seed while the policy is new. After a round that was refused the policy is the same: with the same seed a server that honours seeds
 * would give the same trajectories, and a trainer the same weights, at full price. So each further round of a policy has a seed of its own.
 * @param policyRound the round whose candidate is the policy; 0 for the one that it began with
 * @returns a whole number; below 2^31 if it is derived, which every provider and trainer takes
 */
export function roundSeed(seed: number, round: number, policyRound: number): number {
  const refused = round - policyRound - 1;
  return refused <= 0 ? seed : seededRandom(`${seed}/refused/${refused}`).below(2 ** 31);
}
