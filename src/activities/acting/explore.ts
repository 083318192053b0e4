/** The policy's own trajectory, from its first state to its record, in one activity. */
import type { Ending } from '../../domain/ending.ts';
import { endingOfFault } from '../../domain/fault-ending.ts';
import { exploredIn } from '../../domain/stream.ts';
import type { Explored, RecordTrajectoryInput, TrajectorySummary } from '../../domain/wire/trajectory.ts';
import { CruxError } from '../../errors.ts';
import type { Run, RunTask } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { beat, faultMessage, isCancelRequested } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { holdingSession } from './holding-session.ts';
import { playOut } from './play-out.ts';
import { trajectoryId } from './trajectory-id.ts';
import { type StepTaken, standing } from './turn.ts';

type Recorder = (input: RecordTrajectoryInput, signal: AbortSignal) => Promise<TrajectorySummary>;

/** For whom a trajectory is explored. */
export type Explorer = {
  /** Told of each step. */
  onStep(taken: StepTaken): void;
  /** Whether the user's order is why the signal fired. It also fires when a worker stops, or is taken for dead. */
  isCancelled(): boolean;
};

/** An activity for one trajectory alone. */
export const ownActivity: Explorer = {
  onStep: ({ state, tool }) => beat({ step: state.step, tool }),
  isCancelled: () => isCancelRequested(),
};

/**
 * Every call is in the journal and every step in the tree, so a repeated attempt continues where the last one stopped. What ends the trajectory early is
 * recorded with the state that it had reached; only what a ceiling of the run ends is not.
 * @param record records how the trajectory ended
 * @throws CruxError `Run.Paused` and others that pass by themselves
 */
export async function exploreTask(
  context: ActivityContext,
  run: Run,
  { position, sample }: RunTask,
  root: State,
  record: Recorder,
  signal: AbortSignal,
  { onStep, isCancelled }: Explorer,
): Promise<Explored> {
  const where = { role: 'policy' as const, ...exploredIn(run.config.method, sample) };
  let leafId = root.id;
  let steps = 0;
  const ended = (ending: Ending, fault: string | null) =>
    // The activity's own signal may be what ended it.
    record(
      { runId: run.id, position, leafId, ending, reward: null, success: null, fault },
      new AbortController().signal,
    );
  try {
    const played = await holdingSession(context, root.environment, signal, () =>
      playOut(context, run, standing(root), run.config.stepLimit, where, signal, (taken) => {
        [leafId, steps] = [taken.state.id, taken.state.step];
        onStep(taken);
      }),
    );
    const { ending, reward, success, details } = played;
    const fault = typeof details?.fault === 'string' && reward === null ? details.fault : null;
    return {
      trajectory: await record({ ...{ runId: run.id, position, leafId }, ending, reward, success, fault }, signal),
    };
  } catch (error) {
    if (signal.aborted && isCancelled()) return { trajectory: await ended('cancelled', null) };
    const ending = error instanceof CruxError ? endingOfFault(error.kind) : null;
    if (signal.aborted || !(error instanceof CruxError) || ending === null) throw error;
    const { kind } = error;
    const message = faultMessage(error);
    const stop = ending === 'budget' ? { kind, message } : undefined;
    // A run that is out of budget leaves its trajectories open: a higher ceiling lets them continue.
    const trajectory =
      kind === 'Run.Budget'
        ? { trajectoryId: trajectoryId(run, root.taskId, sample), ending, success: null, reward: null, steps }
        : await ended(ending, message);
    return { trajectory, ...(stop && { stop }) };
  }
}
