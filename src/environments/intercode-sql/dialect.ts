/**
 * MySQL 8 spoken by SQLite. A statement is parsed, and its names and types are resolved against the database's schema. It becomes one SQLite
 * query, a fixed answer (SHOW, DESCRIBE), or the error that MySQL would give, in MySQL's words.
 *
 * What would not behave as in MySQL is refused with a message, rather than run with another meaning.
 */
import type { Column } from './column.ts';
import { QueryCompiler } from './mysql/compile-query.ts';
import { UnknownFunctionError } from './mysql/parse-expression.ts';
import { parseStatement } from './mysql/parse-statement.ts';
import { MysqlError } from './mysql/reader.ts';
import { findTable, type Schema } from './mysql/scope.ts';
import type { Statement } from './mysql/syntax.ts';
import type { SqlType } from './mysql/types.ts';
import { stringText } from './python-text.ts';

/** Raised with every change that can alter an observation: it is part of each transition's key. */
export const dialectVersion = 2;

export type Translation =
  | { kind: 'query'; sql: string; types: SqlType[]; tables: string[] }
  /** Rows that need no query, as Python tuples. */
  | { kind: 'rows'; rows: string[] }
  /** A statement without a result set. */
  | { kind: 'none' }
  | { kind: 'error'; message: string };

/**
 * @param lenient for golds that were written for SQLite: reserved words may be names, derived tables need no name, distinct rows may be
 * ordered by what they do not show. Queries with an arbitrary result are still refused.
 */
export function translate(query: string, schema: Schema, lenient = false): Translation {
  try {
    const statement = parseStatement(query, lenient);
    if (statement.kind !== 'query') return answer(statement, schema);
    const compiler = new QueryCompiler(schema, lenient);
    const { sql, columns } = compiler.compile(statement.query);
    return { kind: 'query', sql, types: columns.map(({ type }) => type), tables: [...compiler.tables] };
  } catch (error) {
    if (error instanceof UnknownFunctionError) {
      const name = `${schema.database.toLowerCase()}.${error.functionName}`;
      const manual = `Check the 'Function Name Parsing and Resolution' section in the Reference Manual`;
      return { kind: 'error', message: `FUNCTION ${name} does not exist. ${manual}` };
    }
    if (error instanceof MysqlError) return { kind: 'error', message: error.message };
    if (error instanceof RangeError)
      return { kind: 'error', message: 'The statement is nested too deeply for this environment' };
    throw error;
  }
}

function answer(statement: Exclude<Statement, { kind: 'query' }>, schema: Schema): Translation {
  const database = schema.database.toLowerCase();
  switch (statement.kind) {
    case 'use':
      checkDatabase(statement.database, database);
      return { kind: 'none' };
    case 'show-tables': {
      checkDatabase(statement.database, database);
      const names = [...schema.tables.keys()].filter((name) => matches(name, statement.like)).sort();
      return rows(names.map((name) => (statement.full ? [name, 'BASE TABLE'] : [name])));
    }
    case 'show-databases':
      return rows([[database]]);
    case 'describe': {
      const { columns } = findTable(schema, statement.database, statement.table);
      return rows(
        columns
          .filter(({ name }) => matches(name, statement.column))
          .map(statement.full ? fullDescription : description),
      );
    }
    case 'show-create': {
      const table = findTable(schema, null, statement.table);
      return rows([[table.name.toLowerCase(), createText(table.name.toLowerCase(), table.columns)]]);
    }
    case 'show-index': {
      const table = findTable(schema, null, statement.table);
      return rows(indexRows(table.name.toLowerCase(), table.columns));
    }
    case 'no-result':
      return { kind: 'none' };
    case 'write':
      return {
        kind: 'error',
        message: `${statement.command} command denied to user 'agent'@'localhost' for table '${statement.table}'`,
      };
    case 'unsupported':
      return { kind: 'error', message: statement.what };
  }
}

/** An agent sees its own database only. */
function checkDatabase(name: string | null, own: string): void {
  if (name !== null && name.toLowerCase() !== own) throw new MysqlError(`Unknown database '${name.toLowerCase()}'`);
}

type Cell = string | number | null;

function rows(cells: Cell[][]): Translation {
  const shown = (cell: Cell) => (cell === null ? 'None' : typeof cell === 'number' ? String(cell) : stringText(cell));
  return {
    kind: 'rows',
    rows: cells.map((row) => (row.length === 1 ? `(${shown(row[0]!)},)` : `(${row.map(shown).join(', ')})`)),
  };
}

function description({ name, type, nullable, key, defaultText, extra }: Column): Cell[] {
  return [name, type, nullable ? 'YES' : 'NO', key, defaultText, extra];
}

function fullDescription(column: Column): Cell[] {
  const [name, type, ...rest] = description(column);
  const collation = /char|text/.test(column.type) ? 'utf8mb4_general_ci' : null;
  return [name!, type!, collation, ...rest, 'select', ''];
}

function createText(table: string, columns: Column[]): string {
  const lines = columns.map(({ name, type, nullable, defaultText, extra }) => {
    const given = defaultText !== null ? ` DEFAULT '${defaultText}'` : nullable ? ' DEFAULT NULL' : '';
    return `  \`${name}\` ${type}${nullable ? '' : ' NOT NULL'}${given}${extra === 'auto_increment' ? ' AUTO_INCREMENT' : ''}`;
  });
  const primary = columns.filter(({ key }) => key === 'PRI').map(({ name }) => `\`${name}\``);
  const keys = [
    ...(primary.length ? [`  PRIMARY KEY (${primary.join(',')})`] : []),
    ...columns.filter(({ key }) => key === 'UNI').map(({ name }) => `  UNIQUE KEY \`${name}\` (\`${name}\`)`),
    ...columns.filter(({ key }) => key === 'MUL').map(({ name }) => `  KEY \`${name}\` (\`${name}\`)`),
  ];
  return `CREATE TABLE \`${table}\` (\n${[...lines, ...keys].join(',\n')}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci`;
}

function indexRows(table: string, columns: Column[]): Cell[][] {
  let place = 0;
  return columns
    .filter(({ key }) => key !== '')
    .map(({ name, key, nullable }) => {
      place = key === 'PRI' ? place + 1 : 1;
      return [
        table,
        key === 'MUL' ? 1 : 0,
        key === 'PRI' ? 'PRIMARY' : name,
        place,
        name,
        'A',
        null,
        null,
        null,
        nullable ? 'YES' : '',
        'BTREE',
      ];
    });
}

/** LIKE on a name: `%` any characters, `_` one. */
function matches(name: string, pattern: string | null): boolean {
  if (pattern === null) return true;
  const expression = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${expression}$`, 'i').test(name);
}
