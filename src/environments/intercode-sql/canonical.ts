/**
 * One text for all ways to write a query: keywords and names in lower case, table aliases numbered, names of output columns left out where
 * nothing but order depends on them, white space, comments and the final semicolon gone. String literals stay as they are.
 */

import type { Action } from '../../domain/action.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { parseStatement } from './mysql/parse-statement.ts';
import type { Query, Statement } from './mysql/syntax.ts';
import { tokenize } from './mysql/tokenizer.ts';

export function canonicalAction(action: Action): string {
  const { query } = action.arguments;
  if (action.tool !== 'execute_sql' || typeof query !== 'string') return canonicalJson(action);
  return `execute_sql ${canonicalQuery(query)}`;
}

export function canonicalQuery(query: string): string {
  let statement: Statement;
  try {
    statement = parseStatement(query);
  } catch {
    return tokensText(query);
  }
  if (statement.kind === 'query')
    return canonicalJson(canonicalTree(statement.query, new Map(), { count: 0 }) as never);
  if (statement.kind === 'show-tables' || statement.kind === 'describe') return JSON.stringify(statement).toLowerCase();
  return tokensText(query);
}

/** For what does not parse: its tokens, words in lower case. */
function tokensText(query: string): string {
  const tokens = tokenize(query).filter(({ kind }) => kind !== 'end');
  if (tokens.at(-1)?.text === ';') tokens.pop();
  return tokens
    .map(({ kind, text, value }) =>
      kind === 'string'
        ? JSON.stringify(value)
        : kind === 'quoted-identifier'
          ? value.toLowerCase()
          : text.toLowerCase(),
    )
    .join(' ');
}

type Aliases = Map<string, string>;

/** The query's tree with its own names for tables; `text` members go, because they hold the original spelling. */
function canonicalTree(query: Query, outer: Aliases, counter: { count: number }): unknown {
  const aliases = new Map(outer);
  const rename = (name: string) => aliases.get(name.toLowerCase()) ?? name.toLowerCase();
  const declare = (name: string) => {
    counter.count += 1;
    aliases.set(name.toLowerCase(), `#${counter.count}`);
  };
  const isQuery = (value: object): value is Query =>
    'kind' in value && (value.kind === 'select' || value.kind === 'set') && 'orderBy' in value;

  const declareTables = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as { kind?: string; alias?: string | null; name?: string; left?: unknown; right?: unknown };
    if (node.kind === 'table') declare(node.alias ?? node.name ?? '');
    else if (node.kind === 'derived') declare(node.alias ?? '');
    else if (node.kind === 'join') [node.left, node.right].forEach(declareTables);
  };
  if (query.kind === 'select') declareTables(query.from);

  const itemNames = new Map<string, number>();
  if (query.kind === 'select') {
    query.items.forEach((item, index) => {
      if (item.kind === 'expression' && item.alias !== null) itemNames.set(item.alias.toLowerCase(), index + 1);
    });
  }

  /** @param named whether a bare name may mean a select item here */
  const walk = (value: unknown, named: boolean): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => walk(each, named));
    if (isQuery(value)) return canonicalTree(value, aliases, counter);
    const node = value as { [key: string]: unknown; kind?: string };
    if (node.kind === 'literal') return { kind: 'literal', type: node.type, value: node.value };
    if (node.kind === 'column') {
      const name = String(node.name).toLowerCase();
      const place = named && node.table === null ? itemNames.get(name) : undefined;
      return place === undefined
        ? { column: name, table: node.table === null ? null : rename(String(node.table)) }
        : { item: place };
    }
    if (node.kind === 'table')
      return { table: String(node.name).toLowerCase(), as: rename(String(node.alias ?? node.name)) };
    const entries = Object.entries(node).filter(([key]) => key !== 'text' && key !== 'alias');
    return Object.fromEntries(
      entries.map(([key, member]) => {
        if (key === 'table' && typeof member === 'string') return [key, rename(member)];
        if (key === 'using' || key === 'columns') return [key, (member as string[]).map((name) => name.toLowerCase())];
        return [key, walk(member, named)];
      }),
    );
  };
  const late = new Set(['groupBy', 'having', 'orderBy']);
  return Object.fromEntries(Object.entries(query).map(([key, member]) => [key, walk(member, late.has(key))]));
}
