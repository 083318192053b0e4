/** MySQL queries to SQLite queries. Clauses are resolved in MySQL's order, so that of several mistakes MySQL's own choice is reported. */

import { compileExpression } from './compile-expression.ts';
import { checkColumnNames, collectEqualities, compileFrom, type From } from './compile-from.ts';
import { recursiveArms, setArms, setTail } from './compile-set.ts';
import {
  type CommonRelation,
  type Compiled,
  type CompiledQuery,
  type Context,
  columnOf,
  type NamedItem,
} from './compiled.ts';
import { quoteName, settled, settledType, truth } from './convert.ts';
import { distinctRows } from './distinct.ts';
import { checkFullGroupBy, displayName, type Equality } from './full-group-by.ts';
import { informationRelation, informationSchema } from './information-schema.ts';
import { groupedBy, limitSql, orderedBy, placeOf } from './order.ts';
import { MysqlError } from './reader.ts';
import {
  type Clause,
  findTable,
  type Relation,
  type RelationColumn,
  type Schema,
  Scope,
  tableRelation,
} from './scope.ts';
import type { CommonTable, Expression, Order, Query, Select, SetOperation, TableReference } from './syntax.ts';
import { commonType } from './types.ts';

/** A query around the one that is compiled. */
type Surroundings = {
  scope: Scope | null;
  common: Map<string, CommonRelation>;
  /** Whether the query defines a recursive common table. */
  recursive?: boolean;
};

export class QueryCompiler {
  readonly #schema: Schema;
  /** For golds written for SQLite: see `translate`. */
  readonly #lenient: boolean;
  #relationCount = 0;
  /** Names of the base tables that the query reads. */
  readonly tables = new Set<string>();

  constructor(schema: Schema, lenient: boolean) {
    this.#schema = schema;
    this.#lenient = lenient;
  }

  /** @throws MysqlError in MySQL's words */
  compile(query: Query): CompiledQuery {
    this.#checkTables(query, commonNames(query));
    return this.#query(query, { scope: null, common: new Map() });
  }

  /** MySQL opens all tables of a statement before it looks at any column. */
  #checkTables(node: unknown, common: Set<string>): void {
    if (typeof node !== 'object' || node === null) return;
    const { kind, database, name } = node as { kind?: string; database?: string | null; name?: string };
    const isOwn = kind === 'table' && name !== undefined && !common.has(name.toLowerCase());
    if (isOwn && database?.toLowerCase() !== informationSchema) findTable(this.#schema, database ?? null, name);
    for (const member of Object.values(node)) this.#checkTables(member, common);
  }

