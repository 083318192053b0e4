/** Signals, queries and updates of Crux's workflows: public API, named once. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Ceilings } from '../domain/run-config.ts';
import type { CampaignProgress, TrajectoryResult } from '../domain/wire.ts';

/** A trajectory tells its campaign that it is over. */
export const trajectoryDoneSignal = defineSignal<[TrajectoryResult]>('trajectoryDone');

export const progressQuery = defineQuery<CampaignProgress>('progress');

/** No new model call starts; what is under way finishes. */
export const pauseUpdate = defineUpdate<void, []>('pause');
export const resumeUpdate = defineUpdate<void, []>('resume');
/** Ends the run with what it has. */
export const cancelUpdate = defineUpdate<void, []>('cancel');
/** Replaces the run's ceilings. */
export const retuneUpdate = defineUpdate<void, [Ceilings]>('retune');
