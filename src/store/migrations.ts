/**
 * The schema's history. A released migration is never changed; a new one is added at the end. All statements of one version are applied in one
 * transaction.
 */
import { type Compilable, type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { forEver } from './reservations.ts';
import type { Schema } from './schema.ts';
import {
  addingToSpending,
  column,
  counting,
  index,
  onInsert,
  onUpdate,
  rawStatement,
  table,
  textByBytes,
} from './schema-statements.ts';

type Migration = (database: Kysely<Schema>, engine: Database['engine']) => Compilable[];

const initial: Migration = (database) => [
  table(database, 'meta', { key: 'text', value: 'text' }, ['key']),
  table(
    database,
    'runs',
    {
      id: 'text',
      method: 'text',
      environment: 'text',
      seed: 'integer',
      config: 'text',
      state: 'text',
      ceilings: 'text',
      reuse: 'text',
      created_at: 'integer',
      finished_at: 'integer?',
    },
    ['id'],
  ),
  table(
    database,
    'run_tasks',
    {
      run_id: 'text',
      position: 'integer',
      task_id: 'text',
      sample: 'integer',
      imported_id: 'text?',
      state: 'text',
      result: 'text?',
    },
    ['run_id', 'position'],
  ),
  table(
    database,
    'nodes',
    {
      id: 'text',
      parent_id: 'text?',
      root_id: 'text',
      environment: 'text',
      task_id: 'text',
      step: 'integer',
      messages: 'text',
      tools: 'text?',
      format: 'text?',
      action: 'text?',
      state_key: 'text',
      created_at: 'integer',
    },
    ['id'],
  ),
  table(
    database,
    'transitions',
    {
      key: 'text',
      parent_key: 'text',
      observation: 'text',
      done: 'integer',
      reward: 'real?',
      success: 'integer?',
      details: 'text?',
      created_at: 'integer',
    },
    ['key'],
  ),
  table(database, 'snapshots', { state_key: 'text', snapshot: 'text' }, ['state_key']),
  table(
    database,
    'answers',
    {
      run_id: 'text',
      key: 'text',
      node_id: 'text',
      role: 'text',
      purpose: 'text',
      stream: 'text',
      sample: 'integer',
      ask: 'integer',
      model: 'text',
      seed: 'integer',
      message: 'text',
      finish_reason: 'text',
      prompt_tokens: 'integer?',
      completion_tokens: 'integer?',
      cost_micro_usd: 'real?',
      latency_ms: 'integer',
      reused: 'integer',
      created_at: 'integer',
    },
    ['run_id', 'key'],
  ),
  table(
    database,
    'faults',
    { run_id: 'text', key: 'text', role: 'text', kind: 'text', count: 'integer', last_message: 'text' },
    ['run_id', 'key', 'kind'],
  ),
  table(
    database,
    'reservations',
    { run_id: 'text', key: 'text', tokens: 'integer', cost_micro_usd: 'real?', expires_at: 'integer' },
    ['run_id', 'key'],
  ),
  table(
    database,
    'trajectories',
    {
      run_id: 'text',
      id: 'text',
      task_id: 'text',
      sample: 'integer',
      origin: 'text',
      model: 'text',
      root_id: 'text',
      leaf_id: 'text',
      steps: 'integer',
      ending: 'text',
      reward: 'real?',
      success: 'integer?',
      details: 'text?',
    },
    ['run_id', 'id'],
  ),
  table(
    database,
    'candidates',
    {
      run_id: 'text',
      id: 'text',
      node_id: 'text',
      source: 'text',
      model: 'text',
      position: 'integer',
      message: 'text',
      action: 'text?',
      canonical: 'text?',
    },
    ['run_id', 'id'],
  ),
  table(database, 'scores', { run_id: 'text', candidate_id: 'text', score: 'real?', samples: 'text' }, [
    'run_id',
    'candidate_id',
  ]),
  table(
    database,
    'steps',
    {
      run_id: 'text',
      trajectory_id: 'text',
      step: 'integer',
      node_id: 'text',
      verdict: 'text',
      policy_candidate_id: 'text',
      alternatives: 'text',
      placebo: 'integer',
    },
    ['run_id', 'trajectory_id', 'step'],
  ),
  table(
    database,
    'branches',
    {
      run_id: 'text',
      id: 'text',
      trajectory_id: 'text',
      node_id: 'text',
      candidate_id: 'text',
      purpose: 'text',
      rollout: 'integer',
      leaf_id: 'text',
      steps: 'integer',
      seed: 'integer?',
      ending: 'text',
      reward: 'real?',
      success: 'integer?',
      confirmed: 'integer?',
      details: 'text?',
      compared: 'integer',
    },
    ['run_id', 'id'],
  ),
  table(
    database,
    'pairs',
    {
      run_id: 'text',
      id: 'text',
      trajectory_id: 'text',
      task_id: 'text',
      task_group: 'text',
      node_id: 'text',
      step: 'integer',
      chosen_id: 'text',
      rejected_id: 'text',
      flags: 'text',
      certificate: 'text',
    },
    ['run_id', 'id'],
  ),
  table(database, 'providers', { name: 'text', cool_down_until: 'integer' }, ['name']),
  table(
    database,
    'workers',
    { id: 'text', host: 'text', roles: 'text', environments: 'text', endpoints: 'text', seen_at: 'integer' },
    ['id'],
  ),
  index(database, 'answers', ['node_id']),
  index(database, 'answers', ['stream']),
  // Covers all columns that ceilings ask of the answers, so that their texts are not read.
  index(database, 'answers', ['run_id', 'reused', 'prompt_tokens', 'completion_tokens', 'cost_micro_usd']),
  index(database, 'candidates', ['run_id', 'node_id']),
  index(database, 'branches', ['run_id', 'trajectory_id']),
  index(database, 'branches', ['run_id', 'node_id']),
  index(database, 'trajectories', ['run_id', 'task_id']),
  index(database, 'run_tasks', ['run_id', 'state']),
];

/** Pairs whose sides continue to an ending, and trajectories to imitate. */
const trajectoryPairs: Migration = (database) => [
  database.schema.alterTable('pairs').addColumn('chosen_leaf', 'text'),
  database.schema.alterTable('pairs').addColumn('rejected_leaf', 'text'),
  table(
    database,
    'examples',
    {
      run_id: 'text',
      id: 'text',
      trajectory_id: 'text',
      task_id: 'text',
      task_group: 'text',
      leaf_id: 'text',
      origin: 'text',
      model: 'text',
      reward: 'real?',
      success: 'integer?',
      confirmed: 'integer?',
    },
    ['run_id', 'id'],
  ),
];

/** Settings of audits. */
const audits: Migration = (database) => [
  table(database, 'audits', { run_id: 'text', rollouts: 'integer', sample: 'real?' }, ['run_id']),
];

/** Evaluations: what runs gave out, tasks with group and difficulty, trajectories with the confirmation of their success. */
const evaluation: Migration = (database) => [
  table(
    database,
    'data_uses',
    { run_id: 'text', use: 'text', environment: 'text', task_group: 'text', given_at: 'integer' },
    ['run_id', 'use', 'environment', 'task_group'],
  ),
  index(database, 'data_uses', ['environment']),
  database.schema.alterTable('run_tasks').addColumn('task_group', 'text'),
  database.schema.alterTable('run_tasks').addColumn('difficulty', 'text'),
  database.schema.alterTable('trajectories').addColumn('confirmed', 'bigint'),
];

/** Rates of providers, waits for them, and ceilings of tasks and steps. */
const limits: Migration = (database) => [
  ...column(database, 'answers', { task_id: 'text', step_id: 'text', throttled_ms: 'bigint' }),
  ...column(database, 'reservations', { task_id: 'text', step_id: 'text' }),
  ...['next_request_us', 'next_token_us'].map((name) =>
    database.schema
      .alterTable('providers')
      .addColumn(name, 'bigint', (definition) => definition.notNull().defaultTo(0)),
  ),
  table(database, 'rollouts', { run_id: 'text', id: 'text', task_id: 'text?', step_id: 'text?' }, ['run_id', 'id']),
  table(database, 'shares', { provider: 'text', holder: 'text', demand: 'integer', expires_at: 'integer' }, [
    'provider',
    'holder',
  ]),
  table(
    database,
    'waits',
    { run_id: 'text', key: 'text', role: 'text', endpoint: 'text', until: 'integer', throttled_ms: 'integer' },
    ['run_id', 'key'],
  ),
  // Covers all columns that the ceilings of tasks and steps, and the throttle time of a run, ask of the answers.
  database.schema
    .createIndex('answers_by_task')
    .on('answers')
    .columns([
      ...['run_id', 'task_id', 'step_id', 'reused'],
      ...['prompt_tokens', 'completion_tokens', 'cost_micro_usd', 'throttled_ms'],
    ]),
];

/** Calls in progress, by worker. */
const claims: Migration = (database) => [
  table(
    database,
    'claims',
    { run_id: 'text', key: 'text', holder: 'text', expires_at: 'integer', taken_over: 'integer' },
    ['run_id', 'key'],
  ),
];

/** The environment's steps for a run, and how likely a model found its answers. */
const stepsTaken: Migration = (database) => [
  ...column(database, 'transitions', { recorded_by: 'text' }),
  ...column(database, 'trajectories', { environment_steps: 'bigint' }),
  ...column(database, 'branches', { environment_steps: 'bigint' }),
  ...column(database, 'answers', { logprob: 'double precision' }),
  index(database, 'transitions', ['recorded_by', 'created_at']),
];

/**
 * Indexes for one state, stream or trajectory of a run. With fewer columns SQLite would take an index that begins with the run, and read the whole
 * run.
 */
const fewOfRun: Migration = (database) => [
  ...['node_id', 'stream'].flatMap((column) => [
    database.schema.dropIndex(`answers_by_${column}`),
    index(database, 'answers', [column, 'run_id']),
  ]),
  index(database, 'pairs', ['run_id', 'trajectory_id']),
  index(database, 'examples', ['run_id', 'trajectory_id']),
];

/**
 * Counts what a run used with each answer and rollout, instead of an index over all of them. Triggers do it: they run for exactly the rows that are
 * written, also by a worker of an earlier version that is still at work.
 */
const spending: Migration = (database, engine) => {
  const count = (tableName: string, values: { [column: string]: string }) =>
    counting(database, engine, tableName, {
      ...{ calls: '0', reused: '0', tokens: '0', cost_micro_usd: '0', rollouts: '0' },
      ...values,
    });
  return [
    table(
      database,
      'spending',
      {
        run_id: 'text',
        calls: 'integer',
        reused: 'integer',
        tokens: 'integer',
        cost_micro_usd: 'real',
        rollouts: 'integer',
      },
      ['run_id'],
    ),
    ...count('answers', {
      calls: '1 - NEW.reused',
      reused: 'NEW.reused',
      tokens: '(1 - NEW.reused) * (coalesce(NEW.prompt_tokens, 0) + coalesce(NEW.completion_tokens, 0))',
      cost_micro_usd: '(1 - NEW.reused) * coalesce(NEW.cost_micro_usd, 0)',
    }),
    ...count('rollouts', { rollouts: '1' }),
    rawStatement(
      database,
      sql`
      INSERT INTO spending (run_id, calls, reused, tokens, cost_micro_usd, rollouts)
      SELECT used.run_id, count(answers.key) - coalesce(sum(reused), 0), coalesce(sum(reused), 0),
             coalesce(sum((1 - reused) * (coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))), 0),
             coalesce(sum((1 - reused) * cost_micro_usd), 0),
             (SELECT count(*) FROM rollouts WHERE rollouts.run_id = used.run_id)
      FROM (SELECT run_id FROM answers UNION SELECT run_id FROM rollouts) AS used
      LEFT JOIN answers ON answers.run_id = used.run_id GROUP BY used.run_id`,
    ),
    database.schema.dropIndex('answers_by_run_id_reused_prompt_tokens_completion_tokens_cost_micro_usd'),
    index(database, 'rollouts', ['run_id', 'task_id', 'step_id']),
    index(database, 'run_tasks', ['run_id', 'task_id']),
  ];
};

/**
 * Scores by their purpose. For earlier scores it is inferred. An alternative was only ever scored to decide about its step; so was the policy's own
 * action, if nothing at its state was scored for calibration. A score by which no step was judged was for calibration. The purpose of the rest is
 * unknown.
 */
const scoresByPurpose: Migration = (database) => [
  database.schema
    .createTable('scores_by_purpose')
    .addColumn('run_id', 'text', (definition) => definition.notNull())
    .addColumn('candidate_id', 'text', (definition) => definition.notNull())
    // A worker of an earlier version that is still at work does not give it.
    .addColumn('purpose', 'text', (definition) => definition.notNull().defaultTo('unknown'))
    .addColumn('score', 'double precision')
    .addColumn('samples', 'text', (definition) => definition.notNull())
    .addPrimaryKeyConstraint('scores_by_purpose_key', ['run_id', 'candidate_id', 'purpose'] as never[]),
  rawStatement(
    database,
    sql`
    INSERT INTO scores_by_purpose (run_id, candidate_id, purpose, score, samples)
    SELECT scores.run_id, scores.candidate_id,
           CASE
             WHEN candidates.position >= 0 THEN 'score'
             WHEN NOT EXISTS (SELECT 1 FROM answers
                              WHERE answers.node_id = candidates.node_id AND answers.run_id = scores.run_id
                                AND answers.purpose = 'calibrate') THEN 'score'
             WHEN NOT EXISTS (SELECT 1 FROM steps
                              WHERE steps.run_id = scores.run_id AND steps.node_id = candidates.node_id
                                AND steps.policy_candidate_id = scores.candidate_id) THEN 'calibrate'
             ELSE 'unknown'
           END,
           scores.score, scores.samples
    FROM scores LEFT JOIN candidates ON candidates.run_id = scores.run_id AND candidates.id = scores.candidate_id`,
  ),
  database.schema.dropTable('scores'),
  database.schema.alterTable('scores_by_purpose').renameTo('scores'),
];

/** What an answer holds besides its message, paid answers that were of no use, and the models that answered. */
const answersAsTheyCame: Migration = (database, engine) => [
  ...column(database, 'answers', { reasoning: 'text', served_model: 'text', call_ids: 'text', sent: 'text' }),
  ...column(database, 'nodes', { call_ids: 'text' }),
  table(
    database,
    'unusable_answers',
    {
      run_id: 'text',
      key: 'text',
      number: 'integer',
      task_id: 'text?',
      step_id: 'text?',
      role: 'text',
      purpose: 'text',
      model: 'text',
      served_model: 'text?',
      reason: 'text',
      words: 'text',
      billed: 'integer',
      prompt_tokens: 'integer?',
      completion_tokens: 'integer?',
      cost_micro_usd: 'real?',
      created_at: 'integer',
    },
    ['run_id', 'key', 'number'],
  ),
  table(database, 'served_models', { run_id: 'text', role: 'text', served_model: 'text' }, ['run_id', 'role']),
  ...counting(database, engine, 'unusable_answers', {
    calls: 'NEW.billed',
    reused: '0',
    tokens: 'NEW.billed * (coalesce(NEW.prompt_tokens, 0) + coalesce(NEW.completion_tokens, 0))',
    cost_micro_usd: 'NEW.billed * coalesce(NEW.cost_micro_usd, 0)',
    rollouts: '0',
  }),
];

/** States of the environment after its steps, and the reasons for steps without a pair. */
const statesAndReasons: Migration = (database) => [
  ...column(database, 'transitions', { state_hash: 'text', state_hash_by: 'text', state_changed: 'bigint' }),
  ...column(database, 'steps', { ruled_out: 'text', looked_at: 'text', settled: 'text' }),
  table(
    database,
    'proposals',
    {
      ...{ run_id: 'text', trajectory_id: 'text', step: 'integer' },
      ...{
        same_action: 'integer',
        duplicates: 'integer',
        same_state: 'integer',
        unreadable: 'integer',
        looked_at: 'text?',
      },
    },
    ['run_id', 'trajectory_id', 'step'],
  ),
];

/** Why a run stands still, and what a call waits for: our own limits, or the provider. */
const blocksAndWaits: Migration = (database) => [
  ...column(database, 'runs', { block: 'text' }),
  ...column(database, 'answers', { queued_ms: 'bigint' }),
  ...column(database, 'waits', { queued_ms: 'bigint', reason: 'text', words: 'text' }),
  ...column(database, 'providers', { cool_down_reason: 'text' }),
];

/** What servers were found to accept. */
const endpointFacts: Migration = (database) => [
  table(
    database,
    'endpoint_facts',
    { provider: 'text', model: 'text', fact: 'text', value: 'text', words: 'text?', found_at: 'integer' },
    ['provider', 'model', 'fact'],
  ),
];

/** Observations of which models read only a part. */
const cutObservations: Migration = (database) => [
  table(database, 'cut_observations', { run_id: 'text', node_id: 'text', left_out: 'integer' }, ['run_id', 'node_id']),
];

/** Which process a worker is, and since when. */
const workerProcesses: Migration = (database) =>
  column(database, 'workers', {
    command: 'text',
    pid: 'bigint',
    start_mark: 'text',
    process_space: 'text',
    started_at: 'bigint',
  });

/**
 * Steps whose columns mean the same under every method. `policy_candidate_id` and `alternatives` meant something else under each; only workers of
 * 0.1.0 write them. Such a worker, if still at work, reads its own rows as before, and its rows are translated when they arrive. In a row of a later
 * version it finds null there, which stops it instead of misleading it (docs/decisions/0020-step-rows.md).
 */
const stepActions: Migration = (database, engine) => {
  const ofNewRow = 'run_id = NEW.run_id AND trajectory_id = NEW.trajectory_id AND step = NEW.step';
  return [
    database.schema
      .createTable('steps_by_action')
      .addColumn('run_id', 'text', (definition) => definition.notNull())
      .addColumn('trajectory_id', 'text', (definition) => definition.notNull())
      .addColumn('step', 'bigint', (definition) => definition.notNull())
      .addColumn('node_id', 'text', (definition) => definition.notNull())
      .addColumn('verdict', 'text', (definition) => definition.notNull())
      .addColumn('own_id', 'text')
      .addColumn('chosen_id', 'text')
      .addColumn('rejected_id', 'text')
      .addColumn('branched', 'text', (definition) => definition.notNull().defaultTo('[]'))
      .addColumn('placebo', 'bigint', (definition) => definition.notNull())
      .addColumn('ruled_out', 'text')
      .addColumn('looked_at', 'text')
      .addColumn('settled', 'text')
      .addColumn('policy_candidate_id', 'text')
      .addColumn('alternatives', 'text')
      .addPrimaryKeyConstraint('steps_by_action_key', ['run_id', 'trajectory_id', 'step'] as never[]),
    rawStatement(
      database,
      sql`
      INSERT INTO steps_by_action (run_id, trajectory_id, step, node_id, verdict, placebo, ruled_out, looked_at, settled,
                                   policy_candidate_id, alternatives)
      SELECT run_id, trajectory_id, step, node_id, verdict, placebo, ruled_out, looked_at, settled, policy_candidate_id,
             alternatives
      FROM steps`,
    ),
    database.schema.dropTable('steps'),
    database.schema.alterTable('steps_by_action').renameTo('steps'),
    rawStatement(database, sql.raw(translatedSteps(engine, 'alternatives IS NOT NULL'))),
    ...onInsert(
      database,
      engine,
      'steps',
      `${translatedSteps(engine, `NEW.alternatives IS NOT NULL AND ${ofNewRow}`)};`,
      'steps_are_translated',
    ),
  ];
};

/** Translates the columns of 0.1.0 into those with one meaning. Only this code knows what they meant under each method. */
function translatedSteps(engine: Database['engine'], rows: string): string {
  const item = (index: number) =>
    engine === 'sqlite' ? `json_extract(alternatives, '$[${index}]')` : `(alternatives::json ->> ${index})`;
  const byMethod = (cases: { [methods: string]: string }, otherwise: string) =>
    `CASE ${Object.entries(cases)
      .map(
        ([methods, value]) => `WHEN (SELECT method FROM runs WHERE id = steps.run_id) IN (${methods}) THEN ${value} `,
      )
      .join('')}ELSE ${otherwise} END`;
  // RRO continues with the action that it accepted, and ETO and IPR compare the expert's trajectory: `alternatives` held these.
  const own = byMethod({ "'rro', 'ipr', 'eto'": item(0) }, 'policy_candidate_id');
  const isChoice = `policy_candidate_id <> '' AND ${item(0)} <> ''`;
  const contrast = (expertBetter: string, policyBetter: string) =>
    `CASE verdict WHEN 'expert-better' THEN ${expertBetter} WHEN 'policy-better' THEN ${policyBetter} END`;
  const chosen = byMethod(
    {
      "'rro'": `CASE WHEN ${isChoice} THEN ${item(0)} END`,
      "'step-dpo'": item(0),
      "'ipr', 'eto'": contrast(item(0), 'policy_candidate_id'),
    },
    'NULL',
  );
  const rejected = byMethod(
    {
      "'rro'": `CASE WHEN ${isChoice} THEN policy_candidate_id END`,
      "'step-dpo'": item(1),
      "'ipr', 'eto'": contrast('policy_candidate_id', item(0)),
    },
    'NULL',
  );
  const branched = byMethod({ "'rro', 'step-dpo', 'ipr', 'eto'": "'[]'" }, 'alternatives');
  return `
    UPDATE steps SET own_id = nullif(${own}, ''), chosen_id = ${chosen}, rejected_id = ${rejected}, branched = ${branched}
    WHERE ${rows}`;
}

const outcomesSoFar: Migration = (database) => [
  table(database, 'outcomes_so_far', { state_key: 'text', reward: 'real', success: 'integer', details: 'text?' }, [
    'state_key',
  ]),
];

const sharedResults: Migration = (database) => [
  table(
    database,
    'shared_results',
    {
      run_id: 'text',
      since: 'integer',
      name_hash: 'text',
      name: 'text',
      observation: 'text',
      details: 'text?',
      created_at: 'integer',
    },
    ['run_id', 'since', 'name_hash'],
  ),
];

/** The steps in which sessions asked models. */
const asks: Migration = (database) => column(database, 'answers', { asked_in: 'text', asked_for: 'text' });

/** What steps of environments cost. */
const environmentCosts: Migration = (database, engine) => [
  ...column(database, 'reservations', { calls: 'bigint' }),
  table(
    database,
    'environment_costs',
    {
      ...{ run_id: 'text', id: 'text', task_id: 'text?', step_id: 'text?', environment: 'text', of_task: 'text' },
      ...{ node_id: 'text', purpose: 'text', stream: 'text', cost_micro_usd: 'real?', most_micro_usd: 'real?' },
      created_at: 'integer',
    },
    ['run_id', 'id'],
  ),
  index(database, 'environment_costs', ['run_id', 'task_id', 'step_id']),
  ...counting(database, engine, 'environment_costs', {
    ...{ calls: '0', reused: '0', tokens: '0', cost_micro_usd: 'coalesce(NEW.cost_micro_usd, 0)', rollouts: '0' },
  }),
];

/** What audits of environments say about successes. */
const auditFlags: Migration = (database) => [
  ...column(database, 'trajectories', { audit_flags: 'text' }),
  ...column(database, 'branches', { audit_flags: 'text' }),
];

const observationsAsMessages: Migration = (database) => [
  ...column(database, 'nodes', { action_keys: 'text', is_rewritten: 'bigint' }),
  ...column(database, 'transitions', { tools: 'text' }),
];

/** Messages without an action: where a message may hold several, the other figures do not give their number. */
const malformed: Migration = (database) => [
  ...column(database, 'trajectories', { malformed: 'bigint' }),
  ...column(database, 'branches', { malformed: 'bigint' }),
];

/** Tasks as their environment calls them. */
const titlesOfTasks: Migration = (database) => column(database, 'run_tasks', { title: 'text' });

/** Which slot plays a task. */
const slotsOfTasks: Migration = (database) => column(database, 'run_tasks', { slot: 'bigint' });

/** Where results may differ, what is reached in a state belongs to one stream of calls, and its key no longer names the state. */
const outcomesOfStreams: Migration = (database) => column(database, 'outcomes_so_far', { of_state: 'text' });

/** Rounds of collecting, training and evaluating. */
const improvements: Migration = (database) => [
  table(
    database,
    'improvements',
    {
      ...{ id: 'text', settings: 'text', state: 'text', fault: 'text?' },
      ...{ created_at: 'integer', finished_at: 'integer?' },
    },
    ['id'],
  ),
  table(
    database,
    'improve_phases',
    {
      ...{ improvement_id: 'text', round: 'integer', phase: 'text', result: 'text?' },
      ...{ started_at: 'integer', finished_at: 'integer?' },
    },
    ['improvement_id', 'round', 'phase'],
  ),
];

/** Leases of folders in which models are trained. */
const trainings: Migration = (database) => [
  table(
    database,
    'trainings',
    {
      ...{ folder: 'text', holder: 'text', host: 'text', pid: 'integer?', start_mark: 'text?', process_space: 'text?' },
      ...{ state: 'text', started_at: 'integer', seen_at: 'integer', starts: 'integer', ran_ms: 'integer' },
      ...{ reached_before: 'integer', deaths: 'integer', death: 'text?', progress: 'text?', stop: 'text?' },
      exit: 'text?',
    },
    ['folder'],
  ),
];

/** Where the job of a hosted training is known. */
const jobsOfPhases: Migration = (database) => column(database, 'improve_phases', { job: 'text' });

/**
 * Indexes that cover what is asked: how long calls waited, and a pair by its id alone. Text has one order on every database.
 */
const ordersAndIndexes: Migration = (database, engine) => [
  database.schema.dropIndex('answers_by_task'),
  ...textByBytes(database, engine),
  database.schema
    .createIndex('answers_by_task')
    .on('answers')
    .columns([
      ...['run_id', 'task_id', 'step_id', 'reused', 'prompt_tokens', 'completion_tokens', 'cost_micro_usd'],
      ...['throttled_ms', 'queued_ms'],
    ]),
  index(database, 'pairs', ['id']),
];

/** Calls whose usage was not reported count in the spending of their run, instead of in a sum over all of them for each call. */
const unreported: Migration = (database, engine) => [
  ...onUpdate(
    database,
    engine,
    'reservations',
    `NEW.expires_at = ${forEver} AND OLD.expires_at < ${forEver}`,
    addingToSpending({
      ...{ calls: '0', reused: '0', tokens: 'NEW.tokens', cost_micro_usd: 'coalesce(NEW.cost_micro_usd, 0)' },
      rollouts: '0',
    }),
    'unreported_use_is_counted',
  ),
  rawStatement(
    database,
    sql`
    INSERT INTO spending (run_id, calls, reused, tokens, cost_micro_usd, rollouts)
    SELECT run_id, 0, 0, sum(tokens), coalesce(sum(cost_micro_usd), 0), 0
    FROM reservations WHERE expires_at = ${sql.lit(forEver)} GROUP BY run_id
    ON CONFLICT (run_id) DO UPDATE SET
      tokens = spending.tokens + excluded.tokens, cost_micro_usd = spending.cost_micro_usd + excluded.cost_micro_usd`,
  ),
  index(database, 'reservations', ['run_id', 'expires_at']),
  index(database, 'reservations', ['run_id', 'task_id', 'step_id']),
];

export const migrations: readonly Migration[] = [
  ...[initial, trajectoryPairs, audits, evaluation, limits, claims],
  stepsTaken,
  fewOfRun,
  spending,
  scoresByPurpose,
  answersAsTheyCame,
  statesAndReasons,
  blocksAndWaits,
  endpointFacts,
  cutObservations,
  workerProcesses,
  stepActions,
  outcomesSoFar,
  sharedResults,
  asks,
  environmentCosts,
  auditFlags,
  observationsAsMessages,
  malformed,
  slotsOfTasks,
  titlesOfTasks,
  outcomesOfStreams,
  improvements,
  trainings,
  jobsOfPhases,
  ordersAndIndexes,
  unreported,
];
