// Layer: files, through the command: logs in every published form, on a small database of our own.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { importData } from '../../../src/cli/commands/import.ts';
import { readRecordedRuns } from '../../../src/environments/intercode-sql/recorded-runs.ts';
import { sqlTextFormat } from '../../../src/environments/intercode-sql/text-format.ts';
import { capturedOutput } from '../../helpers/captured-output.ts';
import { temporaryFolder } from '../../helpers/sql-datasets.ts';

const tables = "[('frog',)]";
const names = "[('Ada',), ('Bo',)]";
const retry = 'No SQL code was found in your last response.\n';
const queryNames = 'SELECT name FROM frog ORDER BY name';

const turns = (history: object, more: object = {}) => ({
  environment: 'ic_sql',
  task_id: 0,
  turn_history: history,
  ...more,
});

/** Task 0 asks for the names of all frogs; both are answers in the gold's order. */
const logs: { [file: string]: object } = {
  'gpt-3-react-10-turns.json': {
    '0': turns({
      thoughts: ['Look.', 'Ask.', 'Hm.', 'Done.'],
      actions: ['execute[SHOW TABLES]', `execute[${queryNames}]`, 'execute[SELECT', 'submit'],
      observations: [
        tables,
        names,
        'Error executing query: Your last `execute` action did not contain SQL code',
        names,
      ],
      rewards: [0, 0, 0, 1],
    }),
  },
  'ic_sql_multiturn_gpt-9_10_turns.json': {
    '0': turns(
      {
        actions: ['DESCRIBE frog', 'Output:', 'SELECT name FROM frog LIMIT 1', queryNames],
        observations: [
          "[('id', b'int', 'NO', 'PRI', None, ''), ('name', b'varchar(9)', 'YES', '', None, '')]",
          'Format your SQL command as follows:\n',
          "[('Ada',)]",
          names,
        ],
        rewards: [0, 0, 0.5, 1],
      },
      { summary: { turns_max: 10 } },
    ),
    '1': turns({ actions: [queryNames, 'blocked'], observations: [names], rewards: [0, 0] }, { task_id: 1 }),
  },
  'ic_sql_multiturn_gpt-9-1_turns.json': {
    '0': turns(
      {
        actions: ['SELECT name FROM toad'],
        observations: ["Error executing query: Table 'pond.toad' doesn't exist"],
        rewards: [0],
      },
      {
        summary: { turns_max: 1 },
      },
    ),
  },
  'ic_sql_plan_solve.json': {
    meta: { env: 'sql' },
    logs: {
      '0': turns({
        steps: ['Look.', 'Say it.'],
        actions: ['SELECT name FROM frog ORDER BY name DESC', 'The names are submitted.'],
        observations: ["[('Bo',), ('Ada',)]", retry],
        rewards: [-1, 0],
      }),
      '1': turns({ steps: [], actions: [], observations: [], rewards: [0] }, { task_id: 1 }),
    },
  },
  'log_20230601.json': {
    environment: 'ic_sql',
    query_idx: 0,
    reward: 1,
    trajectory: [
      { action: 'show tables;', observation: "('frog',)" },
      { action: 'select name from frog where id > 9', observation: '' },
      { action: queryNames, observation: "('Ada',)('Bo',)" },
    ],
  },
};

function benchmark(files: { [name: string]: string | object }): string {
  const from = join(temporaryFolder(), 'benchmark');
  mkdirSync(join(from, 'runs'), { recursive: true });
  const task = (query: string) => ({ db: 'pond', query, gold: queryNames });
  writeFileSync(join(from, 'ic_spider_dev.json'), JSON.stringify([task('Which frogs?'), task('Name the frogs.')]));
  writeFileSync(
    join(from, 'ic_spider_dbs.sql'),
    `USE \`pond\`; CREATE TABLE \`frog\` (\`id\` int NOT NULL, \`name\` varchar(9), PRIMARY KEY (\`id\`));
INSERT INTO \`frog\` VALUES (1,'Ada'),(2,'Bo');`,
  );
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(from, 'runs', name), typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  return from;
}

const imported = async (from: string, home = temporaryFolder()) => {
  const options = { home, json: true, config: join(home, 'crux.config.ts') };
  return JSON.parse(await capturedOutput(() => importData(options, 'intercode-sql', { from, name: 'pond' })));
};

it('reads every published form', () => {
  const { runs, leftOut, blocked } = readRecordedRuns([join(benchmark(logs), 'runs')]);
  expect(leftOut).toEqual([]);
  expect(blocked).toBe(1);
  const read = runs.map(({ form, model, reward, steps }) => ({
    form,
    model,
    reward,
    tools: steps.map(({ action }) => action?.tool ?? 'malformed').join(' '),
  }));
  expect(read).toEqual([
    { form: 'react', model: 'gpt-3', reward: 1, tools: 'execute_sql execute_sql malformed submit' },
    { form: 'single-turn', model: 'gpt-9', reward: 0, tools: 'execute_sql submit' },
    { form: 'multi-turn', model: 'gpt-9', reward: 1, tools: 'execute_sql malformed execute_sql execute_sql submit' },
    // The reward of a turn that said nothing is that of the statement before it, which is what counts.
    { form: 'plan-and-solve', model: 'ic_sql_plan_solve', reward: -1, tools: 'execute_sql malformed submit' },
    { form: 'plan-and-solve', model: 'ic_sql_plan_solve', reward: null, tools: '' },
    { form: 'human', model: 'log_20230601', reward: 1, tools: 'execute_sql execute_sql execute_sql submit' },
  ]);
  for (const { action, assistant } of runs.flatMap(({ steps }) => steps)) {
    const parsed = sqlTextFormat.parse(assistant.content!);
    expect(parsed.kind === 'action' ? parsed.action : null).toEqual(action);
  }
});

