/** The syntax tree of a MySQL query, for the part of the language that agents and golds use. */

/** Every expression carries the characters that it was read from: MySQL names unnamed columns by them. */
export type Expression = { text: string } & (
  | { kind: 'column'; database: string | null; table: string | null; name: string }
  | { kind: 'literal'; type: 'string' | 'integer' | 'decimal' | 'double' | 'null' | 'boolean'; value: string }
  | {
      kind: 'call';
      name: string;
      arguments: Expression[];
      star: boolean;
      distinct: boolean;
      orderBy: Order[];
      separator: string | null;
      over: Window | null;
    }
  | { kind: 'unary'; operator: '-' | '+' | 'NOT' | '~' | 'BINARY'; operand: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'between'; negated: boolean; operand: Expression; low: Expression; high: Expression }
  | { kind: 'in'; negated: boolean; operand: Expression; list: Expression[] | Query }
  | {
      kind: 'like';
      negated: boolean;
      regular: boolean;
      operand: Expression;
      pattern: Expression;
      escape: string | null;
    }
  | { kind: 'is'; negated: boolean; operand: Expression; what: 'NULL' | 'TRUE' | 'FALSE' }
  | { kind: 'exists'; query: Query }
  | { kind: 'subquery'; query: Query }
  | { kind: 'quantified'; operator: string; every: boolean; operand: Expression; query: Query }
  | {
      kind: 'case';
      operand: Expression | null;
      branches: { when: Expression; result: Expression }[];
      otherwise: Expression | null;
    }
  | { kind: 'cast'; operand: Expression; type: string; size: string[] }
  | { kind: 'collate'; operand: Expression; collation: string }
  | { kind: 'interval'; amount: Expression; unit: string }
  | { kind: 'row'; items: Expression[] }
);

export type ColumnExpression = Extract<Expression, { kind: 'column' }>;
export type CallExpression = Extract<Expression, { kind: 'call' }>;

export type Order = { expression: Expression; descending: boolean };

/** `frame` is the text of the frame clause, which both dialects share. */
export type Window = { partitionBy: Expression[]; orderBy: Order[]; frame: string };

export type SelectItem =
  | { kind: 'expression'; expression: Expression; alias: string | null }
  /** `*` or `table.*` */
  | { kind: 'star'; table: string | null };

export type TableReference =
  | { kind: 'table'; database: string | null; name: string; alias: string | null }
  | { kind: 'derived'; query: Query; alias: string; columns: string[] }
  | {
      kind: 'join';
      type: 'INNER' | 'LEFT' | 'RIGHT';
      natural: boolean;
      left: TableReference;
      right: TableReference;
      on: Expression | null;
      using: string[];
    };

export type CommonTable = { name: string; columns: string[]; query: Query };

export type Limit = { count: string; offset: string | null };

type Tail = { with: CommonTable[]; recursive: boolean; orderBy: Order[]; limit: Limit | null };

export type Select = Tail & {
  kind: 'select';
  distinct: boolean;
  items: SelectItem[];
  from: TableReference | null;
  where: Expression | null;
  groupBy: Expression[];
  having: Expression | null;
};

export type SetOperation = Tail & {
  kind: 'set';
  operator: 'UNION' | 'INTERSECT' | 'EXCEPT';
  all: boolean;
  left: Query;
  right: Query;
};

export type Query = Select | SetOperation;

/** What an agent may send. */
export type Statement =
  | { kind: 'query'; query: Query }
  | { kind: 'show-tables'; database: string | null; like: string | null; full: boolean }
  | { kind: 'use'; database: string }
  | { kind: 'show-databases' }
  | { kind: 'describe'; database: string | null; table: string; column: string | null; full: boolean }
  | { kind: 'show-create'; table: string }
  | { kind: 'show-index'; table: string }
  /** A statement without a result set, such as SET: it has no effect here. */
  | { kind: 'no-result' }
  /** A statement that would write. */
  | { kind: 'write'; command: string; table: string }
  /** Valid MySQL that this environment does not offer. */
  | { kind: 'unsupported'; what: string };
