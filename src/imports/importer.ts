/** Imports the data of a benchmark, with the runs of other agents that come with it. */
import type { Environment } from '../environments/contract.ts';
import type { Compare, ImportedCounts, RecordedTrajectory } from './recorded-trajectories.ts';

/** @throws CruxError `User.NotFound`, `User.Config` before anything is written */
export type Importer = (request: ImportRequest) => Promise<Imported>;

export type ImportRequest = {
  /** Folder of the benchmark. */
  from: string;
  /** Files and folders of recorded runs, besides those in the benchmark's folder. */
  runs: readonly string[];
  /** Data set folder to create. */
  into: string;
  /** Name of the data set, and of its environment. */
  name: string;
  report: ReportProgress;
};

/** @param stage name of what is read */
export type ReportProgress = (stage: string, done: number, total: number) => void;

export type Imported = {
  /** What was made, for programs. */
  figures: { [name: string]: number | readonly string[] };
  /** The same as lines of text. */
  text: string[];
  /** The environment as written in a configuration. @param folder of the data set */
  configured(folder: string): string;
  /** Null if there are no runs of other agents. */
  recorded: RecordedRuns | null;
};

export type RecordedRuns = {
  /** The environment that replays them; the caller closes it. */
  environment: Environment;
  trajectories: readonly RecordedTrajectory[];
  compare: Compare;
  /** Files that could not be taken: a line for each fault, with file and line number. */
  leftOut: readonly string[];
  /** What was put right in reading the others, in lines of the same form. */
  notes: readonly string[];
  /** How far the environment and the original agree, for programs. */
  agreement: object;
  /** The same as lines of text. @param counts what came of the trajectories, by source */
  text(counts: ReadonlyMap<string, ImportedCounts>): string[];
};
