import { DatabaseSync } from 'node:sqlite';
import type { Action, ParsedAction } from '../../src/domain/action.ts';
import type { Environment, StepResult, TextFormat } from '../../src/environments/contract.ts';
import { defineEnvironment } from '../../src/environments/define.ts';
import type { SqlDataset } from '../../src/environments/intercode-sql/dataset.ts';

const textFormat: TextFormat = {
  observationPrefix: 'Observation: ',
  instructions:
    'Answer with "Thought: ..." and then "Action:" with a fenced sql block in one line, or "Action: submit".',
  parse(text): ParsedAction {
    const query = /Action:\s*```sql\n(.*)\n```/.exec(text)?.[1];
    if (query) return { kind: 'action', thought: '', action: { tool: 'execute_sql', arguments: { query } } };
    const word = /Action: (submit|skip)/.exec(text)?.[1];
    return word
      ? { kind: 'action', thought: '', action: { tool: word, arguments: {} } }
      : { kind: 'malformed', hint: 'Act.' };
  },
  render: (thought) => thought,
};

/**
 * A second, small implementation of the SQL task over plain SQLite, so that what the simulator believes about its own queries is checked
 * against their execution. Success: the last command returned the gold's rows, in any order.
 */
export function smallSqlEnvironment(dataset: SqlDataset): Environment {
  const tool = (name: string, properties: { [name: string]: { type: string } }) => ({
    type: 'function' as const,
    function: { name, description: name, parameters: { type: 'object', properties } },
  });
  return defineEnvironment({
    name: 'small-sql',
    version: '1',
    tools: [tool('execute_sql', { query: { type: 'string' } }), tool('submit', {}), tool('skip', {})],
    textFormat,
    tasks: async () =>
      dataset.tasks.map(({ id, db, question, split, difficulty }) => ({
        id,
        group: db,
        title: question,
        split,
        difficulty,
      })),
    briefing: async ({ id }) => {
      const task = dataset.tasks.find((candidate) => candidate.id === id)!;
      return { system: 'You answer questions with SQL.', user: `Database: ${task.db}\nQuestion: ${task.question}` };
    },
    async open({ id }) {
      const task = dataset.tasks.find((candidate) => candidate.id === id)!;
      const connection = new DatabaseSync(dataset.databasePath(task.db), {
        readOnly: true,
        enableDoubleQuotedStringLiterals: true,
      });
      connection.function('YEAR', { deterministic: true }, (time) =>
        time === null ? null : Number(String(time).slice(0, 4)),
      );
      const gold = rowsOf(connection, task.gold);
      let last: string[] = ['nothing was executed'];
      return {
        step: async (action): Promise<StepResult> => {
          if (action.tool === 'submit') {
            const success = JSON.stringify(last) === JSON.stringify(gold);
            return { observation: 'Submitted.', done: true, success, reward: success ? 1 : 0 };
          }
          if (action.tool === 'skip') return { observation: 'Skipped.', done: true, success: false, reward: 0 };
          const { observation, rows } = execute(connection, action);
          last = rows;
          return { observation, done: false };
        },
        close: async () => connection.close(),
      };
    },
  });
}

function execute(connection: DatabaseSync, action: Action): { observation: string; rows: string[] } {
  const query = String(action.arguments.query);
  const described = /^desc(?:ribe)? (\w+)$/i.exec(query)?.[1];
  const names = `SELECT name FROM sqlite_master WHERE type = 'table'`;
  const executed = described ? `PRAGMA table_info("${described}")` : query === 'SHOW TABLES' ? names : query;
  try {
    const rows = rowsOf(connection, executed);
    return { observation: `[${rows.join(', ')}]`.slice(0, 350), rows };
  } catch (error) {
    return { observation: `Error executing query: ${String(error)}`, rows: ['error'] };
  }
}

function rowsOf(connection: DatabaseSync, query: string): string[] {
  const statement = connection.prepare(query);
  statement.setReturnArrays(true);
  return statement
    .all()
    .map((row) => JSON.stringify(row))
    .sort();
}
