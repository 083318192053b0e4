/** InterCode-SQL: answer a question about a database by querying it, then submit. Source: InterCode (arXiv 2306.14898). */
import { createHash } from 'node:crypto';
import type { Action } from '../../domain/action.ts';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { Tool } from '../../domain/message.ts';
import { CruxError } from '../../errors.ts';
import { DatabaseSync } from '../../node-sqlite.ts';
import type { Environment, Session, StepResult } from '../contract.ts';
import { defineEnvironment } from '../define.ts';
import { canonicalAction } from './canonical.ts';
import { readColumns } from './column.ts';
import { SuccessConfirmation } from './confirmation.ts';
import type { QueryLimits, QueryResult } from './connection.ts';
import { datasetDigest, readDataset, type SqlTask } from './dataset.ts';
import { dialectVersion } from './dialect.ts';
import { SqlExecutor } from './executor.ts';
import { languageWords } from './language-words.ts';
import { listText } from './python-text.ts';
import { type RewardRule, rewardOf } from './reward.ts';
import { goldScript } from './script.ts';
import { sqlTextFormat } from './text-format.ts';
import { variantVersion } from './variant.ts';

export type InterCodeSqlOptions = {
  /** Dataset folder, made by `crux import intercode-sql` or `writeDemoDataset`. */
  data: string;
  /** Name of the environment. Default `intercode-sql`. */
  name?: string;
  /** `iou`: as in the released logs and in IPR's paper; `iou-tau`: InterCode's own code, which also weighs the order. Default `iou`. */
  reward?: RewardRule;
  /** Characters of an observation that the agent reads; null for all. IPR cuts at 350. Default null. */
  observationLimit?: number | null;
  /** Rows of a result that the agent reads, at least 1. Default 1000. */
  rowLimit?: number;
  /** Processor time of one query in milliseconds; a result that is graded may take four times as much. Default 5000. */
  queryTimeLimitMs?: number;
  /** Default 10, as in InterCode. */
  stepLimit?: number;
  /** Processes that run the queries; default one per core, at most 4. An executor given here is shared and not closed. */
  pool?: number | SqlExecutor;
};

/** Bounds of what is kept of one result for the reward: more than any gold of the benchmark has. */
const rewardLimits = { rows: 100_000, characters: 32_000_000 };
const observationCharacters = 200_000;

const noArguments = { type: 'object', properties: {}, additionalProperties: false };
const tools: Tool[] = [
  {
    type: 'function',
    function: {
      name: 'execute_sql',
      description: 'Runs one MySQL statement on the database and returns its rows, or the error.',
      parameters: {
        type: 'object',
        properties: {
          query: {
            type: 'string',
            description: 'One MySQL statement, e.g. SHOW TABLES, DESCRIBE <table> or a SELECT.',
          },
        },
        required: ['query'],
        additionalProperties: false,
      },
    },
  },
  {
    type: 'function',
    function: {
      name: 'submit',
      description: 'Ends the task. The result of the last executed statement is the answer.',
      parameters: noArguments,
    },
  },
  { type: 'function', function: { name: 'skip', description: 'Gives the task up.', parameters: noArguments } },
];

const system = `You answer questions about a MySQL database by querying it.
Look at the database first: SHOW TABLES lists its tables, DESCRIBE <table> the columns of one. Then write the query whose result answers the question, with the columns that it asks for and no others. Each statement shows its result or its error, and you may correct yourself. The data cannot be changed.
When the result of the last statement that you executed is the answer, submit. Only that result counts.`;

/**
 * @throws CruxError `User.NotFound` when the dataset is missing or broken; `User.Config` for limits that cannot work
 */
