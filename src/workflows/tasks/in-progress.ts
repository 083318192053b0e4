/** How the tasks of a campaign are done: each by a workflow of its own, or by slots. */
export type TasksInProgress = {
  /** Starts as many as there is room for. */
  fill(): Promise<void>;
  /** Learns from the store what is over. */
  look(): Promise<void>;
  /** How often it looks while nothing is reported, in milliseconds. */
  readonly lookEveryMs: number;
  /** Ends what is in progress, because the run is cancelled. */
  cancel(): Promise<void>;
  /** Whether the campaign starts nothing more before it continues as new. */
  readonly isLong: boolean;
  /** Gets ready for the campaign to continue as new. */
  standDown(): Promise<void>;
};
