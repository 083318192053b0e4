import type { DrawnAction } from '../wire/action.ts';
import type { StepState } from './rolling.ts';

/** Where a trajectory stands. */
export type Place = {
  /** Its last state. */
  nodeId: string;
  /** How many steps lead there. */
  step: number;
};

/** The same, with the value of the state: null when unknown, undefined at the first one. */
export type ValuedPlace = Place & { value: number | null | undefined };

/** Where a step that is being chosen starts, and the value of that state. */
export type StepStart = StepState & Pick<ValuedPlace, 'value'>;

/** What a method chose for a step, and the value that the next one starts from. */
export type ConstructedStep = { action: DrawnAction; value: number | null };

/**
 * Builds a trajectory on to its ending, step by step; the method chooses each step.
 * @param choose chooses and values a step; doing it again must give the same
 * @param onStep told after each step where the trajectory stands, and whether that is its end
 * @returns the action that ended it
 */
export async function construct(
  from: ValuedPlace,
  choose: (start: StepStart) => Promise<ConstructedStep>,
  onStep: (place: ValuedPlace, isOver: boolean) => Promise<void>,
): Promise<EndingAction> {
  for (let place = from; ; ) {
    const step = place.step + 1;
    const { action, value } = await choose({ ...place, step });
    place = { nodeId: action.nodeId, step, value };
    const isOver = action.ending !== null;
    await onStep(place, isOver);
    if (isOver) return action as EndingAction;
  }
}

export type EndingAction = DrawnAction & { ending: NonNullable<DrawnAction['ending']> };