export function interCodeSql(
  options: InterCodeSqlOptions,
): Environment & Required<Pick<Environment, 'briefing' | 'tools'>> {
  const { reward: rule = 'iou', observationLimit = null, rowLimit = 1000, queryTimeLimitMs = 5000 } = options;
  for (const [name, value] of Object.entries({ rowLimit, queryTimeLimitMs, observationLimit: observationLimit ?? 1 })) {
    if (!Number.isInteger(value) || value < 1)
      throw new CruxError('User.Config', `${name} must be a whole number from 1, not ${value}.`);
  }
  const dataset = readDataset(options.data);
  const digest = datasetDigest(dataset);
  const tasks = new Map(dataset.tasks.filter((task) => !task.emptyGold).map((task) => [task.id, task]));
  const { pool } = options;
  const executor = pool instanceof SqlExecutor ? pool : new SqlExecutor({ size: pool, queryTimeLimitMs });
  const confirmation = new SuccessConfirmation(dataset, digest, executor);
  const settings = createHash('sha256').update(JSON.stringify([rule, observationLimit, rowLimit, queryTimeLimitMs]));

  const taskOf = (id: string): SqlTask => {
    const task = tasks.get(id);
    if (!task)
      throw new CruxError('User.NotFound', `The dataset ${dataset.name} at ${dataset.folder} has no task ${id}.`);
    return task;
  };
  const requestOf = ({ db }: SqlTask, query: string, limits: QueryLimits) => {
    return { path: dataset.databasePath(db), database: db, query, limits, lenient: false };
  };
  const read = (task: SqlTask, query: string, signal: AbortSignal) =>
    executor.run(requestOf(task, query, { rows: rowLimit, characters: observationCharacters }), signal);
  /** The rows that count as the answer: the whole result, even if the agent read only its beginning; null if it read none. */
  const answerRows = async (task: SqlTask, query: string, seen: QueryResult, signal: AbortSignal) => {
    const isCut = seen.kind === 'rows' && seen.truncated;
    const whole = isCut ? await executor.decide(requestOf(task, query, rewardLimits), signal) : seen;
    return whole.kind === 'rows' ? whole.rows : null;
  };

  const golds = new Map<string, Promise<string[]>>();
  const goldRows = (task: SqlTask): Promise<string[]> => {
    const known = golds.get(task.id);
    if (known) return known;
    const request = { ...requestOf(task, task.gold, rewardLimits), lenient: dataset.goldDialect === 'sqlite' };
    const rows = executor.decide(request).then((result) => {
      if (result.kind === 'rows') return result.rows;
      const why = result.kind === 'error' ? result.message : 'it has no result';
      throw new CruxError('Environment.Fault', `The gold query of task ${task.id} does not run: ${why}`);
    });
    golds.set(task.id, rows);
    // A gold that failed for a passing reason must be run again.
    rows.catch(() => golds.delete(task.id));
    return rows;
  };

  const observationOf = (result: QueryResult): string => {
    if (result.kind === 'none') return 'None';
    if (result.kind === 'error') return `Error executing query: ${result.message}`;
    const note = result.truncated ? ` (only the first ${result.rows.length} rows are shown)` : '';
    return listText(result.rows) + note;
  };
  const cut = (text: string) => (observationLimit === null ? text : text.slice(0, observationLimit));

  function openSession(task: SqlTask, lastQuery: string | null): Session {
    let last: { query: string; result: QueryResult | null; hash?: string } | null =
      lastQuery === null ? null : { query: lastQuery, result: null };
    let done = false;
    const submit = async (signal: AbortSignal): Promise<StepResult> => {
      const seen = last && (last.result ?? (await read(task, last.query, signal)));
      const rows = last && seen ? await answerRows(task, last.query, seen, signal) : null;
      const { reward, raw } = rewardOf(rule, rows, await goldRows(task));
      done = true;
      return {
        observation: 'Submitted.',
        done,
        reward,
        success: reward === 1,
        details: { raw, lastQuery: last?.query ?? null },
      };
    };
    return {
      async step(action, signal) {
        if (done) throw new CruxError('Environment.Fault', `Task ${task.id} is over: it takes no further action.`);
        switch (action.tool) {
          case 'submit':
            return submit(signal);
          case 'skip':
            done = true;
            return { observation: 'Skipped.', done, reward: 0, success: false, details: { raw: 0, skipped: true } };
          case 'execute_sql': {
            const { query } = action.arguments;
            if (typeof query !== 'string')
              return { observation: 'Error executing query: the argument "query" must be a text', done };
            const result = await read(task, query, signal);
            last = { query, result };
            return { observation: cut(observationOf(result)), done };
          }
          default:
            return { observation: `There is no tool "${action.tool}". Use execute_sql, submit or skip.`, done };
        }
      },
      snapshot: async () => ({ lastQuery: last?.query ?? null }),
      // The data cannot be changed, so the state is what would be submitted: the last statement's whole result, of which the agent may have
      // seen only a part.
      stateHash: async () => {
        if (last === null) return hashOf(null);
        const { query, result } = last;
        const isWhole = result !== null && (result.kind !== 'rows' || !result.truncated);
        // Keeps only the hash: a session may be idle for long.
        last.hash ??= resultHash(query, isWhole ? result : await executor.whole(requestOf(task, query, rewardLimits)));
        return last.hash;
      },
    };
  }

  return defineEnvironment({
    name: options.name ?? 'intercode-sql',
    version: `${dialectVersion}-${digest}-${settings.digest('hex').slice(0, 8)}`,
    stepLimit: options.stepLimit ?? 10,
    successAt: 1,
    tools,
    textFormat: sqlTextFormat,
    canonicalAction,
    languageWords,
    verifier: { reward: rule, dialect: dialectVersion, variants: variantVersion, dataset: dataset.name, digest },
    tasks: async () =>
      [...tasks.values()].map(({ id, split, db, question, difficulty }) => ({
        id,
        split,
        group: db,
        title: shortened(question),
        difficulty,
      })),
    briefing: async ({ id }) => {
      const { db, question } = taskOf(id);
      return { system, user: `Database: ${db}\nQuestion: ${question.replace(/\s+/g, ' ').trim()}` };
    },
    open: async ({ id }, snapshot) => openSession(taskOf(id), lastQueryOf(snapshot)),
    gold: async ({ id }) => taskOf(id).gold,
    script: async ({ id }) => {
      const { db, gold } = taskOf(id);
      return goldScript(gold, tableNames(dataset.databasePath(db)), dataset.goldDialect === 'sqlite');
    },
    hints: async ({ id }) => schemaText(dataset.databasePath(taskOf(id).db)),
    confirm: async ({ id }, actions, signal) => confirmation.confirm(taskOf(id), lastQuery(actions), signal),
    close: async () => {
      if (!(pool instanceof SqlExecutor)) await executor.close();
    },
  });
}

