// Layer: the environment over a small library, and over the samples of HotpotQA and MuSiQue where they are.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../../src/domain/canonical-json.ts';
import { checkEnvironment } from '../../../src/environments/check.ts';
import type { Environment, Session } from '../../../src/environments/contract.ts';
import { deepSearch } from '../../../src/environments/deep-search/environment.ts';
import { importSearch } from '../../../src/environments/deep-search/import/import.ts';
import { benchmarkData } from '../../helpers/benchmark-data.ts';
import { filesAt, jsonLines, passages, smallLibrary } from '../../helpers/small-library.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const signal = AbortSignal.timeout(60_000);
let library: Environment;

beforeAll(async () => {
  library = deepSearch({ data: await smallLibrary() });
});

async function sessionOf(id = '3hop__2'): Promise<Session> {
  return library.open((await library.tasks()).find((task) => task.id === id)!);
}

const act = async (session: Session, tool: string, given: { [name: string]: Json }) =>
  session.step({ tool, arguments: given }, signal);

async function read(session: Session, tool: string, given: { [name: string]: Json }): Promise<string> {
  const { observation, done } = await act(session, tool, given);
  expect(done).toBe(false);
  return observation as string;
}

describe('an agent', () => {
  it('searches, opens, finds and answers', async () => {
    const session = await sessionOf();
    const hits = await read(session, 'search', { query: 'who built the lighthouse of Marlow Quay' });
    expect(hits).toMatch(
      /^\d results for "who built the lighthouse of Marlow Quay", best first:\n\[p1\] Marlow Quay\n {4}Marlow/,
    );
    expect(await read(session, 'open', { id: 'p3' })).toBe(`[p3] Orrefell (page 1 of 1)\n\n${passages[2]!.text}`);
    expect(await read(session, 'find', { text: 'SILL' })).toBe(
      `"SILL" stands at 1 place in "Orrefell":\n1. ${passages[2]!.text}`,
    );
    expect(await act(session, 'answer', { text: 'Sill' })).toEqual({
      observation: 'The answer was taken.',
      done: true,
      reward: 1,
      success: true,
      details: { answer: 'Sill', em: 1, f1: 1 },
    });
    await expect(act(session, 'answer', { text: 'Sill' })).rejects.toMatchObject({ kind: 'Environment.Fault' });
  });

  it('reads an honest sentence for what cannot be done, and its state stays', async () => {
    const session = await sessionOf();
    const before = await session.stateHash!();
    expect(await read(session, 'find', { text: 'x' })).toBe('No text is open. Open one first.');
    expect(await read(session, 'open', { id: 'p99' })).toBe('There is no text with the id "p99".');
    expect(await read(session, 'search', { query: 'zzz' })).toBe('Nothing was found for "zzz". Try other words.');
    expect(await read(session, 'search', { query: 'the of' })).toMatch(/^Nothing was found/);
    expect(await read(session, 'search', { query: 'lighthouse '.repeat(1000) })).toBe(
      'This query has 10,999 characters, so nothing was searched. Use a few words, at most 1,000 characters.',
    );
    expect(await read(session, 'open', { id: 'p1', page: 5 })).toBe('"Marlow Quay" has 1 page.');
    expect(await session.stateHash!()).toBe(before);
  });

  it('keeps the text that is open when it asks another one for a page too far, also when this is recalled', async () => {
    const [taken, recalled] = [await sessionOf(), await sessionOf()];
    const opened: { [name: string]: Json }[] = [{ id: 'p3' }, { id: 'p1', page: 5 }];
    for (const given of opened) {
      const result = await act(taken, 'open', given);
      await recalled.recall!({ tool: 'open', arguments: given }, result);
    }
    for (const session of [taken, recalled])
      expect(await read(session, 'find', { text: 'SILL' })).toMatch(/stands at 1 place in "Orrefell"/);
    expect(await recalled.stateHash!()).toBe(await taken.stateHash!());
  });

  it('is in the same state with the same text open, and in another with another', async () => {
    const opened = async (...ids: string[]) => {
      const session = await sessionOf();
      for (const id of ids) await read(session, 'open', { id });
      return session.stateHash!();
    };
    expect(await opened('p1', 'p2')).toBe(await opened('p2'));
    expect(await opened('p1')).not.toBe(await opened('p2'));
  });

  it('is scored by its words: a partly right answer has a reward below 1 and is no success', async () => {
    // Gold "Orrefell", alias "the town of Orrefell" without its article: two of the three words given, two of three wanted.
    expect(await act(await sessionOf('2hop__1'), 'answer', { text: 'town near Orrefell' })).toMatchObject({
      reward: 2 / 3,
      success: false,
    });
  });
});

describe('tasks', () => {
  it('that share a passage of a hop are one group', async () => {
    const tasks = await library.tasks();
    expect(tasks.map(({ id, group, difficulty }) => [id, group, difficulty])).toEqual([
      ['2hop__1', '2hop__1', '2 hops'],
      ['3hop__2', '2hop__1', '3 hops'],
      ['1hop__3', '1hop__3', '1 hops'],
    ]);
  });

  it('have a script that reads the passage of each hop, and hints that say nothing about it', async () => {
    const task = (await library.tasks())[1]!;
    const script = (await library.script!(task))!;
    expect(script.map(({ action }) => Object.values(action.arguments)[0])).toEqual([
      'Who built the lighthouse of Marlow Quay?',
      'p1',
      'Edda Lund home town',
      'p2',
      'Which river flows through Orrefell ?',
      'p3',
      'the Sill',
    ]);
    const hints = await library.hints!(task);
    for (const word of ['Lund', 'Orrefell', 'Sill', 'lighthouse']) expect(hints).not.toContain(word);
  });

  it('that name their answer themselves have no gold answer to be found in them', async () => {
    const from = filesAt({
      'questions.jsonl': jsonLines([{ question: 'Which is longer, the Sill or the Orre river?', answer: 'the Sill' }]),
      'corpus.jsonl': jsonLines(passages),
    });
    const into = join(temporaryFolder(), 'own');
    await importSearch({ from, into });
    const own = deepSearch({ data: into });
    expect(await own.gold!((await own.tasks())[0]!)).toBeNull();
  });
});

describe('the contract', () => {
  const failures = async (environment: Environment, count: number) =>
    (await checkEnvironment(environment, count)).filter(({ ok }) => ok === false);

  it('is kept by a small library', async () => {
    expect(await failures(library, 3)).toEqual([]);
  });

  const data = benchmarkData('multihop');
  it.skipIf(data === null).each([
    ['musique_train.json', 1890, 98],
    ['hotpotqa_train.json', 994, 100],
  ])('is kept by the sample %s, whose every question has a script that solves it', async (file, count, groups) => {
    const into = join(temporaryFolder(), file);
    const { dataset } = await importSearch({ from: join(data!, file), into });
    expect(dataset).toMatchObject({ questions: 100, passages: count });
    const sample = deepSearch({ data: into });
    const results = await checkEnvironment(sample, 100);
    expect(results.filter(({ ok }) => ok === false)).toEqual([]);
    expect(results.find(({ check }) => check === 'scripts solve their tasks')!.detail).toMatch(/^100 of 100 /);
    expect(new Set((await sample.tasks()).map(({ group }) => group)).size).toBe(groups);
  });

  it('needs a dataset that is there', () => {
    expect(() => deepSearch({ data: '/nowhere' })).toThrow(/There is no dataset of deep search at/);
  });
});
