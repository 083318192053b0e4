// Layer: files. What an import makes of questions and corpora, and that one it refuses leaves everything as it was.
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase, readQuestions } from '../../../src/environments/deep-search/dataset.ts';
import { deepSearch } from '../../../src/environments/deep-search/environment.ts';
import { importSearch } from '../../../src/environments/deep-search/import/import.ts';
import { xored } from '../../../src/sealed-text.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { callCommand } from '../../helpers/command.ts';
import { filesAt, jsonLines, passages, questions } from '../../helpers/small-library.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const place = () => join(temporaryFolder(), 'data', 'library');

async function imported(files: { [path: string]: unknown }, questionFile = '') {
  const into = place();
  const result = await importSearch({ from: join(filesAt(files), questionFile), into });
  const database = openDatabase(into);
  const made = readQuestions(database);
  const texts = database.prepare('SELECT id, title FROM passage ORDER BY number').all();
  database.close();
  return { into, result, questions: [...made.values()], passages: texts.map(({ id, title }) => [id, title]) };
}

const hotpot = {
  _id: 'h1',
  question: 'Where was the builder of the lighthouse born?',
  answer: 'Orrefell',
  level: 'easy',
  supporting_facts: [
    ['Marlow Quay', 1],
    ['Edda Lund', 0],
    ['Edda Lund', 1],
  ],
  context: [
    ['Tresk', ['Tresk is an island.', ' It has harbours.']],
    ['Edda Lund', ['Edda Lund was born in Orrefell.']],
    ['Marlow Quay', ['Its lighthouse was built by Edda Lund.']],
  ],
};

describe('questions', () => {
  it('of MuSiQue keep their hops, each with the passage of the corpus that answers it', async () => {
    const { questions: made } = await imported({ 'musique.json': questions });
    expect(made[0]).toMatchObject({
      answers: ['Orrefell', 'the town of Orrefell'],
      hops: [
        { question: 'Marlow Quay >> lighthouse built by', answer: 'Edda Lund', passage: 'p1' },
        { question: 'Where was #1 born?', answer: 'Orrefell', passage: 'p2' },
      ],
    });
  });

  it('of HotpotQA have a hop for each supporting passage, whose answer is not known', async () => {
    const { questions: made, passages: texts } = await imported({ 'hotpot.json': [hotpot] });
    expect(texts).toEqual([
      ['p1', 'Tresk'],
      ['p2', 'Edda Lund'],
      ['p3', 'Marlow Quay'],
    ]);
    expect(made[0]).toMatchObject({
      difficulty: 'easy',
      hops: [
        { question: 'Marlow Quay', answer: null, passage: 'p3' },
        { question: 'Edda Lund', answer: null, passage: 'p2' },
      ],
    });
  });

  it('of a user have an id, a split and a group of their own, if the line has them', async () => {
    const { questions: made } = await imported({
      'questions.jsonl': jsonLines([
        { question: 'One?', answer: '1' },
        { id: 'two', question: 'Two?', answer: '2', aliases: ['II'], split: 'test', group: 'g', difficulty: 'hard' },
      ]),
      'corpus.jsonl': jsonLines(passages),
    });
    expect(made).toMatchObject([
      { id: '1', split: 'train', group: '1', answers: ['1'] },
      { id: 'two', split: 'test', group: 'g', answers: ['2', 'II'], difficulty: 'hard' },
    ]);
  });

  it('of a group lie in the split that one of them says, whichever comes first', async () => {
    const lines = [{ group: 'g' }, { group: 'g', split: 'test' }, {}].map((own, index) => ({
      ...{ question: `Question ${index}?`, answer: '1', ...own },
    }));
    const { questions: made } = await imported({
      'questions.jsonl': jsonLines(lines),
      'corpus.jsonl': jsonLines(passages),
    });
    expect(made.map(({ split }) => split)).toEqual(['test', 'test', 'train']);
  });

  it('without an answer are left out and counted', async () => {
    const lines = [{ question: 'One?', answer: '1' }, { question: 'Two?' }, { question: 'Three?', answer: ' ' }];
    const { result } = await imported({ 'questions.jsonl': jsonLines(lines), 'corpus.jsonl': jsonLines(passages) });
    expect(result).toMatchObject({ withoutAnswer: 2, dataset: { questions: 1 } });
  });
});

