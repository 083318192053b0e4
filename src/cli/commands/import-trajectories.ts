import { resolve } from 'node:path';
import { CruxError } from '../../errors.ts';
import { comparingTexts } from '../../imports/compare-texts.ts';
import { readConversations } from '../../imports/conversations.ts';
import { readInputFile } from '../../imports/input-file.ts';
import { allCounts } from '../../imports/recorded-trajectories.ts';
import { environmentNamed } from '../environment-named.ts';
import { type GlobalOptions, printResult } from '../setting.ts';
import { named } from '../terminal/text.ts';
import { type ImportOptions, progressLine, recordedText, refuseOptions, replayRuns } from './import-runs.ts';

/** Replays recorded conversations in any environment. */
export async function importConversations(options: GlobalOptions, given: ImportOptions): Promise<void> {
  refuseOptions('trajectories', given, ['name', 'runs']);
  if (given.env === undefined)
    throw new CruxError('User.Config', 'crux import trajectories needs --env: the environment that replays them.', {
      remedy: 'Name one of the configuration, or a file that exports one.',
    });
  const file = readInputFile(resolve(given.from));
  const environment = await environmentNamed(options, given.env);
  const taskIds = new Set((await environment.tasks()).map(({ id }) => id));
  const { trajectories, notes } = readConversations(file, taskIds);
  const progress = progressLine(options);
  const runs = { environment, trajectories, compare: comparingTexts(environment) };
  const counts = allCounts(await replayRuns(options, runs, progress));
  progress.end();
  const formats = { tools: 0, react: 0 };
  for (const { format } of trajectories) formats[format]++;
  printResult(options, { environment: environment.name, formats, counts, notes }, () =>
    [...recordedText(counts, { leftOut: [], notes }), `  written in: ${named(formats)}`].join('\n'),
  );
}
