import type { MethodOptions } from '../../domain/methods/index.ts';
import type { VerificationOptions } from '../../domain/methods/options.ts';
import { numbers } from '../../domain/methods/rolling.ts';
import { verify } from '../../domain/methods/verify.ts';
import type { Preference } from '../../domain/wire/action.ts';
import { branches, rollingOf } from './branch.ts';
import type { TaskRun } from './task-run.ts';

type Verifying = Extract<MethodOptions, { verification?: VerificationOptions }>;

/** Rollouts of each action: as many as show whether their selection is worth anything. */
const rolloutsOfWorth = 5;

/**
 * Further evidence for a pair, besides what selected it: fresh rollouts under `sound`, and on a seeded sample under both presets some that
 * decide nothing [D].
 */
export async function bearOut(task: TaskRun<Verifying>, step: number, pair: Preference): Promise<void> {
  await Promise.all([verifyPreference(task, step, pair), measureWorth(task, step, pair)]);
}

/** Under `sound`, fresh rollouts must show that the preferred action is the better one [D]. */
async function verifyPreference(
  task: TaskRun<Verifying>,
  step: number,
  { nodeId, best, worst }: Preference,
): Promise<void> {
  const { verification } = task.options;
  if (!verification || verification.rollouts === 1) return;
  await verify(rollingOf(task), verification, { step, nodeId, alternatives: [best], rivalId: worst });
}

async function measureWorth(task: TaskRun<Verifying>, step: number, pair: Preference): Promise<void> {
  if (!pair.revalue) return;
  const { nodeId, best, worst } = pair;
  await Promise.all(
    [best, worst].map((candidateId) =>
      branches(task, step, { nodeId, candidateId, purpose: 're-estimate' }, numbers(rolloutsOfWorth)),
    ),
  );
}
