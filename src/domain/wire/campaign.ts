/** A campaign: its input, what it reports about itself, and what it asks of the store. */

import type { Ending } from '../ending.ts';
import type { MethodName } from '../methods/index.ts';
import type { CeilingChanges } from '../run/ceilings.ts';
import type { RunState } from '../run/run-config.ts';
import type { TaskAddress, TrajectoryResult } from './trajectory.ts';

export type CampaignInput = {
  runId: string;
  method: MethodName;
  /** Trajectories in progress at once. */
  window: number;
  /** Events of history after which the campaign, its trajectories and branches continue as new. Default: when the server suggests it. */
  historyLimit?: number;
  /** How often tasks in flight are looked up, in case a signal was lost or a workflow terminated. Default 2 minutes. */
  settleEveryMs?: number;
  cursor?: CampaignCursor;
};

export type CampaignCursor = {
  nextPosition: number;
  inFlight: { position: number; workflowId: string }[];
  counts: CampaignCounts;
  cutShort: CampaignCounts;
  state: RunState;
  /** Positions that have been in flight since before the ceilings were last changed. Absent: none. */
  sinceRetune?: number[];
  /** Why the run is blocked. Absent: it is not. */
  block?: string;
};

export type CampaignCounts = {
  total: number;
  done: number;
  /** Trajectories by ending, successes counted as `success`, and those that the environment's audit flagged as `flagged`. */
  endings: { [ending: string]: number };
  criticalSteps: number;
  branches: number;
  pairs: number;
  /** Trajectories kept to imitate; absent under methods that keep none. */
  examples?: number;
};

export type CampaignProgress = CampaignCounts & { state: RunState; inFlight: number };

export type CampaignResult = CampaignCounts & { state: RunState };

export type NextTask = { position: number; workflowId: string; title: string; taskId: string };

export type SettledTask = { position: number; result: TrajectoryResult };

export type LoseTaskInput = TaskAddress & {
  ending: Ending;
  /** Kind and words of the fault. */
  fault?: string | null;
};

export type ControlInput = { runId: string; state?: RunState; ceilings?: CeilingChanges };

/** `state`: absent in histories from before a run could be cancelled without its campaign. */
export type FinishedRun = CampaignCounts & { state?: RunState };
