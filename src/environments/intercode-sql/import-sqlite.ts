import { DatabaseSync } from '../../node-sqlite.ts';
import { type Column, derivedColumns } from './column.ts';
import type { DumpDatabase, DumpValue } from './import-dump.ts';

/** Reads a plain SQLite database as if it were a MySQL dump: with MySQL types, its keys, and its foreign keys as indexes. */
export function readSqliteDatabase(path: string, name: string): DumpDatabase {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const columns = derivedColumns(database);
    const tables = [...new Set(columns.map(({ table }) => table))].map((table) => {
      const own = columns.filter((column) => column.table === table);
      const statement = database.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}"`);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
      const rows = (statement.all() as unknown as DumpValue[][]).map((row) => row.map(asNumber));
      const primaryKey = own.filter(({ key }) => key === 'PRI').map((column) => column.name);
      const inferred = primaryKey.length ? null : likelyKey(own, rows);
      if (inferred) Object.assign(inferred, { key: 'PRI', nullable: false });
      const indexes = own.filter(({ key }) => key === 'MUL').map((column) => [column.name]);
      return { name: table, columns: own, primaryKey: inferred ? [inferred.name] : [], indexes, rows };
    });
    return { name, tables };
  } finally {
    database.close();
  }
}

/** Integers that are safe as such are numbers. */
function asNumber(value: DumpValue): DumpValue {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/**
 * Conversions of Spider lose primary keys, without which MySQL rejects the usual `SELECT name … GROUP BY id`. A first column named like an
 * id, code or number, with a different value in every row, is taken for the key.
 */
function likelyKey(columns: Column[], rows: DumpValue[][]): Column | null {
  const first = columns[0];
  if (!first || rows.length < 2 || !/(id|code|number|no)$/i.test(first.name)) return null;
  const values = new Set(rows.map(([value]) => (typeof value === 'string' ? value.trimEnd().toLowerCase() : value)));
  return values.size === rows.length && !values.has(null) ? first : null;
}
