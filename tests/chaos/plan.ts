/** What is done to a run, and when: drawn from a seed, in an order that is the same whenever it is drawn again. */
import { createDice } from '../../src/simulation/random.ts';

export type Disturbance =
  | { kind: 'kill-worker' /** Which of the workers, from 0. */; worker: number }
  | { kind: 'kill-temporal' }
  | { kind: 'restart-models'; awayMs: number }
  | { kind: 'fill-disk' | 'lock-store' | 'slow-store'; forMs: number }
  | { kind: 'kill-export' /** From the start of the export to its end. */; afterMs: number };

/** A disturbance, and the share of the runs' calls that are answered when it happens. */
export type Moment = { share: number; disturbance: Disturbance };

export type HowMany = { [kind in Disturbance['kind']]: number };

export type PlanOptions = {
  seed: number;
  workers: number;
  howMany: HowMany;
  /** How long the disk is full and the store locked or slow. Beyond the heartbeat timeout it shows that waiting answers are not given up. */
  forMs: number;
};

/** Disturbances in random order, one at a random place in each of as many equal parts of the first 95 % of the calls. */
export function makePlan({ seed, workers, howMany, forMs }: PlanOptions): Moment[] {
  const dice = createDice(1, seed, 'chaos');
  const draw = (kind: Disturbance['kind']): Disturbance => {
    switch (kind) {
      case 'kill-worker':
        return { kind, worker: Math.floor(dice.next() * workers) };
      case 'kill-temporal':
        return { kind };
      case 'restart-models':
        return { kind, awayMs: Math.round(200 + 1_800 * dice.next()) };
      case 'kill-export':
        return { kind, afterMs: Math.round(300 + 1_500 * dice.next()) };
      case 'fill-disk':
      case 'lock-store':
      case 'slow-store':
        return { kind, forMs };
    }
  };
  const disturbances = (Object.keys(howMany) as Disturbance['kind'][])
    .flatMap((kind) => Array.from({ length: howMany[kind] }, () => draw(kind)))
    .map((disturbance) => ({ disturbance, place: dice.next() }))
    .sort((one, other) => one.place - other.place);
  return disturbances.map(({ disturbance }, index) => ({
    share: (0.95 * (index + dice.next())) / disturbances.length,
    disturbance,
  }));
}
