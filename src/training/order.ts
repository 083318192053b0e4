/** What a supervisor is told, on its standard input: there no list of processes shows it. */
import type { StoreAddress } from '../store/store.ts';
import type { TrainingHistory } from '../store/trainings.ts';
import type { WatchSettings } from './metrics.ts';

export type SupervisorOrder = {
  store: StoreAddress;
  /** Absolute. */
  folder: string;
  /** Program and arguments; the folder follows them. */
  command: string[];
  /** Where the command runs. */
  workingFolder: string;
  /** Environment variables that the trainer does not get. */
  withheld: string[];
  watch: WatchSettings;
  history: TrainingHistory;
  /** The holder whose lease it takes; null if the folder has none. */
  from: string | null;
  /** Whether that holder may live out of sight: it is given time to notice that it lost the folder. */
  mayLive: boolean;
  times: SupervisorTimes;
};

/** In milliseconds. */
export type SupervisorTimes = {
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  renewEveryMs: number;
};
