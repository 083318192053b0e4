/** Data that the compiler's parts pass to each other. */
import { quoteName } from './convert.ts';
import { MysqlError } from './reader.ts';
import type { Clause, RelationColumn, ResolvedColumn, Schema, Scope } from './scope.ts';
import type { Query } from './syntax.ts';
import type { SqlType } from './types.ts';

/** A column outside of all aggregates, with the SQL of every expression around it, from the inside out. */
export type BareColumn = { resolved: ResolvedColumn; within: string[] };

export type Compiled = {
  sql: string;
  type: SqlType;
  bare: BareColumn[];
  /** Whether it contains an aggregate of its own query. */
  aggregated: boolean;
};

export type CompiledQuery = {
  sql: string;
  columns: RelationColumn[];
  /** Columns of the queries around it that it uses. */
  outer: BareColumn[];
  /** Whether it can have no more than one row, whatever the data. */
  singleRow: boolean;
  /** Whether MySQL makes a table of it where it stands as one, rather than merge it into the query around it. */
  isMaterialised: boolean;
};

/** A select item as later clauses may name it; null if two different items share the name. */
export type NamedItem = { compiled: Compiled; position: number } | null;

export type CommonRelation = { sqlName: string; columns: RelationColumn[] };

/** Where an expression stands. */
export type Context = {
  schema: Schema;
  scope: Scope;
  clause: Clause;
  /** What MySQL's messages call the place; absent: the clause. */
  place?: string;
  /** Select items by lower-case name, for the clauses that may use them. */
  items: Map<string, NamedItem>;
  /** SQL of the GROUP BY expressions. */
  groups: Set<string>;
  aggregates: 'allowed' | 'forbidden' | 'inside';
  compileSubquery(query: Query, scope: Scope): CompiledQuery;
};

/** An expression of these parts. */
export function combine(sql: string, type: SqlType, parts: Compiled[]): Compiled {
  return {
    sql,
    type,
    bare: parts.flatMap(({ bare }) => bare.map(({ resolved, within }) => ({ resolved, within: [...within, sql] }))),
    aggregated: parts.some(({ aggregated }) => aggregated),
  };
}

/**
 * A column. Decimals of a table are stored as SQLite stores numbers, and get their exact form here.
 * @throws MysqlError for a column that cannot be read
 */
export function columnOf(resolved: ResolvedColumn): Compiled {
  const { relation, column } = resolved;
  if (column.unavailable !== undefined) throw new MysqlError(column.unavailable);
  const name = `${relation.sqlName}.${quoteName(column.name)}`;
  const sql = relation.database !== '' && column.type.kind === 'decimal' ? `mysql_decimal(${name})` : name;
  return { sql, type: column.type, bare: [{ resolved, within: [sql] }], aggregated: false };
}