describe('a corpus', () => {
  const question = { 'questions.jsonl': jsonLines([{ question: 'One?', answer: '1' }]) };

  it('is a folder of texts, titled by heading or file name', async () => {
    const { passages: texts } = await imported({
      ...question,
      'corpus/a.txt': 'Alpha',
      'corpus/deep/b.md': '# Second\n\nBeta',
      'corpus/picture.png': 'no text',
    });
    expect(texts).toEqual([
      ['a.txt', 'a'],
      [join('deep', 'b.md'), 'Second'],
    ]);
  });

  it('may be a link to a folder of texts; links within it are left out and counted', async () => {
    const from = filesAt({ ...question, 'corpus/a.txt': 'Alpha' });
    const elsewhere = join(temporaryFolder(), 'texts');
    renameSync(join(from, 'corpus'), elsewhere);
    symlinkSync(elsewhere, join(from, 'corpus'));
    symlinkSync(join(elsewhere, 'a.txt'), join(elsewhere, 'b.txt'));
    const result = await importSearch({ from, into: place() });
    expect(result).toMatchObject({ corpusLinks: 1, dataset: { passages: 1 } });
  });

  it('keeps its own ids, leaves out empty passages and those that stand twice, and counts them', async () => {
    const lines = [
      { id: 7, title: 'A', text: 'a' },
      { title: 'B', text: '' },
      { title: 'A', text: 'a' },
      { text: 'c' },
    ];
    const { passages: texts, result } = await imported({ ...question, 'corpus.jsonl': jsonLines(lines) });
    expect(texts).toEqual([
      ['7', 'A'],
      ['p2', 'Text 4'],
    ]);
    expect(result).toMatchObject({ emptyPassages: 1, duplicatePassages: 1 });
  });

  it('of a name of its own stands beside its questions, in a folder with others', async () => {
    const { passages: texts } = await imported(
      {
        'a.json': [hotpot],
        'a_corpus.json': { 'Far Away': ['One. ', 'Two.'] },
        'b.json': questions,
      },
      'a.json',
    );
    // What the hops need is there, too.
    expect(texts.map(([, title]) => title)).toEqual(['Far Away', 'Marlow Quay', 'Edda Lund']);
  });
});

/** A row as the benchmark enciphers it. */
function row(id: string, prompt: string, answer: string, canary: string, key = canary): string {
  const cell = (text: string) => Buffer.from(xored(Buffer.from(text), Buffer.from(key))).toString('base64');
  return [id, cell(prompt), cell(answer), cell('steps'), canary].join(',');
}
const header = 'id,prompt,answer,reference_steps,canary';
const csv = (...rows: string[]) => `\uFEFF${[header, ...rows].join('\r\n')}\r\n`;

