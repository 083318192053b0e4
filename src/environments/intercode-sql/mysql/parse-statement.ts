/** The statements that agents send: queries, the SHOW and DESCRIBE family, and what is refused. */
import { parseQuery } from './parse-query.ts';
import { Reader } from './reader.ts';
import type { Statement } from './syntax.ts';

const writing = [
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'CREATE',
  'DROP',
  'ALTER',
  'TRUNCATE',
  'RENAME',
  'GRANT',
  'REVOKE',
  'LOAD',
  'LOCK',
];
const known = [
  'EXPLAIN',
  'CALL',
  'KILL',
  'ANALYZE',
  'CHECK',
  'OPTIMIZE',
  'HANDLER',
  'PREPARE',
  'EXECUTE',
  'FLUSH',
  'RESET',
  'TABLE',
  'VALUES',
  'HELP',
];
const withoutResult = ['SET', 'COMMIT', 'ROLLBACK', 'BEGIN', 'START', 'UNLOCK', 'DO'];

/**
 * Reads one statement. A second one after a semicolon makes it `unsupported`, except after a statement without a result.
 * @param lenient for golds: see `Reader.lenient`
 * @throws MysqlError with MySQL's words
 */
export function parseStatement(query: string, lenient = false): Statement {
  const reader = new Reader(query, lenient, parseQuery);
  const { value } = reader.token;
  if (reader.isAny(...withoutResult)) return { kind: 'no-result' };
  if (reader.isAny(...writing)) return { kind: 'write', command: value, table: writtenTable(reader) };
  const statement = parseReading(reader);
  if (statement.kind === 'unsupported') return statement;
  if (reader.accept(';') && reader.token.kind !== 'end') {
    return { kind: 'unsupported', what: 'Use multi=True when executing multiple statements' };
  }
  if (reader.token.kind !== 'end') reader.fail();
  return statement;
}

function parseReading(reader: Reader): Statement {
  if (reader.isAny('SELECT', 'WITH', '(')) return { kind: 'query', query: parseTop(reader) };
  if (reader.accept('USE')) return { kind: 'use', database: reader.identifier() };
  if (
    reader.is('DESC') ||
    reader.is('DESCRIBE') ||
    (reader.is('EXPLAIN') && reader.isIdentifier(1) && !reader.is('FORMAT', 1))
  ) {
    reader.next();
    if (reader.isAny('SELECT', 'WITH')) return notOffered('EXPLAIN');
    const { database, name: table } = tableName(reader);
    const column = reader.isIdentifier()
      ? reader.identifier()
      : reader.token.kind === 'string'
        ? reader.next().value
        : null;
    return { kind: 'describe', database, table, column, full: false };
  }
  if (reader.accept('SHOW')) return parseShow(reader);
  if (reader.isAny(...known)) return notOffered(reader.token.value);
  return reader.fail();
}

function parseTop(reader: Reader) {
  const query = parseQuery(reader);
  if (reader.accept('FOR')) {
    if (!reader.accept('UPDATE')) reader.expect('SHARE');
  }
  return query;
}

function parseShow(reader: Reader): Statement {
  const full = reader.accept('FULL');
  if (reader.accept('TABLES')) {
    const database = fromDatabase(reader);
    return { kind: 'show-tables', database, like: likePattern(reader), full };
  }
  if (reader.accept('DATABASES') || reader.accept('SCHEMAS')) {
    likePattern(reader);
    return { kind: 'show-databases' };
  }
  if (reader.accept('COLUMNS') || reader.accept('FIELDS')) {
    if (!reader.accept('FROM')) reader.expect('IN');
    const { database, name: table } = tableName(reader);
    const other = fromDatabase(reader);
    return { kind: 'describe', database: other ?? database, table, column: likePattern(reader), full };
  }
  if (reader.accept('CREATE', 'TABLE')) return { kind: 'show-create', table: tableName(reader).name };
  if (reader.accept('INDEX') || reader.accept('INDEXES') || reader.accept('KEYS')) {
    if (!reader.accept('FROM')) reader.expect('IN');
    return { kind: 'show-index', table: tableName(reader).name };
  }
  const offered = [
    'CREATE',
    'VARIABLES',
    'STATUS',
    'TABLE',
    'GRANTS',
    'ENGINES',
    'PROCESSLIST',
    'WARNINGS',
    'ERRORS',
    'COLLATION',
    'GLOBAL',
    'SESSION',
  ];
  if (reader.isAny(...offered)) return notOffered(`SHOW ${reader.token.value}`);
  return reader.fail();
}

function tableName(reader: Reader): { database: string | null; name: string } {
  const first = reader.identifier();
  if (!reader.accept('.')) return { database: null, name: first };
  return { database: first, name: reader.identifierAfterDot() };
}

function fromDatabase(reader: Reader): string | null {
  return reader.accept('FROM') || reader.accept('IN') ? reader.identifier() : null;
}

function likePattern(reader: Reader): string | null {
  if (!reader.accept('LIKE')) return null;
  if (reader.token.kind !== 'string') reader.fail();
  return reader.next().value;
}

function notOffered(what: string): Statement {
  return {
    kind: 'unsupported',
    what: `${what} is not available in this environment; use SELECT, SHOW TABLES or DESCRIBE`,
  };
}

/** Name of the table that a writing statement is about, for MySQL's refusal; the command itself if none is found. */
function writtenTable(reader: Reader): string {
  const command = reader.next();
  while (
    reader.isAny(
      'INTO',
      'FROM',
      'TABLE',
      'IGNORE',
      'IF',
      'NOT',
      'EXISTS',
      'LOW_PRIORITY',
      'TEMPORARY',
      'VIEW',
      'INDEX',
      'DATABASE',
    )
  )
    reader.next();
  const { kind, text, value } = reader.token;
  return kind === 'word' ? text.toLowerCase() : kind === 'quoted-identifier' ? value.toLowerCase() : command.text;
}
