import { type ConstructedStep, construct as constructFrom, type StepStart } from '../../domain/methods/construct.ts';
import type { TrajectorySummary } from '../../domain/wire/trajectory.ts';
import type { TaskRun } from './task-run.ts';
import { endedAs, recordEnding, toTheEnding } from './to-the-ending.ts';

/**
 * The policy's trajectory of chosen steps: as it was constructed when the task was opened, else step by step.
 * @param choose chooses and values a step; doing it again must give the same
 */
export async function construct(
  task: TaskRun,
  choose: (start: StepStart) => Promise<ConstructedStep>,
): Promise<TrajectorySummary> {
  const { constructed } = task.opened;
  if (!constructed) return stepByStep(task, choose);
  task.branches = constructed.branches;
  return endedAs(task, constructed, true);
}

async function stepByStep(
  task: TaskRun,
  choose: (start: StepStart) => Promise<ConstructedStep>,
): Promise<TrajectorySummary> {
  const cursor = task.input.cursor?.phase === 'construct' ? task.input.cursor : null;
  let place = { nodeId: cursor?.nodeId ?? task.opened.rootId, step: cursor?.step ?? 0, value: cursor?.value };
  task.branches = cursor?.branches ?? 0;
  task.status('constructing');
  task.trajectory = await toTheEnding(
    task,
    () => place,
    true,
    async () => {
      const { ending, reward, success } = await constructFrom(place, choose, async (reached, isOver) => {
        place = reached;
        if (isOver) return;
        task.stepped(place.step);
        const { nodeId, step, value = null } = place;
        await task.continueAsNewIfLong({ phase: 'construct', nodeId, step, value, branches: task.branches });
      });
      return recordEnding(task, place.nodeId, ending, reward, success);
    },
  );
  return task.trajectory;
}
