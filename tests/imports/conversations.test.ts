// Layer: files and a real store, through the command: conversations that others recorded, replayed in environments of our own.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importConversations } from '../../src/cli/commands/import-trajectories.ts';
import { storeLocation } from '../../src/config/config.ts';
import { comparingTexts } from '../../src/imports/compare-texts.ts';
import { readConversations } from '../../src/imports/conversations.ts';
import { readInputFile } from '../../src/imports/input-file.ts';
import { allCounts, importTrajectories } from '../../src/imports/recorded-trajectories.ts';
import { importedFormat } from '../../src/start/task-choice.ts';
import { importScope } from '../../src/store/findings.ts';
import { openStore } from '../../src/store/store.ts';
import { doors, goText } from '../activities/doors.ts';
import { capturedOutput } from '../helpers/captured-output.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';

const opening = [
  { role: 'system', content: [{ type: 'text', text: 'Another prompt.' }] },
  { role: 'user', content: 'Go.' },
  { role: 'assistant', content: 'An example.', weight: 0 },
  { role: 'user', content: 'Now you.' },
];
const call = (...ways: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ways.map((door, index) => ({
    id: `xyz${index}`,
    type: 'function',
    function: { name: 'go', arguments: JSON.stringify({ door }) },
  })),
});
const result = (content: string) => ({ role: 'tool', tool_call_id: 'xyz0', content });

async function file(...lines: (object | string)[]): Promise<string> {
  const path = join(await temporaryFolder(), 'runs.jsonl');
  writeFileSync(path, `${lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')}\n`);
  return path;
}

const tasks = new Set(['task-1', 'task-2']);

async function replayed(...rows: object[]) {
  const store = await temporaryStore();
  const { environment } = doors();
  const { trajectories } = readConversations(readInputFile(await file(...rows)), tasks);
  const compare = comparingTexts(environment);
  const counts = allCounts(await importTrajectories(store, environment, trajectories, compare));
  return { store, counts, found: await store.findings.trajectories(importScope('doors')) };
}

it.each([
  [{ maxStepCost: 0.005 }, /a replay would take steps that cost money/],
  [{ shared: () => null }, /a replay would read the world outside again/],
])('an environment whose replay costs or reads the world takes none: %o', async (more, message) => {
  const environment = { ...doors().environment, ...more };
  const importing = importTrajectories(await temporaryStore(), environment, [], () => null);
  await expect(importing).rejects.toMatchObject({ kind: 'User.Config', message: expect.stringMatching(message) });
});

describe('recorded conversations', () => {
  it('with tool calls are replayed in the form in which they are written', async () => {
    const messages = [...opening, call('left'), result('A room behind left.'), call('treasure')];
    const { store, counts, found } = await replayed({ task_id: 'task-1', reward: 1, model: 'gpt-9', messages });
    expect(counts).toMatchObject({ recorded: 1, replayed: 1, succeeded: 1, diverged: {}, observations: 1 });
    expect(found[0]).toMatchObject({ model: 'gpt-9', origin: 'imported', ending: 'submitted', reward: 1, steps: 2 });
    expect((await store.tree.state(found[0]!.leafId)).assistant!.tool_calls![0]!.id).toBe('call_2_0');
    // A run that takes them writes as they do, whatever is configured.
    expect(await importedFormat(store, 'doors', 'react')).toBe('tools');
  });

  it('in text are replayed, with or without the prefix of observations', async () => {
    const text = (observation: string, reward: number | boolean) => ({
      task_id: 'task-2',
      reward,
      messages: [
        ...opening,
        { role: 'assistant', content: goText('left') },
        { role: 'user', content: observation },
        { role: 'assistant', content: goText('pit') },
      ],
    });
    const { store, counts } = await replayed(
      text('Observation: A room behind left.', 0),
      text('A  room behind left.\r\n', false),
    );
    expect(counts).toMatchObject({ replayed: 2, failed: 2, diverged: {}, tolerated: { 'white-space': 1 } });
    expect(await importedFormat(store, 'doors', 'tools')).toBe('react');
  });

  it('may call several tools at once', async () => {
    const messages = [
      ...opening,
      call('left', 'right'),
      result('A room behind left.'),
      result('A room behind left, right.'),
      call('pit'),
    ];
    const { counts } = await replayed({ task_id: 'task-1', reward: 0, messages });
    expect(counts).toMatchObject({ replayed: 1, failed: 1, observations: 1, diverged: {} });
  });

  it('that end by themselves, without the environment, are worth what it says of them', async () => {
    const messages = [
      ...opening,
      call('left'),
      result('A room behind left.'),
      { role: 'assistant', content: 'I give up.' },
    ];
    const { counts, found } = await replayed({ task_id: 'task-1', messages });
    expect(counts).toMatchObject({ replayed: 1, failed: 1 });
    expect(found[0]).toMatchObject({ ending: 'step-limit', reward: 0, success: false, malformed: 1 });
  });

  it('that do not replay are kept as diverged, each by its cause', async () => {
    const row = (reward: number, ...messages: object[]) => ({
      task_id: 'task-1',
      reward,
      messages: [...opening, ...messages],
    });
    const { counts, found } = await replayed(
      row(0, call('left'), result('A cave.'), call('pit')),
      row(0, call('treasure')),
      row(1, call('treasure'), result('You win.'), call('left')),
      row(0, { role: 'assistant', content: 'I go left.' }),
    );
    expect(counts.diverged).toEqual({ 'other-observation': 1, 'other-reward': 1, 'ended-earlier': 1, 'no-action': 1 });
    expect(found.every(({ ending, reward }) => ending === 'diverged' && reward === null)).toBe(true);
  });

  it('without a step are counted, and are no failures', async () => {
    const { counts, found } = await replayed({ task_id: 'task-1', reward: 0, messages: opening });
    expect(counts).toMatchObject({ recorded: 1, empty: 1, replayed: 0, failed: 0 });
    expect(found).toEqual([]);
  });
});

