/** The benchmark's databases on both sides: as the import writes them for this environment, and in a MariaDB server. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection as Server } from 'mysql2/promise';
import { type DumpDatabase, type DumpTable, parseDump } from '../../src/environments/intercode-sql/import-dump.ts';
import { readSqliteDatabase } from '../../src/environments/intercode-sql/import-sqlite.ts';

/** Loads InterCode's dump as it is. */
export async function loadInterCode(folder: string, server: Server): Promise<DumpDatabase[]> {
  const dump = readFileSync(join(folder, 'ic_spider_dbs.sql'), 'utf8');
  await server.query(dump);
  return parseDump(dump);
}

/** Loads the training databases, of which there are only SQLite files, under the types that the import gives their columns. */
export async function loadSpider(folder: string, server: Server): Promise<DumpDatabase[]> {
  const databases = readdirSync(join(folder, 'databases'))
    .filter((file) => file.endsWith('.sqlite'))
    .map((file) => readSqliteDatabase(join(folder, 'databases', file), file.slice(0, -'.sqlite'.length)));
  // Values are as the import leaves them: a type's length does not cut them.
  await server.query(`SET sql_mode = ''`);
  for (const { name, tables } of databases) {
    await server.query(`CREATE DATABASE ${quote(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    for (const table of tables) await createTable(server, name, table);
  }
  return databases;
}

async function createTable(server: Server, database: string, { name, columns, rows }: DumpTable): Promise<void> {
  const table = `${quote(database)}.${quote(name)}`;
  const definitions = columns.map(
    (column) => `${quote(column.name)} ${column.type.replace(/^(var)?char\(.*/, 'text')}`,
  );
  await server.query(`CREATE TABLE ${table} (${definitions.join(', ')})`);
  if (rows.length) await server.query(`INSERT INTO ${table} VALUES ?`, [rows]);
}

export const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;
