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
  /**
   * How often tasks in flight are looked up, in case a signal was lost or a workflow terminated: default 2 minutes. How often results in slots are
   * counted, and slots look whether they are to give way: default 10 s.
   */
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
  /** Whether slots play its tasks. Absent: every task has a workflow. */
  inSlots?: boolean;
};

/** The stored state of a run when its campaign starts. */
export type OpenedCampaign = {
  counts: CampaignCounts;
  state: RunState;
  environment: string;
  /** Whether slots play its tasks. Absent in histories from before there were slots: every task has a workflow. */
  inSlots?: boolean;
};

/** A slot: an activity that plays one task of a run after another, as many at once as it has places. */
export type SlotInput = {
  runId: string;
  /** From 0. */
  slot: number;
  places: number;
  /** How many slots the run has. */
  slots: number;
  /** How often it looks whether it is to give way to others, in milliseconds. Default 10 s. */
  lookEveryMs?: number;
};

export type SlotResult = {
  /**
   * Why it came back: no task is left that it could take, the budget of the run is spent, or others are to have a turn, and it has more to do.
   */
  left: 'nothing' | 'budget' | 'more';
  /** What it found in tasks that the budget of the run cut short. They are not done. */
  cutShort: CampaignCounts;
};

/** Results of all tasks before position `from`. They are over, and need not be counted again. */
export type Settled = { from: number; counts: CampaignCounts };

/** How a run stands whose tasks are in slots. */
export type Stock = { settled: Settled; counts: CampaignCounts; inFlight: number };

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