describe('a file of conversations', () => {
  const good = { task_id: 'task-1', reward: 1, messages: [...opening, call('treasure')] };

  it('with faults is refused with a line for each, and nothing is written', async () => {
    const home = await temporaryFolder();
    const from = await file(
      { ...good, id: 'a' },
      { ...good, id: 'a' },
      '{"task_id": "task-1", "reward": NaN, "messages": [{"role": "user", "content": "x"}]}',
      { ...good, reward: 'high' },
      { ...good, messages: [{ role: 'robot', content: 'x' }] },
      { reward: 1, messages: good.messages },
      '{"task_id": "task-1", "task_id": "task-2"}',
      '{"task_id": ',
      { ...good, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      { ...good, messages: [...good.messages, { role: 'assistant', content: 'x', weight: 0 }] },
    );
    const options = { home, config: join(home, 'crux.config.ts') };
    const importing = importConversations(options, { from, env: 'tests/imports/doors-environment.ts' });
    const said = await importing.then(
      () => '',
      (error: Error) => error.message,
    );
    const lines = said
      .split('\n  ')
      .slice(1)
      .map((line) => line.replace(`${from}:`, ''));
    expect(lines).toEqual([
      expect.stringMatching(/^2: the id a is there twice \(first in line 1\)/),
      expect.stringMatching(/^3: reward: expected a number/),
      expect.stringMatching(/^4: reward: expected a number/),
      expect.stringMatching(/^5: messages\.0\.role: /),
      expect.stringMatching(/^6: task_id: expected a text or a number/),
      expect.stringMatching(/^7: the name "task_id" is there twice/),
      expect.stringMatching(/^8: the JSON ends too early/),
      expect.stringMatching(/^9: messages\.0\.content: expected text/),
      expect.stringMatching(/^9: it holds an image/),
      expect.stringMatching(/^10: messages\.5: a message of weight 0/),
    ]);
    expect(readdirSync(home)).toEqual([]);
  });

  it('with a byte order mark, CRLF, blank lines and unknown tasks is read, and each is noted', async () => {
    const from = await file(`\uFEFF${JSON.stringify(good)}\r`, '\r', JSON.stringify({ ...good, task_id: 9 }));
    const { trajectories, notes } = readConversations(readInputFile(from), tasks);
    expect(trajectories.map(({ taskId }) => taskId)).toEqual(['task-1', '9']);
    expect(notes.map((line) => line.replace(`${from}:`, ''))).toEqual([
      '1: a byte order mark is left out',
      '1: lines end in CRLF, which is read like LF',
      '2: a blank line is skipped',
      "3: task 9 is none of the environment's, and is left out",
    ]);
  });

  it('on none of the tasks is refused', async () => {
    const from = await file({ ...good, task_id: 9 });
    expect(() => readConversations(readInputFile(from), tasks)).toThrow(/no trajectory on a task of the environment/);
  });

  it('is imported by the command, into the store of the home folder', async () => {
    const home = await temporaryFolder();
    const from = await file(good, { ...good, reward: 0, messages: [...opening, call('pit')] });
    const options = { home, json: true, config: join(home, 'crux.config.ts') };
    const given = { from, env: 'tests/imports/doors-environment.ts' };
    const said = JSON.parse(await capturedOutput(() => importConversations(options, given)));
    expect(said).toMatchObject({
      environment: 'doors',
      formats: { tools: 2, react: 0 },
      counts: { replayed: 2, succeeded: 1, failed: 1 },
      notes: [],
    });
    // The same file again adds nothing.
    await capturedOutput(() => importConversations(options, given));
    const store = await openStore(storeLocation(null, home));
    onTestFinished(() => store.close());
    expect(await store.findings.trajectories(importScope('doors'))).toHaveLength(2);
  });

  it('needs an environment, and takes no options of data sets', async () => {
    const from = await file(good);
    const options = { config: 'none.ts' };
    await expect(importConversations(options, { from })).rejects.toThrow(/needs --env/);
    await expect(importConversations(options, { from, env: 'doors', name: 'x' })).rejects.toThrow(/takes no --name/);
  });
});
