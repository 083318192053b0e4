/** The policy's own trajectory of a task, made in one activity, and how it ends early. */
import type { Ending } from '../../domain/ending.ts';
import { endingOfFault } from '../../domain/fault-ending.ts';
import type { Place } from '../../domain/methods/construct.ts';
import type { Explored, RecordTrajectoryInput, TrajectorySummary } from '../../domain/wire/trajectory.ts';
import { CruxError } from '../../errors.ts';
import type { Run, RunTask } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { beat, faultMessage, isCancelRequested } from '../runtime/boundary.ts';
import { trajectoryId } from './trajectory-id.ts';

/** For whom a trajectory is made. */
export type Explorer = {
  /** Told of each step: its number, and the tools that it called if they are known. */
  onStep(step: number, tool?: string | null): void;
  /** Whether the user's order is why the signal fired. It also fires when a worker stops, or is taken for dead. */
  isCancelled(): boolean;
};

/** An activity for one trajectory alone. */
export const ownActivity: Explorer = {
  onStep: (step, tool) => beat({ step, ...(tool !== undefined && { tool }) }),
  isCancelled: () => isCancelRequested(),
};

/** A trajectory to make. */
export type OwnTrajectory = {
  run: Run;
  task: RunTask;
  root: State;
  /** Records how it ended. */
  record(input: RecordTrajectoryInput, signal: AbortSignal): Promise<TrajectorySummary>;
  signal: AbortSignal;
  explorer: Explorer;
};

/**
 * Runs `work`, which makes the trajectory and records it. What ends it early is recorded with the state that it had reached.
 * @param at where it stands
 * @param hasPairs whether steps of a trajectory without an ending may have pairs already: then its ending is recorded in any case. If not, one that
 * a ceiling of the run ends stays open: a higher ceiling lets it continue
 * @throws CruxError `Run.Paused` and others that pass by themselves; and what is no fault
 */
export async function toTheEnding(
  { run, task, root, record, signal, explorer }: OwnTrajectory,
  at: () => Place,
  hasPairs: boolean,
  work: () => Promise<TrajectorySummary>,
): Promise<Explored> {
  const { position, sample } = task;
  const ended = (ending: Ending, fault: string | null) =>
    record(
      { runId: run.id, position, leafId: at().nodeId, ending, reward: null, success: null, fault },
      // The activity's own signal may be what ended it.
      new AbortController().signal,
    );
  try {
    return { trajectory: await work() };
  } catch (error) {
    if (signal.aborted && explorer.isCancelled()) return { trajectory: await ended('cancelled', null) };
    const ending = error instanceof CruxError ? endingOfFault(error.kind) : null;
    if (signal.aborted || !(error instanceof CruxError) || ending === null) throw error;
    const { kind } = error;
    const message = faultMessage(error);
    const stop = ending === 'budget' ? { kind, message } : undefined;
    const id = trajectoryId(run, root.taskId, sample);
    const trajectory =
      kind === 'Run.Budget' && !hasPairs
        ? { trajectoryId: id, ending, success: null, reward: null, steps: at().step }
        : await ended(ending, message);
    return { trajectory, ...(stop && { stop }) };
  }
}
