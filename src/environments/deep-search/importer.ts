/** Questions and corpora of deep search for `crux import`. */
import { CruxError } from '../../errors.ts';
import { count } from '../../imports/count.ts';
import { environmentName } from '../../imports/environment-name.ts';
import type { Imported, ImportRequest } from '../../imports/importer.ts';
import { importSearch, type SearchImport } from './import/import.ts';

/** @throws CruxError `User.NotFound`, `User.Config`; nothing is written then */
export async function importDeepSearch({ from, runs, into, name, report }: ImportRequest): Promise<Imported> {
  if (runs.length > 0)
    throw new CruxError('User.Config', 'Recorded runs are not imported together with questions of deep search.', {
      remedy:
        'Leave --runs away. Where there is a corpus, `crux import trajectories` replays runs; those of the web cannot be replayed.',
    });
  const imported = await importSearch({ from, into, report });
  const { dataset, ...counts } = imported;
  return {
    figures: { questions: dataset.questions, passages: dataset.passages, ...counts },
    text: textOf(imported, name, into),
    configured: (folder) => configured(folder, name, dataset.passages > 0),
    recorded: null,
  };
}

function configured(folder: string, name: string, hasCorpus: boolean): string {
  const live = hasCorpus ? '' : ', live: { … }';
  return `deepSearch({ data: '${folder}', name: '${environmentName(name, 'deep-search')}'${live} })`;
}

function textOf({ dataset, train, test, sealed, ...left }: SearchImport, name: string, into: string): string[] {
  const { questions, passages, scorer } = dataset;
  const leftOut = [
    [left.withoutAnswer, 'question', 'without an answer'],
    [left.withFile, 'question', 'about a file, which the environment cannot open'],
    [left.unwanted, 'question', 'not named in task_ids.txt'],
    [left.unknownIds, 'id', 'of task_ids.txt for which there is no question'],
    [left.emptyPassages, 'passage', 'without a text'],
    [left.duplicatePassages, 'passage', 'that repeats another'],
    [left.corpusLinks, 'link', 'in the folder of the corpus: links are not followed'],
  ] as const;
  return [
    `${name}: ${counted(questions, 'question')} and ${counted(passages, 'passage')} in ${into}`,
    `Tasks: ${count(train)} train, ${count(test)} test; scored by ${scorer}`,
    ...leftOut
      .filter(([number]) => number > 0)
      .map(([number, what, which]) => `Left out: ${counted(number, what)} ${which}`),
    ...(sealed > 0
      ? [`Sealed: ${counted(sealed, 'question')}. Sealed texts are stored enciphered, and shown only with --unseal.`]
      : []),
    ...(passages === 0 ? ['There is no corpus: the questions are answered on the web, by `live`.'] : []),
  ];
}

function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}
