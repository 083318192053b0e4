/** Signals, queries and updates of Crux's workflows: public API, named once. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CeilingChanges } from '../domain/run/ceilings.ts';
import type { CampaignProgress } from '../domain/wire/campaign.ts';
import type { ImproveProgress } from '../domain/wire/improve.ts';
import type { TrajectoryResult } from '../domain/wire/trajectory.ts';

/** A trajectory tells its campaign that it is over. */
export const trajectoryDoneSignal = defineSignal<[TrajectoryResult]>('trajectoryDone');

/** A provider stands still until the user acts: its words; null when the run is taken up again. */
export const blockedSignal = defineSignal<[string | null]>('blocked');

export const progressQuery = defineQuery<CampaignProgress>('progress');
/** The same of an improvement. */
export const improvementQuery = defineQuery<ImproveProgress>('progress');

/** No new model call starts; calls in progress finish. */
export const pauseUpdate = defineUpdate<void, []>('pause');
export const resumeUpdate = defineUpdate<void, []>('resume');
/** Ends the run with its results so far. */
export const cancelUpdate = defineUpdate<void, []>('cancel');
/** Replaces the run's own ceilings, and those of tasks and steps if they are named. */
export const retuneUpdate = defineUpdate<void, [CeilingChanges]>('retune');
