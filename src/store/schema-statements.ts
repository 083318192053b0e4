/** Statements that migrations are made of, for SQLite and Postgres. */
import { type Compilable, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

type Columns = { [name: string]: 'text' | 'text?' | 'integer' | 'integer?' | 'real' | 'real?' };

/** Times and counters of a long run exceed 32 bits, so every whole number is a `bigint` (the same as `integer` in SQLite). */
export function table(database: Kysely<Schema>, name: string, columns: Columns, primaryKey: string[]): Compilable {
  let builder = database.schema.createTable(name);
  for (const [column, type] of Object.entries(columns)) {
    const bare = type.replace('?', '');
    const sqlType = bare === 'integer' ? 'bigint' : bare === 'real' ? 'double precision' : 'text';
    builder = builder.addColumn(column, sqlType, (definition) =>
      type.endsWith('?') ? definition : definition.notNull(),
    );
  }
  return builder.addPrimaryKeyConstraint(`${name}_key`, primaryKey as never[]);
}

export function index(database: Kysely<Schema>, tableName: string, columns: string[]): Compilable {
  return database.schema
    .createIndex(`${tableName}_by_${columns.join('_')}`)
    .on(tableName)
    .columns(columns);
}

/** New columns, null in existing rows. */
export function column(
  database: Kysely<Schema>,
  tableName: string,
  columns: { [name: string]: 'text' | 'bigint' | 'double precision' },
): Compilable[] {
  return Object.entries(columns).map(([name, type]) => database.schema.alterTable(tableName).addColumn(name, type));
}

/**
 * Text in all tables is compared by its bytes, as in SQLite. Otherwise ranges of ids, and what depends on which id is lower, would follow the locale
 * of the Postgres database. A migration that adds text columns ends with it.
 */
export function textByBytes(database: Kysely<Schema>, engine: Database['engine']): Compilable[] {
  if (engine === 'sqlite') return [];
  const change = sql`
    DO $$ DECLARE found record; BEGIN
      FOR found IN
        SELECT table_name, string_agg(format('ALTER COLUMN %I TYPE text COLLATE "C"', column_name), ', ') AS changes
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
        GROUP BY table_name
      LOOP EXECUTE format('ALTER TABLE %I %s', found.table_name, found.changes); END LOOP;
    END $$`;
  return [rawStatement(database, change)];
}

/** A statement in our own SQL, for a list of statements. */
export function rawStatement(database: Kysely<Schema>, raw: RawBuilder<unknown>): Compilable {
  return { compile: () => raw.compile(database) };
}

/** A trigger that adds values to a run's row of `spending` for each new row of a table. */
export function counting(
  database: Kysely<Schema>,
  engine: Database['engine'],
  tableName: string,
  values: { [column: string]: string },
): Compilable[] {
  return onInsert(database, engine, tableName, addingToSpending(values), `${tableName}_are_counted`);
}

/** A statement that adds values to the row of `spending` of the run of the row `NEW`. */
export function addingToSpending(values: { [column: string]: string }): string {
  const columns = Object.keys(values);
  return `
    INSERT INTO spending (run_id, ${columns.join(', ')}) VALUES (NEW.run_id, ${Object.values(values).join(', ')})
    ON CONFLICT (run_id) DO UPDATE SET ${columns.map((name) => `${name} = spending.${name} + excluded.${name}`).join(', ')};`;
}

/** A trigger that runs for each new row (`NEW`) of a table. */
export function onInsert(
  database: Kysely<Schema>,
  engine: Database['engine'],
  tableName: string,
  statement: string,
  name: string,
): Compilable[] {
  return trigger(database, engine, `INSERT ON ${tableName}`, statement, name);
}

/** A trigger that runs for each row of a table that an update changes so that a condition on `OLD` and `NEW` holds. */
export function onUpdate(
  database: Kysely<Schema>,
  engine: Database['engine'],
  tableName: string,
  when: string,
  statement: string,
  name: string,
): Compilable[] {
  return trigger(database, engine, `UPDATE ON ${tableName}`, statement, name, `WHEN (${when})`);
}

function trigger(
  database: Kysely<Schema>,
  engine: Database['engine'],
  event: string,
  statement: string,
  name: string,
  when = '',
): Compilable[] {
  const statements =
    engine === 'sqlite'
      ? [`CREATE TRIGGER ${name} AFTER ${event} ${when} BEGIN ${statement} END`]
      : [
          `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statement} RETURN NULL; END $$`,
          `CREATE TRIGGER ${name} AFTER ${event} FOR EACH ROW ${when} EXECUTE FUNCTION ${name}()`,
        ];
  return statements.map((text) => rawStatement(database, sql.raw(text)));
}