function hashOf(content: Json): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 32);
}

/**
 * If there are more rows than the limit reads, the query itself tells results apart.
 * @param result null when it did not end within the limits
 */
function resultHash(query: string, result: QueryResult | null): string {
  const action: Action = { tool: 'execute_sql', arguments: { query } };
  if (result === null) return hashOf({ query: canonicalAction(action) });
  if (result.kind !== 'rows') return hashOf({ ...result });
  return hashOf({ rows: result.rows, ...(result.truncated && { query: canonicalAction(action) }) });
}

function lastQueryOf(snapshot: Json | undefined): string | null {
  if (typeof snapshot !== 'object' || snapshot === null || Array.isArray(snapshot)) return null;
  return typeof snapshot.lastQuery === 'string' ? snapshot.lastQuery : null;
}

/** Tables and columns of a database, one table a line. */
function schemaText(path: string): string {
  const columns = columnsOf(path);
  const lines = tablesOf(columns).map((table) => {
    const own = columns.filter((column) => column.table === table);
    return `${table.toLowerCase()}(${own.map(({ name, type, key }) => `${name} ${type}${key === 'PRI' ? ' key' : ''}`).join(', ')})`;
  });
  return `Tables of the database:\n${lines.join('\n')}`;
}

function tableNames(path: string): string[] {
  return tablesOf(columnsOf(path)).map((table) => table.toLowerCase());
}

function tablesOf(columns: { table: string }[]): string[] {
  return [...new Set(columns.map(({ table }) => table))];
}

function columnsOf(path: string) {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return readColumns(database);
  } finally {
    database.close();
  }
}

function shortened(question: string): string {
  return question.length <= 80 ? question : `${question.slice(0, 79)}…`;
}

/** The query whose result a trajectory submits: the last one it executed; null when there is none. */
export function lastQuery(actions: Action[]): string | null {
  const last = actions.findLast(
    ({ tool, arguments: { query } }) => tool === 'execute_sql' && typeof query === 'string',
  );
  return last ? String(last.arguments.query) : null;
}
