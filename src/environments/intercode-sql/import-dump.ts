/**
 * MySQL dump to SQLite files, one per database. Text columns compare without case, as in MySQL's default collation. Tables with a primary key
 * are clustered by it, as in InnoDB, so that rows without ORDER BY come in MySQL's order.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '../../node-sqlite.ts';
import { type Column, columnTable, createColumnTable, textFacts } from './column.ts';
import { databaseName } from './dataset.ts';
import { type Token, tokenize } from './mysql/tokenizer.ts';

/** A number with more digits than a double keeps is a bigint, or a text if it has a fraction. */
export type DumpValue = string | number | bigint | null;
export type DumpTable = {
  name: string;
  columns: Column[];
  primaryKey: string[];
  /** Names of the columns of each further index, in index order: scans may follow them, as MySQL's do. */
  indexes: string[][];
  rows: DumpValue[][];
};
export type DumpDatabase = { name: string; tables: DumpTable[] };

/**
 * Reads CREATE TABLE and INSERT statements; everything else in a dump (locks, settings, users) means nothing here.
 * @throws Error naming the place when a CREATE TABLE or INSERT is not in mysqldump's form
 */
export function parseDump(dump: string): DumpDatabase[] {
  const databases: DumpDatabase[] = [];
  let database: DumpDatabase | null = null;
  const use = (name: string) => {
    database = databases.find((known) => known.name === name) ?? { name, tables: [] };
    if (!databases.includes(database)) databases.push(database);
  };
  const current = () => {
    if (!database) throw new Error('The dump creates a table before it names a database with USE.');
    return database;
  };
  for (const statement of statements(tokenize(dump))) {
    const reader = new Reader(statement);
    if (reader.accept('USE')) use(reader.identifier());
    else if (reader.accept('CREATE', 'TABLE')) current().tables.push(createTable(reader));
    else if (reader.accept('INSERT', 'INTO')) insertRows(reader, current());
  }
  return databases;
}

/**
 * Writes one database and waits until it is on the disk.
 * @throws Error for a name that cannot be the name of a file in the folder
 */
