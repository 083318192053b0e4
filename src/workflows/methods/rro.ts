import type { RroOptions } from '../../domain/methods/index.ts';
import { type Rising, rise } from '../../domain/methods/rro-step.ts';
import { rollingOf } from '../primitives/branch.ts';
import { construct } from '../primitives/construct.ts';
import { emitPairs } from '../primitives/emit-pairs.ts';
import type { TaskRun } from '../primitives/task-run.ts';
import { agent, bookkeeping } from '../proxies.ts';

/**
 * Reward rising optimization on one task. Source: RRO (arXiv 2505.20737); docs/methods.md says which parts are ours.
 *
 * The policy's trajectory is built step by step, from actions whose values rise (rro-step.ts).
 */
export async function rro(task: TaskRun<RroOptions>): Promise<void> {
  const rising = risingOf(task);
  await construct(task, (state) => rise(rising, state));
  await emitPairs(task);
}

/** The steps of RRO, by activities. */
export function risingOf(task: TaskRun<RroOptions>): Rising {
  const { input, opened, options, places } = task;
  const { runId } = input;
  const { seed, sample } = opened;
  return {
    ...rollingOf(task),
    options,
    seed,
    draw: ({ nodeId, step }, draw) =>
      places.run(() => agent(`step ${step}: draw action ${draw + 1}`).drawAction({ runId, nodeId, sample, draw })),
    recordChoice: (choice) =>
      bookkeeping(`step ${choice.step}: record the choice`).recordChoice({ ...task.address(choice.step), ...choice }),
  };
}