  #query(query: Query, surroundings: Surroundings): CompiledQuery {
    const common = new Map(surroundings.common);
    const definitions = query.with.map((table) =>
      this.#commonTable(table, query.recursive, { ...surroundings, common }),
    );
    const inner = { ...surroundings, common, recursive: surroundings.recursive && query.kind === 'set' };
    const compiled = query.kind === 'select' ? this.#select(query, inner) : this.#setOperation(query, inner);
    if (!definitions.length) return compiled;
    return { ...compiled, sql: `WITH ${query.recursive ? 'RECURSIVE ' : ''}${definitions.join(', ')} ${compiled.sql}` };
  }

  /** Registers a common table and gives its definition. A recursive one has the columns of its first arm. */
  #commonTable(table: CommonTable, recursive: boolean, surroundings: Surroundings): string {
    const sqlName = this.#newName();
    const named = (compiled: CompiledQuery): RelationColumn[] => {
      const { columns } = compiled;
      if (table.columns.length && table.columns.length !== columns.length) {
        throw new MysqlError(
          'In definition of view, derived table or common table expression, SELECT list and column names list have different column counts',
        );
      }
      return tableColumns(compiled).map(({ name, type }, index) => ({ name: table.columns[index] ?? name, type }));
    };
    const name = table.name.toLowerCase();
    if (recursive && table.query.kind === 'set') {
      surroundings.common.set(name, { sqlName, columns: named(this.#query(table.query.left, surroundings)) });
    }
    const compiled = this.#query(table.query, { ...surroundings, recursive });
    const columns = named(compiled);
    checkColumnNames(columns);
    surroundings.common.set(name, { sqlName, columns });
    return `${sqlName}(${columns.map((column) => quoteName(column.name)).join(', ')}) AS (${tableOf(compiled, null)})`;
  }

  #newName(): string {
    this.#relationCount += 1;
    return `t${this.#relationCount}`;
  }

  #select(select: Select, surroundings: Surroundings): CompiledQuery {
    const scope = new Scope(surroundings.scope);
    const equalities: Equality[] = [];
    const items = new Map<string, NamedItem>();
    const groups: Compiled[] = [];
    const context = (clause: Clause, aggregates: Context['aggregates'], at = scope): Context => ({
      schema: this.#schema,
      scope: at,
      clause,
      items: clause === 'field list' || clause === 'where clause' || clause === 'on clause' ? new Map() : items,
      groups: new Set(groups.map(({ sql }) => sql)),
      aggregates,
      compileSubquery: (query, around) => this.#query(query, { scope: around, common: surroundings.common }),
    });
    const from =
      select.from &&
      compileFrom(select.from, {
        scope,
        relation: (reference) => this.#relation(reference, surroundings),
        condition: (expression, at) => compileExpression(expression, context('on clause', 'forbidden', at)),
        equalities,
      });

    const outputs = this.#outputs(select, from, context('field list', 'allowed'));
    outputs.forEach(({ name, compiled }, index) => {
      const known = items.get(name.toLowerCase());
      if (known === undefined) items.set(name.toLowerCase(), { compiled, position: index + 1 });
      else if (known?.compiled.sql !== compiled.sql) items.set(name.toLowerCase(), null);
    });
    const where = select.where && compileExpression(select.where, context('where clause', 'forbidden'));
    if (select.where) collectEqualities(select.where, scope, equalities, 'INNER', []);
    const fromSql = from ? ` FROM ${from.finish()}` : '';
    for (const expression of select.groupBy)
      groups.push(this.#group(expression, outputs, context('group statement', 'forbidden')));
    const having = select.having && compileExpression(select.having, context('having clause', 'allowed'));
    const orderContext = context('order clause', 'allowed');
    const orders = select.orderBy.map((order) => this.#order(order, outputs, orderContext));

    const compiledItems = outputs.map(({ compiled }) => compiled);
    const orderParts = orders.flatMap(({ compiled }) => (compiled ? [compiled] : []));
    const grouped =
      groups.length > 0 ||
      [...compiledItems, ...orderParts, ...(having ? [having] : [])].some(({ aggregated }) => aggregated);
    if (grouped) checkFullGroupBy({ groups, relations: scope.relations, equalities }, compiledItems, orderParts);
    if (select.distinct && !this.#lenient) {
      checkDistinctOrder(
        compiledItems,
        orders.map(({ compiled }) => compiled),
      );
    }

    const list = (
      select.distinct ? distinctRows(compiledItems, this.#newName()) : compiledItems.map((item) => item.sql)
    ).map((sql, index) => `${sql} AS ${quoteName(outputs[index]!.name)}`);
    // SQLite has no HAVING without groups; it then means the same as WHERE.
    const filters = [where, grouped ? null : having].flatMap((filter) => (filter ? [truth(filter)] : []));
    const sql = [
      `SELECT ${select.distinct ? 'DISTINCT ' : ''}${list.join(', ')}${fromSql}`,
      filters.length ? `WHERE ${filters.join(' AND ')}` : '',
      groups.length ? `GROUP BY ${groups.map(groupedBy).join(', ')}` : '',
      having && grouped ? `HAVING ${truth(having)}` : '',
      orders.length ? `ORDER BY ${orders.map(({ sql: each }) => each).join(', ')}` : '',
      limitSql(select.limit),
    ];
    const parts = [...compiledItems, ...orderParts, ...groups, ...(where ? [where] : []), ...(having ? [having] : [])];
    return {
      sql: sql.filter((clause) => clause !== '').join(' '),
      columns: outputs.map(({ name, compiled }) => ({ name, type: compiled.type })),
      outer: parts.flatMap(({ bare }) => bare).filter(({ resolved }) => !scope.relations.includes(resolved.relation)),
      singleRow: select.limit?.count === '1' || (grouped && !groups.length) || !select.from,
      isMaterialised:
        grouped || select.distinct || select.limit !== null || !select.from || select.items.some(needsTable),
    };
  }

  #outputs(select: Select, from: From | null, context: Context): { name: string; compiled: Compiled }[] {
    return select.items.flatMap((item) => {
      if (item.kind === 'expression') {
        const { expression, alias } = item;
        const name = alias ?? (expression.kind === 'column' ? expression.name : expression.text);
        const compiled = compileExpression(expression, context);
        if ((compiled as { width?: number }).width! > 1 || expression.kind === 'row')
          throw new MysqlError('Operand should contain 1 column(s)');
        return [{ name, compiled }];
      }
      if (!from) throw new MysqlError('No tables used');
      const table = item.table?.toLowerCase() ?? null;
      const relation = from.relations.find(({ alias }) => alias.toLowerCase() === table);
      if (table !== null && !relation) throw new MysqlError(`Unknown table '${item.table}'`);
      const columns = relation
        ? relation.columns.map((column) => ({ relation, column, scope: context.scope }))
        : from.columns;
      return columns.map((resolved) => ({ name: resolved.column.name, compiled: columnOf(resolved) }));
    });
  }

  /** A whole number stands for the select item at that place. */
  #group(expression: Expression, outputs: { compiled: Compiled }[], context: Context): Compiled {
    const place = placeOf(expression);
    const compiled = place === null ? compileExpression(expression, context) : outputs[place - 1]?.compiled;
    if (!compiled) throw new MysqlError(`Unknown column '${expression.text}' in 'group statement'`);
    if (compiled.aggregated) throw new MysqlError(`Can't group on '${expression.text}'`);
    return compiled;
  }

  #order(
    { expression, descending }: Order,
    outputs: { compiled: Compiled }[],
    context: Context,
  ): { sql: string; compiled: Compiled | null } {
    const direction = descending ? ' DESC' : '';
    const place = placeOf(expression);
    if (place !== null) {
      const output = outputs[place - 1];
      if (!output) throw new MysqlError(`Unknown column '${expression.text}' in 'order clause'`);
      return { sql: orderedBy(output.compiled, place) + direction, compiled: null };
    }
    const compiled = compileExpression(expression, context);
    const position = outputs.findIndex((output) => output.compiled.sql === compiled.sql) + 1;
    return { sql: orderedBy(compiled, position) + direction, compiled };
  }

  #relation(
    reference: Exclude<TableReference, { kind: 'join' }>,
    surroundings: Surroundings,
  ): { relation: Relation; sql: string } {
    const sqlName = this.#newName();
    if (reference.kind === 'derived') {
      // A derived table does not see the tables next to it.
      const compiled = this.#query(reference.query, { scope: surroundings.scope, common: surroundings.common });
      const columns = tableColumns(compiled).map(({ name, type }, index) => ({
        name: reference.columns[index] ?? name,
        type,
      }));
      if (!this.#lenient) checkColumnNames(columns);
      const sql = `(${tableOf(compiled, reference.columns.length ? columns : null)})`;
      return {
        relation: { sqlName, alias: reference.alias, database: '', columns, keys: [] },
        sql: `${sql} AS ${sqlName}`,
      };
    }
    const common = reference.database === null ? surroundings.common.get(reference.name.toLowerCase()) : undefined;
    const alias = reference.alias ?? reference.name;
    if (common) {
      return {
        relation: { sqlName, alias, database: '', columns: common.columns, keys: [] },
        sql: `${common.sqlName} AS ${sqlName}`,
      };
    }
    if (reference.database?.toLowerCase() === informationSchema) {
      return informationRelation(this.#schema, reference.name, alias, sqlName);
    }
    const table = findTable(this.#schema, reference.database, reference.name);
    this.tables.add(table.name);
    return {
      relation: tableRelation(this.#schema, table, alias, sqlName),
      sql: `${quoteName(table.name)} AS ${sqlName}`,
    };
  }

  #setOperation(query: SetOperation, surroundings: Surroundings): CompiledQuery {
    if (query.all && query.operator !== 'UNION')
      throw new MysqlError(`${query.operator} ALL is not available in this environment`);
    const left = this.#query(query.left, surroundings);
    const right = this.#query(query.right, surroundings);
    if (left.columns.length !== right.columns.length) {
      throw new MysqlError('The used SELECT statements have a different number of columns');
    }
    const columns = left.columns.map(({ name, type }, index) => ({
      name,
      type: settledType(commonType([type, right.columns[index]!.type])),
    }));
    const arms = surroundings.recursive
      ? recursiveArms(query, left, right)
      : setArms(query, left, right, columns, this.#newName());
    return {
      sql: setTail(query, columns, arms),
      columns,
      outer: [...left.outer, ...right.outer],
      singleRow: query.limit?.count === '1',
      isMaterialised: true,
    };
  }
}

/** Lower-case names of all common tables that a statement defines anywhere. */
function commonNames(node: unknown, names = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return names;
  const tables = 'with' in node && Array.isArray(node.with) ? (node.with as CommonTable[]) : [];
  for (const { name } of tables) names.add(name.toLowerCase());
  for (const member of Object.values(node)) commonNames(member, names);
  return names;
}

/** Whether a select item keeps a derived table from being merged: it has a window or a query. Source: MySQL 8.0 manual, "Merging Derived Tables". */
function needsTable(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { kind, over } = node as { kind?: string; over?: unknown };
  return kind === 'select' || kind === 'set' || (over ?? null) !== null || Object.values(node).some(needsTable);
}

/** Columns of a query as a table: exact numbers have no more digits in it than are shown. */
function tableColumns({ columns, isMaterialised }: CompiledQuery): RelationColumn[] {
  return isMaterialised ? columns.map((column) => ({ ...column, type: settledType(column.type) })) : columns;
}

/** A query as a table, with its columns under these names or under their own. */
function tableOf(compiled: CompiledQuery, names: RelationColumn[] | null): string {
  const { sql, columns, isMaterialised } = compiled;
  const isSettled = !isMaterialised || columns.every(({ type }) => settled({ sql: '', type }) === '');
  if (!names && isSettled) return sql;
  const list = columns.map(({ name, type }, index) => {
    const column = `c${index + 1}`;
    return `${isSettled ? column : settled({ sql: column, type })} AS ${quoteName(names?.[index]?.name ?? name)}`;
  });
  return `WITH operand(${columns.map((_, index) => `c${index + 1}`).join(', ')}) AS (${sql}) SELECT ${list.join(', ')} FROM operand`;
}

/** @throws MysqlError when DISTINCT rows are ordered by what they do not contain */
function checkDistinctOrder(items: Compiled[], orders: (Compiled | null)[]): void {
  const selected = new Set(items.map(({ sql }) => sql));
  orders.forEach((order, index) => {
    const missing = order?.bare.find(({ within }) => !within.some((sql) => selected.has(sql)));
    if (!missing) return;
    throw new MysqlError(
      `Expression #${index + 1} of ORDER BY clause is not in SELECT list, references column '${displayName(missing)}' which is not in SELECT list; this is incompatible with DISTINCT`,
    );
  });
}