describe('sealed questions', () => {
  it('of XBench are deciphered with the canary of their row, and stored enciphered with it', async () => {
    const {
      result,
      questions: made,
      into,
    } = await imported({
      'x.csv': csv(
        row('1', '哪座城市？ Which town?', 'Orrefell', '17'),
        row('2', 'Which river?', 'Sill', '"a ""phrase"""', 'a "phrase"'),
      ),
    });
    expect(result).toMatchObject({ sealed: 2, test: 2, dataset: { scorer: 'xbench', passages: 0 } });
    expect(made.map(({ question, answers, canary }) => [question, answers[0], canary])).toEqual([
      ['哪座城市？ Which town?', 'Orrefell', '17'],
      expect.anything(),
    ]);
    for (const file of readdirSync(into)) expect(readFileSync(join(into, file)).includes('Which town')).toBe(false);
  });

  it('of GAIA are sealed, from JSON lines; those about a file and those that nobody asked for are left out and counted', async () => {
    const gaia = (id: string, more = {}) => ({
      task_id: id,
      Question: `Q ${id}?`,
      Level: 2,
      'Final answer': '17',
      file_name: '',
      ...more,
    });
    const { result, questions: made } = await imported({
      'validation.jsonl': jsonLines([
        gaia('a'),
        gaia('b', { file_name: 'x.png' }),
        gaia('c'),
        gaia('d', { 'Final answer': '?' }),
      ]),
      'task_ids.txt': 'a\nb\nd\nz\n',
    });
    expect(result).toMatchObject({
      sealed: 1,
      withFile: 1,
      unwanted: 1,
      withoutAnswer: 1,
      unknownIds: 2,
      dataset: { scorer: 'gaia' },
    });
    expect(made).toMatchObject([{ id: 'a', difficulty: 'level 2', canary: expect.stringMatching(/^GAIA/) }]);
  });

  it('of GAIA are the same dataset and lead to the same states however often they are imported', async () => {
    const from = join(import.meta.dirname, '../../fixtures/deep-search/gaia.parquet');
    const made = await Promise.all(
      [place(), place()].map(async (data) => {
        await importSearch({ from, into: data });
        const environment = deepSearch({ data, live: { provider: 'brave' } });
        const session = await environment.open((await environment.tasks())[0]!);
        const state = await session.stateHash!();
        await environment.close!();
        return { version: environment.version, state };
      }),
    );
    expect(made[0]).toEqual(made[1]);
  });

  it('are chosen by ids with blanks in them, one a line, whatever the lines end with', async () => {
    const lines = ['a b', 'c', 'd'].map((id) => ({ id, question: `Question ${id}?`, answer: '1' }));
    const { questions: made, result } = await imported({
      'questions.jsonl': jsonLines(lines),
      'corpus.jsonl': jsonLines(passages),
      'task_ids.txt': '\uFEFFa b\r\n  d \r\n',
    });
    expect(made.map(({ id }) => id)).toEqual(['a b', 'd']);
    expect(result).toMatchObject({ unwanted: 1, unknownIds: 0 });
  });

  it('of GAIA come from Parquet too', async () => {
    const into = place();
    const from = join(import.meta.dirname, '../../fixtures/deep-search/gaia.parquet');
    expect(await importSearch({ from, into })).toMatchObject({ sealed: 2, withFile: 1, dataset: { scorer: 'gaia' } });
    const database = openDatabase(into);
    expect([...readQuestions(database).values()].map(({ answers }) => answers)).toEqual([['Orrefell'], ['4,120']]);
    database.close();
  });

  const data = benchmarkData('xbench');
  it.skipIf(data === null)('of XBench are 100, each of which can be deciphered', async () => {
    const into = place();
    expect(await importSearch({ from: data!, into })).toMatchObject({ sealed: 100, withoutAnswer: 0 });
  });
});

describe('an import that is refused writes nothing and says why', () => {
  const corpus = { 'corpus.jsonl': jsonLines(passages) };
  const one = { question: 'One?', answer: '1' };
  it.each<[string, { [path: string]: unknown }, RegExp]>([
    ['an empty folder', {}, /holds no file with questions/],
    ['two files of questions', { 'a.json': [], 'b.json': [] }, /holds several files \(a\.json, b\.json\)/],
    ['a file without questions', { 'a.json': [] }, /a\.json has no question with an answer/],
    ['a file in no known form', { 'a.json': [{ text: 'x' }] }, /holds no questions in a form that is known/],
    [
      'questions that have no answer',
      { 'q.jsonl': jsonLines([{ question: 'One?' }]), ...corpus },
      /has no question with an answer/,
    ],
    [
      'two questions of one id',
      {
        'q.jsonl': jsonLines([
          { id: 1, ...one },
          { id: 1, ...one },
        ]),
        ...corpus,
      },
      /q\.jsonl:2: the id "1" stands twice/,
    ],
    [
      'a group of two splits',
      {
        'q.jsonl': jsonLines([
          { ...one, group: 'g', split: 'train' },
          { ...one, group: 'h' },
          { ...one, group: 'g', split: 'test' },
        ]),
        ...corpus,
      },
      /q\.jsonl:3: the group "g" is of the split test here, and of train on line 1/,
    ],
    ['a line that is no JSON', { 'q.jsonl': `${JSON.stringify(one)}\n{"question": "T\n`, ...corpus }, /q\.jsonl:2: /],
    ['an unknown member', { 'q.jsonl': jsonLines([one, { ...one, anwser: '2' }]), ...corpus }, /q\.jsonl:2: .*anwser/],
    ['no corpus', { 'q.jsonl': jsonLines([one]) }, /The corpus of .* has no passage with a text/],
    ['an empty corpus', { 'q.jsonl': jsonLines([one]), 'corpus.jsonl': '\n' }, /has no passage with a text/],
    [
      'a corpus of empty passages',
      { 'q.jsonl': jsonLines([one]), 'corpus.jsonl': jsonLines([{ title: 'A', text: ' ' }]) },
      /has no passage/,
    ],
    [
      'a passage without a text',
      { 'q.jsonl': jsonLines([one]), 'corpus.jsonl': jsonLines([{ title: 'A' }]) },
      /corpus\.jsonl:1: text/,
    ],
    [
      'two passages of one id',
      {
        'q.jsonl': jsonLines([one]),
        'corpus.jsonl': jsonLines([
          { id: 'a', text: 'x' },
          { id: 'a', text: 'y' },
        ]),
      },
      /Two passages of the corpus have the id "a"/,
    ],
    [
      'a wrong canary',
      {
        'x.csv': csv(
          row('1', 'Which town?', 'Orrefell', 'abc'),
          row('2', 'Which river?', 'The Sill', 'abc', 'x\u0013z'),
        ),
      },
      /x\.csv:3: prompt: the cell cannot be deciphered with the canary of its row/,
    ],
    [
      'a row without its canary',
      { 'x.csv': csv(row('1', 'Which town?', 'Orrefell', 'abc').replace(/abc$/, '')) },
      /x\.csv:2: canary/,
    ],
    ['a quotation mark that is not closed', { 'x.csv': csv('1,"abc') }, /x\.csv:2: a quotation mark/],
    ['a file that is no Parquet', { 'x.parquet': 'nothing of the kind' }, /cannot be read as Parquet/],
    [
      'a supporting passage that is not there',
      { 'h.json': [{ ...hotpot, context: [] }] },
      /h\.json:1: the supporting passage "Marlow Quay"/,
    ],
  ])('%s', async (_, files, message) => {
    const into = place();
    await expect(importSearch({ from: filesAt(files), into })).rejects.toMatchObject({
      kind: expect.stringMatching(/^User/),
      message: expect.stringMatching(message),
    });
    expect(existsSync(dirname(into)) ? readdirSync(dirname(into)) : []).toEqual([]);
  });
});

