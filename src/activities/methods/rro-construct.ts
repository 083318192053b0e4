/** RRO's trajectory of a task, from its first state to its record, in one activity. */
import { construct, type ValuedPlace } from '../../domain/methods/construct.ts';
import type { RroOptions } from '../../domain/methods/index.ts';
import { type Rising, rise } from '../../domain/methods/rro-step.ts';
import { isHeld } from '../../domain/run/run-config.ts';
import type { Constructed } from '../../domain/wire/trajectory.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { drawIn } from '../acting/draw.ts';
import { OwnRollouts } from '../acting/own-rollouts.ts';
import { type OwnTrajectory, toTheEnding } from '../acting/own-trajectory.ts';
import { StepBoundary } from '../acting/step-boundary.ts';
import { trajectoryId } from '../acting/trajectory-id.ts';
import { branchActivities } from '../branches.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { rroActivities } from './rro.ts';

/**
 * The same steps as the workflow takes by activities. Every call is in the journal, every step in the tree and every rollout in the store, so a
 * repeated attempt continues where the last one stopped. It holds no session: each step of a draw and each rollout holds its own.
 * @throws as `toTheEnding`; nothing of the trajectory is in progress any more then
 */
export async function constructTask(context: ActivityContext, own: OwnTrajectory): Promise<Constructed> {
  const { run, task, root, record, signal, explorer } = own;
  // A run that is held back for long is not read again and again.
  if (isHeld(run.state)) admitRun(run);
  const trajectory = { runId: run.id, trajectoryId: trajectoryId(run, root.taskId, task.sample) };
  const boundary = new StepBoundary(context, context.environments.get(run.environment));
  const branches = branchActivities({ ...context, boundary });
  const rollouts = new OwnRollouts(trajectory, branches, run.config.parallel, signal);
  const { recordChoice } = rroActivities(context);
  const rising: Rising = {
    ...rollouts.rolling,
    // A run's options are those of its method: its configuration made sure of that.
    options: run.config.options as RroOptions,
    seed: run.seed,
    async draw({ nodeId }, draw) {
      boundary.pass();
      const { action, isNew } = await drawIn(context, run, { nodeId, sample: task.sample, draw }, signal);
      if (isNew) boundary.advanced();
      return action;
    },
    recordChoice: (choice) => recordChoice({ ...trajectory, ...choice }),
  };
  let place: ValuedPlace = { nodeId: root.id, step: 0, value: undefined };
  const made = await toTheEnding(
    own,
    () => place,
    true,
    async () => {
      const { ending, reward, success } = await rollouts.untilOver(() =>
        construct(
          place,
          (start) => rise(rising, start),
          async (reached) => {
            place = reached;
            explorer.onStep(place.step);
          },
        ),
      );
      const ended = { runId: run.id, position: task.position, leafId: place.nodeId, ending, reward, success };
      return record({ ...ended, fault: null }, signal);
    },
  );
  return { ...made, branches: rollouts.count };
}
