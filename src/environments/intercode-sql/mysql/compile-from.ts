/** FROM clauses: which tables a query sees, how they join, and what is equal in every row. */
import { comparable, type Operand } from './compare.ts';
import { type Compiled, columnOf } from './compiled.ts';
import { truth } from './convert.ts';
import type { Equality } from './full-group-by.ts';
import { MysqlError } from './reader.ts';
import { type Relation, type RelationColumn, type ResolvedColumn, Scope } from './scope.ts';
import type { Expression, TableReference } from './syntax.ts';

export type From = {
  /** Completed by `finish`, because MySQL resolves join conditions after the select list. */
  finish(): string;
  relations: Relation[];
  /** Output columns of `*` in MySQL's order: merged ones first. */
  columns: ResolvedColumn[];
};

export type FromTools = {
  scope: Scope;
  /** The relation of a base table, common table or derived table, with its SQL after FROM. */
  relation(reference: Exclude<TableReference, { kind: 'join' }>): { relation: Relation; sql: string };
  condition(expression: Expression, scope: Scope): Compiled;
  equalities: Equality[];
};

export function compileFrom(reference: TableReference, tools: FromTools): From {
  if (reference.kind !== 'join') {
    const { relation, sql } = tools.relation(reference);
    tools.scope.add(relation);
    const columns = relation.columns.map((column) => ({ relation, column, scope: tools.scope }));
    return { finish: () => sql, relations: [relation], columns };
  }
  const left = compileFrom(reference.left, tools);
  const right = compileFrom(reference.right, tools);
  const relations = [...left.relations, ...right.relations];
  const using = reference.natural ? commonNames(left.columns, right.columns) : reference.using;
  const pairs = using.map((name) => [side(left, name), side(right, name)] as const);
  for (const [first, second] of pairs) {
    const kept = reference.type === 'RIGHT' ? second : first;
    tools.scope.merged.set(kept.column.name.toLowerCase(), kept);
    noteEquality(tools.equalities, [first, second], reference.type);
  }
  const merged = new Set(pairs.flat().map((each) => each.column));
  const columns = [
    ...pairs.map(([first, second]) => (reference.type === 'RIGHT' ? second : first)),
    ...[...left.columns, ...right.columns].filter(({ column }) => !merged.has(column)),
  ];
  const finish = () => {
    const conditions = pairs.map(([first, second]) => comparable('=', operandOf(first), operandOf(second)).join(' = '));
    if (reference.on) {
      // A join condition sees only the tables of its join.
      const scope = new Scope(tools.scope.parent);
      scope.relations.push(...relations);
      for (const [name, column] of tools.scope.merged)
        if (relations.includes(column.relation)) scope.merged.set(name, column);
      conditions.push(truth(tools.condition(reference.on, scope)));
      collectEqualities(reference.on, scope, tools.equalities, reference.type, left.relations);
    }
    // Of several faulty conditions MySQL reports that of the last join.
    const [leftSql, rightSql] = [left.finish(), right.finish()];
    const nested = reference.right.kind === 'join' ? `(${rightSql})` : rightSql;
    return `${leftSql} ${reference.type} JOIN ${nested}${conditions.length ? ` ON ${conditions.join(' AND ')}` : ''}`;
  };
  return { finish, relations, columns };
}

function operandOf(resolved: ResolvedColumn): Operand {
  const { relation, column } = resolved;
  return {
    compiled: columnOf(resolved),
    expression: { kind: 'column', database: null, table: relation.alias, name: column.name, text: column.name },
  };
}

function commonNames(left: ResolvedColumn[], right: ResolvedColumn[]): string[] {
  const names = new Set(right.map(({ column }) => column.name.toLowerCase()));
  return left.map(({ column }) => column.name).filter((name) => names.has(name.toLowerCase()));
}

function side({ columns }: From, name: string): ResolvedColumn {
  const found = columns.filter(({ column }) => column.name.toLowerCase() === name.toLowerCase());
  if (found.length > 1) throw new MysqlError(`Column '${name}' in from clause is ambiguous`);
  if (!found[0]) throw new MysqlError(`Unknown column '${name}' in 'from clause'`);
  return found[0];
}

/** Equalities between columns, or between a column and a constant, that a condition demands by itself (joined only by AND). */
export function collectEqualities(
  condition: Expression,
  scope: Scope,
  equalities: Equality[],
  type: 'INNER' | 'LEFT' | 'RIGHT',
  leftRelations: Relation[],
): void {
  if (condition.kind !== 'binary') return;
  if (condition.operator === 'AND') {
    collectEqualities(condition.left, scope, equalities, type, leftRelations);
    collectEqualities(condition.right, scope, equalities, type, leftRelations);
    return;
  }
  if (condition.operator !== '=') return;
  const columns = [condition.left, condition.right].flatMap((each) => {
    const found = each.kind === 'column' ? scope.own(each, 'where clause') : null;
    return found ? [found] : [];
  });
  const constant = [condition.left, condition.right].some(({ kind }) => kind === 'literal');
  if (columns.length === 2) {
    noteEquality(
      equalities,
      columns.sort((a, b) => Number(leftRelations.includes(b.relation)) - Number(leftRelations.includes(a.relation))),
      type,
    );
  } else if (columns.length === 1 && constant && type === 'INNER') equalities.push({ columns, oneWay: false });
}

/** In an outer join, only the kept side determines the other. */
function noteEquality(equalities: Equality[], [left, right]: ResolvedColumn[], type: 'INNER' | 'LEFT' | 'RIGHT'): void {
  if (!left || !right) return;
  equalities.push({ columns: type === 'RIGHT' ? [right, left] : [left, right], oneWay: type !== 'INNER' });
}

/** @throws MysqlError when two columns of a derived table share a name */
export function checkColumnNames(columns: RelationColumn[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) throw new MysqlError(`Duplicate column name '${name}'`);
    seen.add(name.toLowerCase());
  }
}
