/** What may be shown of a sealed task: everything but its texts. */
import type { Pair } from '../domain/pairs/pair.ts';
import type { ActionView, AlternativeView, StepView, TaskView } from './run-view-types.ts';

const closed = '(sealed)';

export function closedTask(task: TaskView): TaskView {
  return {
    ...task,
    title: task.id,
    trajectories: task.trajectories.map((trajectory) => ({ ...trajectory, steps: trajectory.steps.map(closedStep) })),
    pairs: task.pairs.map(closedPair),
  };
}

function closedStep(step: StepView): StepView {
  return {
    ...step,
    ...closedAction(step),
    observation: step.observation && closed,
    ...(step.userSaid && { userSaid: step.userSaid.map(() => closed) }),
    ...(step.executed !== undefined && { executed: step.executed && closed }),
    ...(step.reasoning !== undefined && { reasoning: step.reasoning && closed }),
    alternatives: step.alternatives.map(
      (alternative): AlternativeView => ({ ...alternative, ...closedAction(alternative) }),
    ),
  };
}

function closedAction({ thought }: ActionView): Pick<ActionView, 'thought' | 'action'> {
  return { thought: thought && closed, action: closed };
}

/** The certificate has the texts of its actions; its figures stay. */
function closedPair(pair: Pair): Pair {
  const { certificate } = pair;
  const closedSide = (side: Pair['certificate']['chosen']) => ({
    ...side,
    message: { role: 'assistant' as const, content: closed },
    canonical: side.canonical && closed,
  });
  return {
    ...pair,
    prompt: [],
    chosen: [],
    rejected: [],
    certificate: { ...certificate, chosen: closedSide(certificate.chosen), rejected: closedSide(certificate.rejected) },
  };
}
