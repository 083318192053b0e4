/** What imports have in common: options, the replay of recorded runs, and its figures. */
import { storeLocation } from '../../config/config.ts';
import { CruxError } from '../../errors.ts';
import type { RecordedRuns, ReportProgress } from '../../imports/importer.ts';
import { type ImportedCounts, importTrajectories } from '../../imports/recorded-trajectories.ts';
import { openStore } from '../../store/store.ts';
import { configIfValid, type GlobalOptions, homeOf, say } from '../setting.ts';
import { redraw } from '../terminal/terminal.ts';
import { count, named } from '../terminal/text.ts';

export type ImportOptions = { from: string; name?: string; runs?: string[]; env?: string };

/** @throws CruxError `User.Config` for an option that says nothing to this import */
export function refuseOptions(what: string, given: ImportOptions, names: readonly (keyof ImportOptions)[]): void {
  const extra = names.find((name) => given[name] !== undefined);
  if (extra === undefined) return;
  throw new CruxError('User.Config', `crux import ${what} takes no --${extra}.`, { remedy: 'Leave it out.' });
}

/** Replays recorded runs into the store, and closes their environment. */
export async function replayRuns(
  options: GlobalOptions,
  { environment, trajectories, compare }: Pick<RecordedRuns, 'environment' | 'trajectories' | 'compare'>,
  report: ReportProgress,
): Promise<Map<string, ImportedCounts>> {
  try {
    // The configuration may already name the data set that is being imported.
    const config = await configIfValid(options);
    const store = await openStore(storeLocation(config, homeOf(options)));
    try {
      return await importTrajectories(store, environment, trajectories, compare, (done, total) =>
        report('recorded runs', done, total),
      );
    } finally {
      await store.close();
    }
  } finally {
    await environment.close?.();
  }
}

export function recordedText(
  counts: ImportedCounts,
  { leftOut, notes }: Pick<RecordedRuns, 'leftOut' | 'notes'>,
): string[] {
  const diverged = Object.values(counts.diverged).reduce((sum, value) => sum + value, 0);
  const empty = counts.empty > 0 ? `, and ${count(counts.empty)} without a turn` : '';
  return [
    ...leftOut.map((line) => `Left out: ${line}`),
    ...notes.map((line) => `Note: ${line}`),
    `Recorded runs: ${count(counts.recorded)}, of which ${count(counts.outsideSplits)} on tasks that are left out${empty}`,
    `  replayed ${count(counts.replayed)}: ${count(counts.succeeded)} successes, ${count(counts.failed)} failures to mine`,
    `  diverged ${count(diverged)}: ${named(counts.diverged)}`,
    `  observations ${count(counts.observations)}; different words for the same: ${named(counts.tolerated)}`,
  ];
}

/** One line that is redrawn on a terminal; prints nothing if output is piped. */
export function progressLine(options: GlobalOptions) {
  const draw = process.stderr.isTTY && !options.json;
  let stage = '';
  const line = (name: string, done: number, total: number) => {
    if (draw) redraw(`Importing ${name}: ${done} of ${total}`);
    else if (name !== stage) say(options)(`Importing ${name} …`);
    stage = name;
  };
  line.end = () => {
    if (draw) redraw('');
  };
  return line;
}
