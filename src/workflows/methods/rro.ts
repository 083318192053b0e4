import { isFlagged } from '../../domain/audit-flags.ts';
import type { RroOptions } from '../../domain/methods/index.ts';
import { chooseStep, isDrawnEnough, type StepChoice, whyUnpaired } from '../../domain/methods/rro-rule.ts';
import type { UnpairedReason } from '../../domain/pairs/unpaired.ts';
import { seededRandom } from '../../domain/statistics/random.ts';
import type { DrawnAction } from '../../domain/wire/action.ts';
import { type ConstructedStep, construct, type StepStart } from '../primitives/construct.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import type { StepState, TaskRun } from '../primitives/task-run.ts';
import { value, valueUnlessBeaten } from '../primitives/value.ts';
import { verifyValued } from '../primitives/verify.ts';
import { agent, bookkeeping } from '../proxies.ts';

type Worth = { value: number | null; isBound?: boolean };
type Valued = DrawnAction & Worth;

/**
 * Reward rising optimization on one task. Source: RRO (arXiv 2505.20737); docs/methods.md says which parts are ours.
 *
 * The policy's trajectory is built step by step. At each step actions are drawn one at a time and valued by rollouts, until one has a higher
 * value than the state before. The trajectory continues with this action. It is preferred to the lowest of those drawn before.
 */
export async function rro(task: TaskRun<RroOptions>): Promise<void> {
  await construct(task, async (state) => {
    const previous = state.value === undefined ? await value(task, state, null, 'value') : state.value;
    const drawn = await drawUntilRising(task, state, previous);
    const choice = chooseStep(previous, drawn, task.options);
    const accepted = drawn[choice.accepted]!;
    const rejected = choice.rejected === null ? null : drawn[choice.rejected]!;
    const unpaired = whyUnpaired(drawn, choice);
    const { revalue } = await recordChoice(task, state, choice.verdict, drawn, accepted, rejected, unpaired);
    if (rejected) await verifyValued(task, state, accepted, rejected, revalue);
    return { action: accepted, value: await valueToBeat(task, state, accepted) };
  });
  await emitPairs(task);
}

/** Actions drawn one at a time [P]; a fixed number of them is the paper's baseline. Equal actions are valued once [D]. */
async function drawUntilRising(
  task: TaskRun<RroOptions>,
  state: StepStart,
  previous: number | null,
): Promise<Valued[]> {
  const drawn: Valued[] = [];
  while (!isDrawnEnough(previous, drawn, task.options, luck(task, `${state.nodeId}/draw-${drawn.length}`))) {
    const action = await draw(task, state, drawn.length);
    const twin = drawn.find(({ equality }) => equality === action.equality);
    drawn.push({ ...action, ...(twin ? worthOf(twin) : await valued(task, state, action, previous)) });
  }
  return drawn;
}

/** An action of the policy in the state, and what it leads to. */
export function draw(
  { input, opened, places }: TaskRun,
  { nodeId, step }: StepState,
  draw: number,
): Promise<DrawnAction> {
  const { runId } = input;
  const { sample } = opened;
  return places.run(() => agent(`step ${step}: draw action ${draw + 1}`).drawAction({ runId, nodeId, sample, draw }));
}

/** A number in [0, 1) that depends on the run's seed and the text only. */
function luck({ opened }: TaskRun, text: string): number {
  return seededRandom(`${opened.seed}/${text}`).next();
}

/** By m rollouts [P], or fewer if the action clearly cannot rise [D]. */
async function valued(
  task: TaskRun<RroOptions>,
  state: StepStart,
  action: DrawnAction,
  previous: number | null,
): Promise<Worth> {
  const { exploration, valueStopping } = task.options;
  return valueStopping === 'cannot-rise' && exploration === 'rising' && previous !== null
    ? valueUnlessBeaten(task, state, action, previous)
    : { value: await value(task, state, action, 'value') };
}

function worthOf(twin: Valued): Worth {
  return { value: twin.value, ...(twin.isBound && { isBound: true }) };
}

async function valueToBeat(
  task: TaskRun<RroOptions>,
  state: StepStart,
  accepted: Valued,
): Promise<ConstructedStep['value']> {
  if (task.options.previousValue === 'fresh') return value(task, state, accepted, 're-value');
  // If no other action was worth continuing with, makes the missing rollouts of this one: its value at best is nothing to rise above.
  return task.options.boundsLast && accepted.isBound ? value(task, state, accepted, 'value') : accepted.value;
}

/** @returns whether the pair is in the seeded sample that is valued again */
function recordChoice(
  task: TaskRun<RroOptions>,
  { nodeId, step }: StepState,
  verdict: StepChoice['verdict'],
  drawn: readonly DrawnAction[],
  accepted: DrawnAction,
  rejected: DrawnAction | null,
  whyUnpaired: UnpairedReason | null,
): Promise<{ revalue: boolean }> {
  const rejectedId = accepted.candidateId === '' || !rejected?.candidateId ? null : rejected.candidateId;
  const unpaired = whyUnpaired ?? (rejectedId === null ? 'no-action' : null);
  const choice = { ...task.address(step), nodeId, verdict, acceptedId: accepted.candidateId, rejectedId, unpaired };
  const flaggedDraws = drawn.filter(isFlagged).length;
  return bookkeeping(`step ${step}: record the choice`).recordChoice({
    ...choice,
    ...(flaggedDraws > 0 && { flaggedDraws }),
  });
}
