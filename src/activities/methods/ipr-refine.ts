/** A step of IPR in one activity. */
import { stopOfFault } from '../../domain/fault-ending.ts';
import type { IprOptions } from '../../domain/methods/index.ts';
import { type Refining, refine } from '../../domain/methods/ipr-step.ts';
import { isHeld } from '../../domain/run/run-config.ts';
import type { RefinedStep } from '../../domain/wire/ipr.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { CruxError } from '../../errors.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { OwnRollouts } from '../acting/own-rollouts.ts';
import { StepBoundary } from '../acting/step-boundary.ts';
import { branchActivities } from '../branches.ts';
import { faultMessage, isCancelRequested } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { iprActivities } from './ipr.ts';

export function refineActivities(context: ActivityContext) {
  const { store, environments } = context;
  const { expertState, contrastStep, recordContrast } = iprActivities(context);

  /**
   * The same as the workflow does by activities. A repeated attempt reads rollouts from the store, and continues those that were in progress.
   * @throws CruxError of a kind that passes by itself; nothing of the step is in progress any more then
   */
  async function refineStep(address: StepAddress, signal: AbortSignal): Promise<RefinedStep> {
    const run = await store.runs.get(address.runId);
    // A run that is held back for long is not read again and again.
    if (isHeld(run.state)) admitRun(run);
    const { runId, trajectoryId, step } = address;
    const boundary = new StepBoundary(context, environments.get(run.environment));
    const branches = branchActivities({ ...context, boundary });
    const rollouts = new OwnRollouts({ runId, trajectoryId }, branches, run.config.parallel, signal);
    const refining: Refining = {
      ...rollouts.rolling,
      // A run's options are those of its method: its configuration made sure of that.
      options: run.config.options as IprOptions,
      expertState: () => expertState(address),
      contrastStep: () => contrastStep(address, signal),
      recordContrast: (contrast) => recordContrast({ ...address, ...contrast }),
    };
    try {
      await rollouts.untilOver(() => refine(refining, step));
    } catch (error) {
      const stop = stopOf(error, signal);
      if (stop === null) throw error;
      return { branches: rollouts.count, stop };
    }
    return { branches: rollouts.count };
  }

  return { refineStep };
}

/** What the workflow is to be told of; null if another attempt is to be made. */
function stopOf(error: unknown, signal: AbortSignal): RefinedStep['stop'] | null {
  if (signal.aborted && isCancelRequested()) return { kind: 'Run.Cancelled', message: 'The task was cancelled.' };
  if (signal.aborted || !(error instanceof CruxError) || stopOfFault(error.kind) === null) return null;
  return { kind: error.kind, message: faultMessage(error) };
}
