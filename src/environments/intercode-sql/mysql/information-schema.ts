/**
 * Tables of information_schema, as far as this environment knows what MySQL would say: SCHEMATA, TABLES and COLUMNS of the agent's own
 * database. Columns that it does not know can be neither read nor selected with `*`.
 */
import type { Column } from '../column.ts';
import { quoteName, quoteText } from './convert.ts';
import { MysqlError } from './reader.ts';
import type { Relation, RelationColumn, Schema } from './scope.ts';
import { bigInteger, type SqlType } from './types.ts';

export const informationSchema = 'information_schema';

type Cell = string | number | null;
/** Absent: this environment does not know it. */
type Row = { [column: string]: Cell };

const plainText: SqlType = { kind: 'text', scale: null };
const collation = 'utf8mb4_general_ci';

/** Columns in MySQL's order; numbers are marked. Source: MySQL 8.0 reference manual, "INFORMATION_SCHEMA General Table Reference". */
const columnNames: { [table: string]: string } = {
  schemata: 'CATALOG_NAME SCHEMA_NAME DEFAULT_CHARACTER_SET_NAME DEFAULT_COLLATION_NAME SQL_PATH DEFAULT_ENCRYPTION',
  tables: `TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_TYPE ENGINE VERSION# ROW_FORMAT TABLE_ROWS# AVG_ROW_LENGTH# DATA_LENGTH#
    MAX_DATA_LENGTH# INDEX_LENGTH# DATA_FREE# AUTO_INCREMENT# CREATE_TIME UPDATE_TIME CHECK_TIME TABLE_COLLATION CHECKSUM# CREATE_OPTIONS
    TABLE_COMMENT`,
  columns: `TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION# COLUMN_DEFAULT IS_NULLABLE DATA_TYPE
    CHARACTER_MAXIMUM_LENGTH# CHARACTER_OCTET_LENGTH# NUMERIC_PRECISION# NUMERIC_SCALE# DATETIME_PRECISION# CHARACTER_SET_NAME
    COLLATION_NAME COLUMN_TYPE COLUMN_KEY EXTRA PRIVILEGES COLUMN_COMMENT GENERATION_EXPRESSION SRS_ID#`,
};

/** @throws MysqlError for a table that is not offered */
export function informationRelation(
  schema: Schema,
  table: string,
  alias: string,
  sqlName: string,
): { relation: Relation; sql: string } {
  const name = table.toLowerCase();
  const names = columnNames[name]?.split(/\s+/);
  if (!names) {
    throw new MysqlError(
      `The table ${informationSchema}.${name} is not available in this environment; use SHOW TABLES or DESCRIBE`,
    );
  }
  const rows = rowsOf(schema, name);
  const columns = names.map((marked): RelationColumn => {
    const column = marked.replace('#', '');
    const isKnown = rows.every((row) => column in row);
    return {
      name: column,
      type: marked.endsWith('#') ? bigInteger : plainText,
      ...(!isKnown && {
        unavailable: `The column ${column} of ${informationSchema}.${name} is not available in this environment`,
      }),
    };
  });
  const known = columns.filter(({ unavailable }) => unavailable === undefined).map((column) => column.name);
  const values = rows.map(
    (row) => `SELECT ${known.map((column) => `${cellSql(row[column] ?? null)} AS ${quoteName(column)}`).join(', ')}`,
  );
  return {
    relation: { sqlName, alias, database: informationSchema, columns, keys: [] },
    sql: `(${values.join(' UNION ALL ')}) AS ${sqlName}`,
  };
}

const cellSql = (cell: Cell) => (typeof cell === 'string' ? quoteText(cell) : String(cell));

function rowsOf({ database, tables }: Schema, name: string): Row[] {
  const own = { TABLE_CATALOG: 'def', TABLE_SCHEMA: database.toLowerCase() };
  switch (name) {
    case 'schemata':
      return [
        {
          CATALOG_NAME: 'def',
          SCHEMA_NAME: database.toLowerCase(),
          DEFAULT_CHARACTER_SET_NAME: 'utf8mb4',
          DEFAULT_COLLATION_NAME: collation,
          SQL_PATH: null,
          DEFAULT_ENCRYPTION: 'NO',
        },
      ];
    case 'tables':
      return [...tables.keys()].map((table) => ({
        ...own,
        TABLE_NAME: table,
        TABLE_TYPE: 'BASE TABLE',
        ENGINE: 'InnoDB',
        VERSION: 10,
        ROW_FORMAT: 'Dynamic',
        CHECK_TIME: null,
        TABLE_COLLATION: collation,
        CHECKSUM: null,
        CREATE_OPTIONS: '',
        TABLE_COMMENT: '',
      }));
    default:
      return [...tables.values()].flatMap(({ columns }) =>
        columns.map((column, index) => ({ ...own, ...columnRow(column), ORDINAL_POSITION: index + 1 })),
      );
  }
}

const numericDigits: { [type: string]: number } = {
  tinyint: 3,
  smallint: 5,
  mediumint: 7,
  int: 10,
  bigint: 19,
  float: 12,
  double: 22,
};

function columnRow({ table, name, type, nullable, key, defaultText, extra }: Column): Row {
  const base = /^\w+/.exec(type)?.[0] ?? type;
  const sizes = (/\(([\d,]+)\)/.exec(type)?.[1] ?? '').split(',').filter(Boolean).map(Number);
  const isText = /char|text/.test(base);
  const isExact = base === 'decimal' || (numericDigits[base] !== undefined && base !== 'float' && base !== 'double');
  const length = isText ? (sizes[0] ?? (base === 'char' ? 1 : 65_535)) : null;
  return {
    TABLE_NAME: table.toLowerCase(),
    COLUMN_NAME: name,
    COLUMN_DEFAULT: defaultText,
    IS_NULLABLE: nullable ? 'YES' : 'NO',
    DATA_TYPE: base,
    CHARACTER_MAXIMUM_LENGTH: length,
    CHARACTER_OCTET_LENGTH: length === null ? null : sizes.length || base === 'char' ? length * 4 : length,
    NUMERIC_PRECISION:
      base === 'decimal'
        ? (sizes[0] ?? 10)
        : numericDigits[base] === undefined
          ? null
          : sizes.length > 1
            ? sizes[0]!
            : numericDigits[base]!,
    NUMERIC_SCALE: isExact ? (sizes[1] ?? 0) : numericDigits[base] === undefined ? null : (sizes[1] ?? null),
    DATETIME_PRECISION: ['datetime', 'timestamp', 'time'].includes(base) ? 0 : null,
    CHARACTER_SET_NAME: isText ? 'utf8mb4' : null,
    COLLATION_NAME: isText ? collation : null,
    COLUMN_TYPE: type,
    COLUMN_KEY: key,
    EXTRA: extra,
    PRIVILEGES: 'select',
    COLUMN_COMMENT: '',
    GENERATION_EXPRESSION: '',
    SRS_ID: null,
  };
}
