import { basename, join, relative, resolve } from 'node:path';
import { storeLocation } from '../../config/config.ts';
import { CruxError } from '../../errors.ts';
import type { RecordedRuns, ReportProgress } from '../../imports/importer.ts';
import { importers } from '../../imports/importers.ts';
import { allCounts, type ImportedCounts, importTrajectories } from '../../imports/recorded-trajectories.ts';
import { openStore } from '../../store/store.ts';
import { configIfValid, type GlobalOptions, homeOf, printResult, say } from '../setting.ts';
import { redraw } from '../terminal/terminal.ts';
import { count, named } from '../terminal/text.ts';

/** @param what one of `importers` */
export async function importData(
  options: GlobalOptions,
  what: string,
  given: { from: string; name?: string; runs?: string[] },
): Promise<void> {
  const from = resolve(given.from);
  const name = dataName(given.name ?? basename(from));
  const folder = join(homeOf(options), 'data', name);
  const importer = await importers[what]!();
  const progress = progressLine(options);
  const runs = (given.runs ?? []).map((place) => resolve(place));
  const { recorded, ...imported } = await importer({ from, runs, into: folder, name, report: progress });
  const bySource = recorded && (await importRuns(options, recorded, progress));
  progress.end();
  const value = recorded && {
    counts: allCounts(bySource!),
    logs: Object.fromEntries(bySource!),
    agreement: recorded.agreement,
    leftOut: recorded.leftOut,
    notes: recorded.notes,
  };
  printResult(options, { name, folder, ...imported.figures, recorded: value }, () =>
    [
      ...imported.text,
      ...(recorded ? [...recordedText(allCounts(bySource!), recorded), ...recorded.text(bySource!)] : []),
      '',
      `In crux.config.ts: ${imported.configured(relative(process.cwd(), folder))}`,
    ].join('\n'),
  );
}

/**
 * The name becomes a folder under the home's data.
 * @throws CruxError `User.Config` for one that would lead elsewhere
 */
function dataName(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,63}$/u.test(name)) return name;
  const what = `${JSON.stringify(name)} is no name for a data set: it takes up to 64 letters, digits, blanks, _, - and dots, and begins with no dot.`;
  throw new CruxError('User.Config', what, { remedy: 'Give another one with --name.' });
}

async function importRuns(
  options: GlobalOptions,
  { environment, trajectories, compare }: RecordedRuns,
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

function recordedText(counts: ImportedCounts, { leftOut, notes }: RecordedRuns): string[] {
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
function progressLine(options: GlobalOptions) {
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
