/** Names and what they mean: the tables that a query sees, and MySQL's words if a name means nothing or is ambiguous. */
import type { Column } from '../column.ts';
import { MysqlError } from './reader.ts';
import type { ColumnExpression } from './syntax.ts';
import { declaredType, type SqlType } from './types.ts';

/** The tables of one database, by lower-case name. */
export type Schema = { database: string; tables: Map<string, SchemaTable> };
export type SchemaTable = { name: string; columns: Column[] };

export type RelationColumn = {
  name: string;
  type: SqlType;
  /** Why it cannot be read, for an agent; absent if it can. */
  unavailable?: string;
};

/** A table, derived table or common table as it appears in a FROM clause. */
export type Relation = {
  /** Name in the generated SQL, unique in the whole statement. */
  sqlName: string;
  /** Name or alias that the query uses; compared without case. */
  alias: string;
  /** Database of a base table, else empty: MySQL's messages show it. */
  database: string;
  columns: RelationColumn[];
  /** Sets of columns (lower case), each of which determines all other columns. */
  keys: string[][];
};

export type ResolvedColumn = { relation: Relation; column: RelationColumn; scope: Scope };

/** A part of a query, as MySQL names it in its messages. */
export type Clause = 'field list' | 'where clause' | 'on clause' | 'group statement' | 'having clause' | 'order clause';

export class Scope {
  readonly relations: Relation[] = [];
  readonly parent: Scope | null;
  /** Columns that NATURAL or USING merged, by lower-case name: the unqualified name is not ambiguous. */
  readonly merged = new Map<string, ResolvedColumn>();

  constructor(parent: Scope | null) {
    this.parent = parent;
  }

  add(relation: Relation): void {
    const alias = relation.alias.toLowerCase();
    if (this.relations.some((each) => each.alias.toLowerCase() === alias)) {
      throw new MysqlError(`Not unique table/alias: '${relation.alias}'`);
    }
    this.relations.push(relation);
  }

  /** Columns of this scope's own tables that a name may mean. */
  candidates(reference: ColumnExpression): ResolvedColumn[] {
    const [name, table] = [reference.name.toLowerCase(), reference.table?.toLowerCase() ?? null];
    return this.relations.flatMap((relation) => {
      if (table !== null && relation.alias.toLowerCase() !== table) return [];
      const column = relation.columns.find((each) => each.name.toLowerCase() === name);
      return column ? [{ relation, column, scope: this }] : [];
    });
  }

  /** @returns the column of this scope's own tables; null if there is none */
  own(reference: ColumnExpression, clause: Clause): ResolvedColumn | null {
    const merged = reference.table === null ? this.merged.get(reference.name.toLowerCase()) : undefined;
    if (merged) return merged;
    const found = this.candidates(reference);
    if (found.length > 1) throw new MysqlError(`Column '${displayName(reference)}' in ${clause} is ambiguous`);
    return found[0] ?? null;
  }

  /** Searches this scope and then the scopes around it. */
  find(reference: ColumnExpression, clause: Clause): ResolvedColumn | null {
    return this.own(reference, clause) ?? this.parent?.find(reference, clause) ?? null;
  }
}

export function unknownColumn(reference: ColumnExpression, place: string): MysqlError {
  return new MysqlError(`Unknown column '${displayName(reference)}' in '${place}'`);
}

function displayName({ database, table, name }: ColumnExpression): string {
  return [database, table, name].filter((part) => part !== null).join('.');
}

export function makeSchema(database: string, columns: Column[]): Schema {
  const tables = new Map<string, SchemaTable>();
  for (const column of columns) {
    const table = tables.get(column.table.toLowerCase()) ?? { name: column.table, columns: [] };
    table.columns.push(column);
    tables.set(column.table.toLowerCase(), table);
  }
  return { database, tables };
}

/** @throws MysqlError when the table does not exist; MySQL shows names of tables and databases in lower case */
export function findTable(schema: Schema, database: string | null, name: string): SchemaTable {
  const shown = (database ?? schema.database).toLowerCase();
  const table = shown === schema.database.toLowerCase() ? schema.tables.get(name.toLowerCase()) : undefined;
  if (!table) throw new MysqlError(`Table '${shown}.${name.toLowerCase()}' doesn't exist`);
  return table;
}

export function tableRelation(schema: Schema, table: SchemaTable, alias: string, sqlName: string): Relation {
  const primary = table.columns.filter(({ key }) => key === 'PRI').map(({ name }) => name.toLowerCase());
  const unique = table.columns
    .filter(({ key, nullable }) => key === 'UNI' && !nullable)
    .map(({ name }) => [name.toLowerCase()]);
  return {
    sqlName,
    alias,
    database: schema.database.toLowerCase(),
    columns: table.columns.map(({ name, type, padded, letters }) => ({
      name,
      type: { ...declaredType(type), padded, letters },
    })),
    keys: [...(primary.length ? [primary] : []), ...unique],
  };
}