export async function writeDatabase(folder: string, { name, tables }: DumpDatabase): Promise<void> {
  if (!databaseName.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a database.`);
  const path = join(folder, `${name}.sqlite`);
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
    for (const table of tables) createSqliteTable(database, table);
    createColumnTable(
      database,
      tables.flatMap(({ columns, rows }) =>
        columns.map((column, index) => ({ ...column, ...textFacts(rows.map((row) => row[index])) })),
      ),
    );
    database.exec('COMMIT');
  } finally {
    database.close();
  }
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function createSqliteTable(database: DatabaseSync, { name, columns, primaryKey, indexes, rows }: DumpTable): void {
  const definitions = columns.map((column) => `${quote(column.name)} ${sqliteType(column.type)}`);
  const key = primaryKey.length ? [`PRIMARY KEY (${primaryKey.map(quote).join(', ')})`] : [];
  const clustered = primaryKey.length ? ' WITHOUT ROWID' : '';
  database.exec(`CREATE TABLE ${quote(name)} (${[...definitions, ...key].join(', ')})${clustered}`);
  const insert = database.prepare(`INSERT INTO ${quote(name)} VALUES (${columns.map(() => '?').join(', ')})`);
  for (const row of rows) insert.run(...row.map((value, index) => stored(value, columns[index]!)));
  indexes.forEach((names, index) => {
    database.exec(
      `CREATE INDEX ${quote(`${columnTable}_${name}_${index}`)} ON ${quote(name)} (${names.map(quote).join(', ')})`,
    );
  });
}

/** Digits that every double keeps. */
const doubleDigits = 15;

/** Declared type of the SQLite column; its affinity decides how values are stored. */
export function sqliteType(type: string): string {
  if (/^(tinyint|smallint|mediumint|int|bigint|year|bit)\b/.test(type)) return 'INTEGER';
  if (/^(double|float)\b/.test(type)) return 'REAL';
  if (/^decimal\b/.test(type)) return isLongDecimal(type) ? 'TEXT' : 'REAL';
  return 'TEXT COLLATE NOCASE';
}

const isLongDecimal = (type: string) => Number(/^decimal\((\d+)/.exec(type)?.[1] ?? 10) > doubleDigits;

/** A value as MySQL would have stored it: FLOAT keeps single precision, which shows in comparisons and sums. */
export function stored(value: DumpValue, { type }: Column): DumpValue {
  if (value === null) return null;
  if (/^float\b/.test(type)) return Math.fround(Number(value));
  if (/^decimal\b/.test(type)) return isLongDecimal(type) ? String(value) : Number(value);
  // SQLite would write a number into a text as a double, 12 as 12.0.
  return /char|text|date|time/.test(type) ? String(value) : value;
}

const quote = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;

function* statements(tokens: Token[]): Generator<Token[]> {
  let statement: Token[] = [];
  for (const token of tokens) {
    if (token.text === ';' || token.kind === 'end') {
      if (statement.length) yield statement;
      statement = [];
    } else statement.push(token);
  }
}

/** CREATE TABLE `name` ( column | key , … ) options */
function createTable(reader: Reader): DumpTable {
  reader.accept('IF', 'NOT', 'EXISTS');
  const table: DumpTable = { name: reader.identifier(), columns: [], primaryKey: [], indexes: [], rows: [] };
  const unique = new Set<string>();
  reader.expect('(');
  do {
    if (reader.accept('PRIMARY', 'KEY')) table.primaryKey = reader.columnList();
    else if (reader.accept('UNIQUE', 'KEY')) {
      reader.identifier();
      const columns = reader.columnList();
      if (columns.length === 1) unique.add(columns[0]!);
      table.indexes.push(columns);
    } else if (reader.accept('KEY')) {
      reader.identifier();
      table.indexes.push(reader.columnList());
    } else if (reader.accept('CONSTRAINT')) reader.skipDefinition();
    else table.columns.push(column(reader, table.name));
  } while (reader.accept(','));
  reader.expect(')');
  const leading = new Set(table.indexes.map((columns) => columns[0]));
  for (const column of table.columns) {
    if (table.primaryKey.includes(column.name)) column.key = 'PRI';
    else if (unique.has(column.name)) column.key = 'UNI';
    else if (leading.has(column.name)) column.key = 'MUL';
  }
  return table;
}

/** `name` type(size) [COLLATE x] [NOT NULL] [DEFAULT x] [AUTO_INCREMENT] */
function column(reader: Reader, table: string): Column {
  const result: Column = {
    table,
    name: reader.identifier(),
    type: reader.type(),
    nullable: true,
    key: '',
    defaultText: null,
    extra: '',
    padded: false,
    letters: 'plain',
  };
  for (;;) {
    if (reader.accept('COLLATE') || reader.accept('CHARACTER', 'SET')) reader.next();
    else if (reader.accept('NOT', 'NULL')) result.nullable = false;
    else if (reader.accept('DEFAULT')) {
      const token = reader.next();
      if (token.value === 'CURRENT_TIMESTAMP') result.extra = 'DEFAULT_GENERATED';
      result.defaultText = token.value === 'NULL' && token.kind === 'word' ? null : token.value;
    } else if (reader.accept('AUTO_INCREMENT')) result.extra = 'auto_increment';
    else if (!reader.accept('NULL')) return result;
  }
}

/** INSERT INTO `name` VALUES (…),(…) */
function insertRows(reader: Reader, database: DumpDatabase): void {
  const name = reader.identifier();
  const table = database.tables.find((each) => each.name === name);
  if (!table) throw new Error(`The dump inserts into ${database.name}.${name}, which it never created.`);
  reader.expect('VALUES');
  do {
    reader.expect('(');
    const row: DumpValue[] = [];
    do row.push(reader.value());
    while (reader.accept(','));
    reader.expect(')');
    if (row.length !== table.columns.length) {
      throw new Error(
        `A row of ${database.name}.${name} has ${row.length} values for ${table.columns.length} columns.`,
      );
    }
    table.rows.push(row);
  } while (reader.accept(','));
}

function numberOf(text: string): DumpValue {
  const digits = text.replace(/^[-.0]+/, '').replace(/[eE].*$|\./g, '');
  if (digits.length <= doubleDigits || /e/i.test(text)) return Number(text);
  return text.includes('.') ? text : BigInt(text);
}

class Reader {
  readonly #tokens: Token[];
  #position = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  next(): Token {
    const token = this.#tokens[this.#position++];
    if (!token) throw new Error('A statement of the dump ends too early.');
    return token;
  }

  /** Takes these words or signs if they come next. */
  accept(...values: string[]): boolean {
    const matches = values.every((value, index) => {
      const token = this.#tokens[this.#position + index];
      return token?.value === value && (token.kind === 'word' || token.kind === 'symbol');
    });
    if (matches) this.#position += values.length;
    return matches;
  }

  expect(value: string): void {
    if (this.accept(value)) return;
    const token = this.#tokens[this.#position];
    throw new Error(
      `The dump has ${JSON.stringify(token?.text ?? 'nothing')} at offset ${token?.start ?? 'the end'} where ${value} was expected.`,
    );
  }

  identifier(): string {
    const token = this.next();
    return token.kind === 'word' ? token.text : token.value;
  }

  type(): string {
    let type = this.next().text.toLowerCase();
    if (this.accept('(')) {
      const sizes: string[] = [];
      do sizes.push(this.next().text);
      while (this.accept(','));
      this.expect(')');
      type += `(${sizes.join(',')})`;
    }
    return this.accept('UNSIGNED') ? `${type} unsigned` : type;
  }

  /** (`a`, `b`(255), …): prefix lengths are left out. */
  columnList(): string[] {
    const names: string[] = [];
    this.expect('(');
    do {
      names.push(this.identifier());
      if (this.accept('(')) {
        this.next();
        this.expect(')');
      }
      if (!this.accept('ASC')) this.accept('DESC');
    } while (this.accept(','));
    this.expect(')');
    return names;
  }

  /** Passes over a definition that has no effect on reads. */
  skipDefinition(): void {
    for (let depth = 0; this.#position < this.#tokens.length; this.#position++) {
      const { text } = this.#tokens[this.#position]!;
      if (depth === 0 && (text === ',' || text === ')')) return;
      if (text === '(') depth++;
      if (text === ')') depth--;
    }
  }

  value(): DumpValue {
    const negative = this.accept('-');
    const token = this.next();
    if (token.kind === 'word' && token.value === 'NULL') return null;
    if (token.kind === 'word' && token.value.startsWith('_')) return this.value();
    if (token.kind === 'number') return numberOf(`${negative ? '-' : ''}${token.value}`);
    if (token.kind === 'string') return token.value;
    throw new Error(
      `The dump has the value ${token.text} at offset ${token.start}, which is neither text nor number nor NULL.`,
    );
  }
}