it.each(['jsonl', 'json'])('a corpus in .%s that is not UTF-8 is refused with its line', async (extension) => {
  const from = filesAt({ 'q.jsonl': jsonLines([{ question: 'One?', answer: '1' }]) });
  const [opening, closing] = extension === 'json' ? ['[', ']'] : ['', ''];
  const text = `${opening}{"title": "A", "text": "a"}${extension === 'json' ? ',' : ''}\n{"title": "M\u00fcnchen", "text": "b"}${closing}\n`;
  writeFileSync(join(from, `corpus.${extension}`), Buffer.from(text, 'latin1'));
  await expect(importSearch({ from, into: place() })).rejects.toMatchObject({
    kind: 'User.Config',
    message: expect.stringMatching(`corpus\\.${extension}:2: it is not UTF-8`),
  });
});

describe('crux import deep-search', () => {
  const run = (...words: string[]) => {
    const folder = temporaryFolder();
    return callCommand(['import', 'deep-search', ...words, '--home', join(folder, 'home')], folder, process.env);
  };

  it('says what was made, what was left out, and how the environment is configured', async () => {
    const lines = [{ question: 'One?', answer: '1' }, { question: 'Two?' }];
    const from = filesAt({ 'questions.jsonl': jsonLines(lines), 'corpus.jsonl': jsonLines(passages) });
    const { code, stdout } = await run('--from', from, '--name', 'My Library');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^My Library: 1 question and 5 passages in .*\nTasks: 1 train, 0 test; scored by words\nLeft out: 1 question without an answer\n\nIn crux\.config\.ts: deepSearch\(\{ data: '.*', name: 'my-library' \}\)\n$/,
    );
  });

  it('says that questions are sealed, and that they are answered on the web', async () => {
    const { stdout } = await run(
      '--from',
      filesAt({ 'x.csv': csv(row('1', 'Which town is it?', 'Orrefell', 'phrase')) }),
      '--name',
      'x',
    );
    expect(stdout).toContain('Sealed: 1 question. Sealed texts are stored enciphered, and shown only with --unseal.');
    expect(stdout).toContain('live: { … } })');
  });

  it('takes no recorded runs', async () => {
    const { code, stderr } = await run('--from', filesAt({ 'x.jsonl': '' }), '--runs', 'y');
    expect([code, stderr]).toEqual([2, expect.stringContaining('crux import trajectories')]);
  });
});
