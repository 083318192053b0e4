import { basename, join, relative, resolve } from 'node:path';
import { CruxError } from '../../errors.ts';
import { importers } from '../../imports/importers.ts';
import { allCounts } from '../../imports/recorded-trajectories.ts';
import { type GlobalOptions, homeOf, printResult } from '../setting.ts';
import { type ImportOptions, progressLine, recordedText, refuseOptions, replayRuns } from './import-runs.ts';

/** @param what one of `importers` */
export async function importData(options: GlobalOptions, what: string, given: ImportOptions): Promise<void> {
  refuseOptions(what, given, ['env']);
  const from = resolve(given.from);
  const name = dataName(given.name ?? basename(from));
  const folder = join(homeOf(options), 'data', name);
  const importer = await importers[what]!();
  const progress = progressLine(options);
  const runs = (given.runs ?? []).map((place) => resolve(place));
  const { recorded, ...imported } = await importer({ from, runs, into: folder, name, report: progress });
  const bySource = recorded && (await replayRuns(options, recorded, progress));
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
