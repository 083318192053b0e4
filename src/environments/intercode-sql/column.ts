/** Columns as MySQL describes them, kept next to the rows in each SQLite file, so that DESCRIBE answers like MySQL. */
import type { DatabaseSync } from '../../node-sqlite.ts';
import { comparedForm } from './mysql/fold.ts';

export type Column = {
  table: string;
  name: string;
  /** MySQL type in lower case, e.g. `varchar(50)`. */
  type: string;
  nullable: boolean;
  key: '' | 'PRI' | 'UNI' | 'MUL';
  /** Default as text; null for none. */
  defaultText: string | null;
  /** E.g. `auto_increment`. */
  extra: string;
  /** Whether values end in blanks, which MySQL's comparisons ignore. */
  padded: boolean;
  letters: Letters;
};

/**
 * How texts are written. SQLite compares only plain ones as MySQL does. `signs`: some have characters that stand between the capital and the
 * small letters in ASCII (`[ \\ ] ^ _`), which matters for the order. `accents`: some have other letters than ASCII, but no two are equal for
 * MySQL that differ for SQLite. `all`: there may be such texts.
 */
export type Letters = 'plain' | 'signs' | 'accents' | 'all';

/** What comparisons have to know about the texts of a column. */
export function textFacts(values: Iterable<unknown>): Pick<Column, 'padded' | 'letters'> {
  const texts = [...new Set(values)].filter((value) => typeof value === 'string');
  const padded = texts.some((text) => text.endsWith(' '));
  if (!texts.some((text) => /[^ -~]/.test(text))) {
    return { padded, letters: texts.some((text) => /[[\\\]^_`]/.test(text)) ? 'signs' : 'plain' };
  }
  const bySqlite = new Set(
    texts.map((text) => text.replace(/ +$/, '').replace(/[a-z]/g, (letter) => letter.toUpperCase())),
  );
  return { padded, letters: new Set(texts.map(comparedForm)).size === bySqlite.size ? 'accents' : 'all' };
}

/** Side table that agents can neither list nor read. */
export const columnTable = '_crux_columns';

export function createColumnTable(database: DatabaseSync, columns: Column[]): void {
  database.exec(`CREATE TABLE ${columnTable} (
    table_name TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, nullable INTEGER NOT NULL, key TEXT NOT NULL, default_text TEXT, extra TEXT NOT NULL,
    padded INTEGER NOT NULL, letters TEXT NOT NULL)`);
  const insert = database.prepare(`INSERT INTO ${columnTable} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const { table, name, type, nullable, key, defaultText, extra, padded, letters } of columns) {
    insert.run(table, name, type, nullable ? 1 : 0, key, defaultText, extra, padded ? 1 : 0, letters);
  }
}

/** Columns in table and column order; for a plain SQLite file without the side table, what SQLite itself knows. */
export function readColumns(database: DatabaseSync): Column[] {
  const known = database.prepare(`SELECT count(*) AS n FROM sqlite_master WHERE name = '${columnTable}'`).get();
  return known?.n ? storedColumns(database) : derivedColumns(database);
}

function storedColumns(database: DatabaseSync): Column[] {
  return database
    .prepare(`SELECT * FROM ${columnTable} ORDER BY rowid`)
    .all()
    .map((row) => ({
      table: String(row.table_name),
      name: String(row.name),
      type: String(row.type),
      nullable: row.nullable === 1,
      key: row.key as Column['key'],
      defaultText: row.default_text === null ? null : String(row.default_text),
      extra: String(row.extra),
      padded: row.padded === 1,
      // Datasets of earlier versions do not say it.
      letters: (row.letters ??
        textFacts(valuesOf(database, String(row.table_name), String(row.name))).letters) as Letters,
    }));
}

/** MySQL's description of a plain SQLite schema, as if the schema had been imported into MySQL. */
export function derivedColumns(database: DatabaseSync): Column[] {
  const tables = database
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)
    .all();
  return tables.flatMap(({ name: table }) => {
    const infos = database
      .prepare('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)')
      .all(String(table));
    const foreign = database.prepare('SELECT "from" FROM pragma_foreign_key_list(?)').all(String(table));
    const foreignKeys = new Set(foreign.map((row) => String(row.from).toLowerCase()));
    return infos.map((info) => {
      const name = String(info.name);
      const key = Number(info.pk) > 0 ? 'PRI' : foreignKeys.has(name.toLowerCase()) ? 'MUL' : '';
      const defaultText = info.dflt_value === null ? null : String(info.dflt_value).replace(/^(['"])(.*)\1$/s, '$2');
      const nullable = !info.notnull && key !== 'PRI';
      const values = valueFacts(database, String(table), name);
      const type = fittingType(mysqlType(String(info.type)), values);
      const isText = type === 'text' || /char/.test(type);
      const facts = textFacts(isText ? valuesOf(database, String(table), name) : []);
      return { table: String(table), name, type, nullable, key, defaultText, extra: '', ...facts } as const;
    });
  });
}

type ValueFacts = { texts: number; dates: number; moments: number; fractions: number };

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

function valuesOf(database: DatabaseSync, table: string, column: string): unknown[] {
  return database
    .prepare(`SELECT DISTINCT ${quoted(column)} COLLATE BINARY AS value FROM ${quoted(table)}`)
    .all()
    .map(({ value }) => value);
}

/**
 * How many values are text, how many of those look like dates or moments, and how many are numbers with a fraction: SQLite holds anything in
 * any column.
 */
function valueFacts(database: DatabaseSync, table: string, column: string): ValueFacts {
  const day = '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]';
  const isText = `typeof(value) = 'text'`;
  const row = database
    .prepare(
      `SELECT count(*) FILTER (WHERE ${isText}) AS texts, count(*) FILTER (WHERE ${isText} AND value GLOB '${day}') AS dates,
        count(*) FILTER (WHERE ${isText} AND value GLOB '${day} [0-9][0-9]:[0-9][0-9]:[0-9][0-9]') AS moments,
        count(*) FILTER (WHERE typeof(value) = 'real' AND value <> round(value)) AS fractions
       FROM (SELECT ${quoted(column)} AS value FROM ${quoted(table)})`,
    )
    .get();
  return {
    texts: Number(row?.texts),
    dates: Number(row?.dates),
    moments: Number(row?.moments),
    fractions: Number(row?.fractions),
  };
}

/** The declared type if MySQL would have accepted all values into it as they are, else double or text. */
function fittingType(type: string, { texts, dates, moments, fractions }: ValueFacts): string {
  if (type === 'text' || /char/.test(type)) return type;
  if (texts === 0) return fractions > 0 && /int|year/.test(type) ? 'double' : type;
  if (type === 'date') return dates === texts ? 'date' : moments === texts ? 'datetime' : 'text';
  if (type === 'datetime' || type === 'timestamp') return moments === texts ? type : dates === texts ? 'date' : 'text';
  return 'text';
}

/** The MySQL type that holds what a SQLite column of this declared type holds. */
function mysqlType(declared: string): string {
  const type = declared.trim().toLowerCase().replace(/\s+/g, ' ');
  const size = /\(\s*\d+\s*(?:,\s*\d+\s*)?\)/.exec(type)?.[0].replaceAll(' ', '') ?? '';
  const base = type.replace(/\(.*$/, '').trim();
  if (base === 'bigint') return 'bigint';
  if (/^(unsigned )?(tiny|small|medium|big)?int/.test(base)) return 'int';
  if (/^(var)?char|varchar2|nvarchar|nchar|character/.test(base))
    return size ? `${base.startsWith('char') && !base.startsWith('character') ? 'char' : 'varchar'}${size}` : 'text';
  if (/^(decimal|numeric|number)/.test(base))
    return size ? `decimal${size.includes(',') ? size : `${size.slice(0, -1)},0)`}` : 'double';
  if (/^(real|double|float)/.test(base)) return 'double';
  if (base === 'date' || base === 'datetime' || base === 'timestamp' || base === 'time' || base === 'year') return base;
  if (base.startsWith('bool') || base === 'bit') return 'tinyint(1)';
  return 'text';
}
