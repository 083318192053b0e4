import { isFlagged } from '../audit-flags.ts';
import type { UnpairedReason } from '../pairs/unpaired.ts';
import { seededRandom } from '../statistics/random.ts';
import type { DrawnAction } from '../wire/action.ts';
import type { ChoiceInput } from '../wire/rro.ts';
import type { ConstructedStep, StepStart } from './construct.ts';
import type { StepState } from './rolling.ts';
import type { RroOptions } from './rro.ts';
import { chooseStep, isDrawnEnough, type StepChoice, whyUnpaired } from './rro-rule.ts';
import { type Valuing, value, valueUnlessBeaten } from './value.ts';
import { verifyValued } from './verify.ts';

/** What RRO does at the steps of one task. A workflow does it by activities; where no step is to be watched, one activity does all of it. */
export type Rising = Valuing<RroOptions> & {
  /** The run's. */
  readonly seed: number;
  /** An action of the policy in a state, and what it leads to. @param number from 0 */
  draw(state: StepState, number: number): Promise<DrawnAction>;
  /** @returns whether the pair is in the seeded sample that is valued again */
  recordChoice(choice: Choice): Promise<{ revalue: boolean }>;
};

/** What was chosen at a step of the trajectory. */
export type Choice = Omit<ChoiceInput, 'runId' | 'trajectoryId'>;

type Worth = { value: number | null; isBound?: boolean };
type Valued = DrawnAction & Worth;

/**
 * A step of reward rising optimization. Source: RRO (arXiv 2505.20737); docs/methods.md says which parts are ours.
 *
 * Actions are drawn one at a time and valued by rollouts, until one has a higher value than the state before. The trajectory continues with
 * this action. It is preferred to the lowest of those drawn before.
 */
export async function rise(task: Rising, state: StepStart): Promise<ConstructedStep> {
  const previous = state.value === undefined ? await value(task, state, null, 'value') : state.value;
  const drawn = await drawUntilRising(task, state, previous);
  const choice = chooseStep(previous, drawn, task.options);
  const accepted = drawn[choice.accepted]!;
  const rejected = choice.rejected === null ? null : drawn[choice.rejected]!;
  const unpaired = whyUnpaired(drawn, choice);
  const { revalue } = await task.recordChoice(choiceOf(state, choice.verdict, drawn, accepted, rejected, unpaired));
  if (rejected) await verifyValued(task, state, accepted, rejected, revalue);
  return { action: accepted, value: await valueToBeat(task, state, accepted) };
}

/** Actions drawn one at a time [P]; a fixed number of them is the paper's baseline. Equal actions are valued once [D]. */
async function drawUntilRising(task: Rising, state: StepStart, previous: number | null): Promise<Valued[]> {
  const drawn: Valued[] = [];
  while (!isDrawnEnough(previous, drawn, task.options, luck(task, `${state.nodeId}/draw-${drawn.length}`))) {
    const action = await task.draw(state, drawn.length);
    const twin = drawn.find(({ equality }) => equality === action.equality);
    drawn.push({ ...action, ...(twin ? worthOf(twin) : await valued(task, state, action, previous)) });
  }
  return drawn;
}

/** A number in [0, 1) that depends on the run's seed and the text only. */
function luck({ seed }: Rising, text: string): number {
  return seededRandom(`${seed}/${text}`).next();
}

/** By m rollouts [P], or fewer if the action clearly cannot rise [D]. */
async function valued(task: Rising, state: StepStart, action: DrawnAction, previous: number | null): Promise<Worth> {
  const { exploration, valueStopping } = task.options;
  return valueStopping === 'cannot-rise' && exploration === 'rising' && previous !== null
    ? valueUnlessBeaten(task, state, action, previous)
    : { value: await value(task, state, action, 'value') };
}

function worthOf(twin: Valued): Worth {
  return { value: twin.value, ...(twin.isBound && { isBound: true }) };
}

async function valueToBeat(task: Rising, state: StepStart, accepted: Valued): Promise<ConstructedStep['value']> {
  if (task.options.previousValue === 'fresh') return value(task, state, accepted, 're-value');
  // If no other action was worth continuing with, makes the missing rollouts of this one: its value at best is nothing to rise above.
  return task.options.boundsLast && accepted.isBound ? value(task, state, accepted, 'value') : accepted.value;
}

function choiceOf(
  { nodeId, step }: StepState,
  verdict: StepChoice['verdict'],
  drawn: readonly DrawnAction[],
  accepted: DrawnAction,
  rejected: DrawnAction | null,
  whyUnpaired: UnpairedReason | null,
): Choice {
  const rejectedId = accepted.candidateId === '' || !rejected?.candidateId ? null : rejected.candidateId;
  const unpaired = whyUnpaired ?? (rejectedId === null ? 'no-action' : null);
  const flaggedDraws = drawn.filter(isFlagged).length;
  const sides = { acceptedId: accepted.candidateId, rejectedId, unpaired };
  return { step, nodeId, verdict, ...sides, ...(flaggedDraws > 0 && { flaggedDraws }) };
}
