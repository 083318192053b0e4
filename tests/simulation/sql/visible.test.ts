// Layer: pure core.
import { describe, expect, test } from 'vitest';
import type { Lesson } from '../../../src/simulation/sql/lesson.ts';
import { qualityOf } from '../../../src/simulation/sql/quality.ts';
import { queryKey } from '../../../src/simulation/sql/tokens.ts';
import { type Move, opening, readConversation, readMove } from '../../../src/simulation/sql/visible.ts';

const correct = 'SELECT name FROM people';
const mistaken = 'SELECT age FROM people';
const lesson: Lesson = {
  task: {
    id: '1',
    db: 'town',
    question: 'Names?',
    gold: correct,
    difficulty: 'easy',
    split: 'train',
    emptyGold: false,
  },
  needed: ['People'],
  others: ['Pets'],
  correct: [correct],
  mistakes: [{ kind: 'wrong-column', sql: mistaken, result: 'rows' }],
  known: new Map([
    [queryKey(correct), { correct: true as const }],
    [queryKey(mistaken), { correct: false as const, mistake: 0 }],
  ]),
};
const run = (query: string) => ({ tool: 'execute_sql', arguments: { query } });
const turn = (query: string, observation = '[(1,)]') => ({ action: run(query), observation });

describe('readMove', () => {
  test.each<[string, string, Move]>([
    ['SHOW TABLES;', '', { kind: 'show-tables' }],
    ["SELECT name FROM sqlite_master WHERE type = 'table'", '', { kind: 'show-tables' }],
    ['DESCRIBE people', '', { kind: 'describe', table: 'people' }],
    ['desc `people`', '', { kind: 'describe', table: 'people' }],
    ['PRAGMA table_info("people")', '', { kind: 'describe', table: 'people' }],
    ['SELECT * FROM pets LIMIT 3', '', { kind: 'peek', table: 'pets' }],
    ['select T1.name from People T1', '', { kind: 'correct-query' }],
    ['SELECT age FROM people;', '', { kind: 'mistaken-query', mistake: 0 }],
    ['SELECT height FROM people', 'Error executing query: no such column', { kind: 'other-query', result: 'error' }],
    ['SELECT weight FROM people', '[]', { kind: 'other-query', result: 'empty' }],
  ])('reads %s', (query, observation, move) => {
    expect(readMove(run(query), observation, lesson)).toEqual(move);
  });

  test('reads what is no action as malformed', () => {
    expect(readMove(null, null, lesson)).toEqual({ kind: 'malformed' });
    expect(readMove({ tool: 'fly', arguments: {} }, null, lesson)).toEqual({ kind: 'malformed' });
  });
});

describe('readConversation', () => {
  test('remembers what was looked at, and what the last command returned', () => {
    const visible = readConversation(
      [turn('SHOW TABLES'), turn('DESCRIBE people'), turn(mistaken), turn(correct)],
      lesson,
    );
    expect(visible).toEqual({
      turns: 4,
      tablesShown: true,
      described: 1,
      peeked: false,
      last: 'correct',
      lastMistake: -1,
      failures: 0,
      sawMistakes: 1,
      sawCorrect: true,
    });
  });

  test('a malformed turn leaves the last result as it was, any other command replaces it', () => {
    const malformed = { action: null, observation: 'Write an action.' };
    expect(readConversation([turn(correct), malformed], lesson).last).toBe('correct');
    expect(readConversation([turn(correct), turn('DESCRIBE people')], lesson).last).toBe('explored');
    expect(readConversation([turn('DESCRIBE no_such_table')], lesson).last).toBe('error');
  });
});

test('the hidden truth calls helpful moves good and others bad, by state', () => {
  const answered = readConversation([turn(correct)], lesson);
  const guessed = readConversation([turn(mistaken)], lesson);
  const quality = (query: string, visible = opening) => qualityOf(readMove(run(query), null, lesson), visible, lesson);
  expect(quality('SHOW TABLES')).toBeGreaterThanOrEqual(0.5);
  expect(quality('DESCRIBE people')).toBeGreaterThanOrEqual(0.5);
  expect(quality('DESCRIBE pets')).toBeLessThan(0.5);
  expect(quality(correct)).toBeGreaterThanOrEqual(0.5);
  expect(quality(correct, answered)).toBeLessThan(0.5);
  expect(quality(mistaken)).toBeLessThan(0.5);
  expect(qualityOf({ kind: 'submit' }, answered, lesson)).toBeGreaterThanOrEqual(0.5);
  expect(qualityOf({ kind: 'submit' }, guessed, lesson)).toBeLessThan(0.5);
});