it('replays them, counts an episode without turns as none, and names the other rule and the other connector', async () => {
  const { recorded } = await imported(benchmark(logs));
  expect(recorded.counts).toMatchObject({
    recorded: 6,
    empty: 1,
    replayed: 5,
    succeeded: 4,
    failed: 1,
    diverged: {},
    tolerated: { 'connector-text': 1 },
  });
  expect(recorded.agreement.blocked).toBe(1);
  const agreed = recorded.agreement.logs.map(({ log, rewardRule, rewards, rewardsEqual, rewardsByOrder }: never) => {
    return [log, rewardRule, rewards, rewardsEqual, rewardsByOrder];
  });
  expect(agreed).toEqual([
    ['gpt-3-react-10-turns.json', 'iou', 1, 1, 0],
    ['ic_sql_multiturn_gpt-9-1_turns.json', 'iou', 1, 1, 0],
    ['ic_sql_multiturn_gpt-9_10_turns.json', 'iou', 1, 1, 0],
    ['ic_sql_plan_solve.json', 'iou-tau', 1, 1, 1],
    ['log_20230601.json', 'iou', 1, 1, 0],
  ]);
});

it('names the true cause of a difference', async () => {
  const episode = (actions: string[], observations: string[]) =>
    turns({ actions, observations, rewards: actions.map(() => 1) });
  const { recorded } = await imported(
    benchmark({
      'ic_sql_multiturn_m_10_turns.json': {
        table: episode(['SHOW TABLES', queryNames], ["[('frog',), ('newt',)]", names]),
        alter: episode(['ALTER TABLE frog ADD COLUMN age INT', queryNames], ['None', names]),
        column: episode(['SELECT age FROM frog', queryNames], ['[(None,), (None,)]', names]),
        refused: episode(['SELECT EXP2(1)', queryNames], ['[(2,)]', names]),
        tie: episode(['SELECT name FROM frog LIMIT 1', queryNames], ["[('Bo',)]", names]),
      },
    }),
  );
  expect(recorded.counts.diverged).toEqual({
    'foreign-table': 1,
    'write-refused': 1,
    'foreign-column': 1,
    refused: 1,
    'tie-order': 1,
  });
});

it('leaves out a log that it cannot take, with a line for each fault, and imports the others', async () => {
  const good = logs['log_20230601.json']!;
  const [broken, other, unknown] = ['a_broken.json', 'b_other.json', 'c_unknown.json'];
  const from = benchmark({
    'good.json': `\uFEFF${JSON.stringify(good, null, 1).replaceAll('\n', '\r\n')}`,
    [broken]: '{"0": {"task_id": 0,\n"task_id": 1}}',
    [other]: { '0': { ...turns({ actions: [], observations: [], rewards: [] }), environment: 'ic_bash' } },
    [unknown]: { '7': turns({ actions: [], observations: [], rewards: [] }, { task_id: 7 }) },
    'd_nan.json':
      '{"0": {"task_id": 0, "turn_history": {\n"actions": ["SELECT 1"], "observations": ["[(1,)]"],\n"rewards": [NaN]}}}',
    'e_types.json':
      '{"0": {"task_id": 0, "turn_history": {"actions": ["SELECT 1"],\n"observations": [3], "rewards":\n"all"}}}',
    'f_short.json': { '0': turns({ actions: ['SELECT 1', 'SELECT 2'], observations: ['[(1,)]'], rewards: [0, 0] }) },
    'g_cut.json': '{"0": {',
    'h_list.json': '[1]',
  });
  const { recorded } = await imported(from);
  expect(recorded.counts).toMatchObject({ recorded: 1, replayed: 1 });
  const lines = (recorded.leftOut as string[]).map((line) => line.slice(join(from, 'runs').length + 1));
  expect(lines).toEqual([
    expect.stringMatching(/^a_broken\.json:2: the name "task_id" is there twice/),
    expect.stringMatching(/^b_other\.json:2: an episode of ic_bash/),
    expect.stringMatching(/^c_unknown\.json:2: a run on task 7, which the benchmark does not have/),
    expect.stringMatching(/^d_nan\.json:3: 0\.turn_history\.rewards\.0: .*NaN/),
    expect.stringMatching(/^e_types\.json:2: 0\.turn_history\.observations\.0: .*string/),
    expect.stringMatching(/^e_types\.json:2: 0\.turn_history\.rewards: .*array/),
    expect.stringMatching(/^f_short\.json:\d+: 0\.turn_history\.observations: 1 observations for 2 actions/),
    expect.stringMatching(/^g_cut\.json:1: a name in quotes is missing/),
    expect.stringMatching(/^h_list\.json:1: the value: /),
  ]);
  expect(recorded.notes).toEqual([
    expect.stringMatching(/good\.json:1: a byte order mark/),
    expect.stringMatching(/good\.json:1: lines end in CRLF/),
  ]);
});

it('writes nothing where a place holds no log', async () => {
  const home = temporaryFolder();
  await expect(imported(benchmark({}), home)).rejects.toMatchObject({ kind: 'User.NotFound' });
  expect(readdirSync(home)).toEqual([]);
});
