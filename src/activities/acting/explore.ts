/** The policy's own trajectory, from its first state to its record, in one activity. */
import { exploredIn } from '../../domain/stream.ts';
import type { Explored } from '../../domain/wire/trajectory.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { holdingSession } from './holding-session.ts';
import { type OwnTrajectory, toTheEnding } from './own-trajectory.ts';
import { playOut } from './play-out.ts';
import { standing } from './turn.ts';

/**
 * Every call is in the journal and every step in the tree, so a repeated attempt continues where the last one stopped.
 * @throws as `toTheEnding`
 */
export function exploreTask(context: ActivityContext, own: OwnTrajectory): Promise<Explored> {
  const { run, task, root, record, signal, explorer } = own;
  const where = { role: 'policy' as const, ...exploredIn(run.config.method, task.sample) };
  let place = { nodeId: root.id, step: 0 };
  return toTheEnding(
    own,
    () => place,
    false,
    async () => {
      const played = await holdingSession(context, root.environment, signal, () =>
        playOut(context, run, standing(root), run.config.stepLimit, where, signal, ({ state, tool }) => {
          place = { nodeId: state.id, step: state.step };
          explorer.onStep(state.step, tool);
        }),
      );
      const { ending, reward, success, details } = played;
      const fault = typeof details?.fault === 'string' && reward === null ? details.fault : null;
      const { position } = task;
      return record({ runId: run.id, position, leafId: place.nodeId, ending, reward, success, fault }, signal);
    },
  );
}
