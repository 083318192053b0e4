import type { Query } from './syntax.ts';
import { type Token, tokenize } from './tokenizer.ts';

/** MySQL's words about a query that it does not run. */
export class MysqlError extends Error {}

/** MySQL's complaint about a query that it cannot parse. */
export class MysqlSyntaxError extends MysqlError {
  constructor(query: string, offset: number) {
    const near = query.trimEnd().slice(offset, offset + 80);
    const line = query.slice(0, offset).split('\n').length;
    super(
      'You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version ' +
        `for the right syntax to use near '${near}' at line ${line}`,
    );
  }
}

/** Words that cannot be names unless they are quoted. Source: MySQL 8.0 reference manual, "Keywords and Reserved Words". */
const reserved = new Set(
  `ACCESSIBLE ADD ALL ALTER ANALYZE AND AS ASC ASENSITIVE BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL CASCADE CASE CHANGE CHAR
  CHARACTER CHECK COLLATE COLUMN CONDITION CONSTRAINT CONTINUE CONVERT CREATE CROSS CUBE CUME_DIST CURRENT_DATE CURRENT_TIME
  CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DATABASES DAY_HOUR DAY_MICROSECOND DAY_MINUTE DAY_SECOND DEC DECIMAL DECLARE DEFAULT
  DELAYED DELETE DENSE_RANK DESC DESCRIBE DETERMINISTIC DISTINCT DISTINCTROW DIV DOUBLE DROP DUAL EACH ELSE ELSEIF EMPTY ENCLOSED
  ESCAPED EXCEPT EXISTS EXIT EXPLAIN FALSE FETCH FIRST_VALUE FLOAT FLOAT4 FLOAT8 FOR FORCE FOREIGN FROM FULLTEXT FUNCTION GENERATED
  GET GRANT GROUP GROUPING GROUPS HAVING HIGH_PRIORITY HOUR_MICROSECOND HOUR_MINUTE HOUR_SECOND IF IGNORE IN INDEX INFILE INNER INOUT
  INSENSITIVE INSERT INT INT1 INT2 INT3 INT4 INT8 INTEGER INTERSECT INTERVAL INTO IO_AFTER_GTIDS IO_BEFORE_GTIDS IS ITERATE JOIN
  JSON_TABLE KEY KEYS KILL LAG LAST_VALUE LATERAL LEAD LEADING LEAVE LEFT LIKE LIMIT LINEAR LINES LOAD LOCALTIME LOCALTIMESTAMP LOCK
  LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MATCH MAXVALUE MEDIUMBLOB MEDIUMINT MEDIUMTEXT MIDDLEINT MINUTE_MICROSECOND MINUTE_SECOND
  MOD MODIFIES NATURAL NOT NO_WRITE_TO_BINLOG NTH_VALUE NTILE NULL NUMERIC OF ON OPTIMIZE OPTION OPTIONALLY OR ORDER OUT OUTER OUTFILE
  OVER PARTITION PERCENT_RANK PRECISION PRIMARY PROCEDURE PURGE RANGE RANK READ READS READ_WRITE REAL RECURSIVE REFERENCES REGEXP
  RELEASE RENAME REPEAT REPLACE REQUIRE RESIGNAL RESTRICT RETURN REVOKE RIGHT RLIKE ROW ROWS ROW_NUMBER SCHEMA SCHEMAS SECOND_MICROSECOND
  SELECT SENSITIVE SEPARATOR SET SHOW SIGNAL SMALLINT SPATIAL SPECIFIC SQL SQLEXCEPTION SQLSTATE SQLWARNING SQL_BIG_RESULT
  SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SSL STARTING STORED STRAIGHT_JOIN SYSTEM TABLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO
  TRAILING TRIGGER TRUE UNDO UNION UNIQUE UNLOCK UNSIGNED UPDATE USAGE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES VARBINARY
  VARCHAR VARCHARACTER VARYING VIRTUAL WHEN WHERE WHILE WINDOW WITH WRITE XOR YEAR_MONTH ZEROFILL`.split(/\s+/),
);

/** Words that cannot be names even in a lenient reading, because they shape the query. */
const structural = new Set(
  `ALL AND AS ASC BETWEEN BY CASE CROSS DESC DISTINCT ELSE EXCEPT EXISTS FROM GROUP HAVING IN INNER INTERSECT IS JOIN LEFT LIKE LIMIT
  NATURAL NOT NULL ON OR ORDER OUTER RIGHT SELECT THEN UNION USING WHEN WHERE WITH`.split(/\s+/),
);

/** Walks over the tokens of one query. */
export class Reader {
  readonly query: string;
  /** For golds that were written for SQLite: most reserved words may be names, and functions may stand apart from their parenthesis. */
  readonly lenient: boolean;
  /** Reads a whole query: expressions contain queries, which contain expressions. */
  readonly parseQuery: () => Query;
  readonly #tokens: Token[];
  #position = 0;

  constructor(query: string, lenient: boolean, parseQuery: (reader: Reader) => Query) {
    this.query = query;
    this.lenient = lenient;
    this.parseQuery = () => parseQuery(this);
    this.#tokens = tokenize(query);
  }

  get token(): Token {
    return this.#tokens[this.#position]!;
  }

  peek(distance = 1): Token {
    return this.#tokens[Math.min(this.#position + distance, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#position++;
    return token;
  }

  /** Whether this word or sign comes next. */
  is(value: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.value === value && (token.kind === 'word' || token.kind === 'symbol');
  }

  isAny(...values: string[]): boolean {
    return values.some((value) => this.is(value));
  }

  /** Takes these words or signs if they come next. */
  accept(...values: string[]): boolean {
    if (!values.every((value, index) => this.is(value, index))) return false;
    this.#position += values.length;
    return true;
  }

  expect(...values: string[]): void {
    for (const value of values) if (!this.accept(value)) this.fail();
  }

  isIdentifier(distance = 0): boolean {
    const token = this.peek(distance);
    return (
      token.kind === 'quoted-identifier' ||
      (token.kind === 'word' && !(this.lenient ? structural : reserved).has(token.value))
    );
  }

  identifier(): string {
    if (!this.isIdentifier()) this.fail();
    const token = this.next();
    return token.kind === 'word' ? token.text : token.value;
  }

  /** After a dot every word is a name. */
  identifierAfterDot(): string {
    if (this.token.kind !== 'word' && this.token.kind !== 'quoted-identifier') this.fail();
    const token = this.next();
    return token.kind === 'word' ? token.text : token.value;
  }

  /** Items separated by commas, at least one. */
  list<Item>(read: () => Item): Item[] {
    const items = [read()];
    while (this.accept(',')) items.push(read());
    return items;
  }

  /** Characters of the query from an offset up to the last token taken. */
  textFrom(start: number): string {
    return this.query.slice(start, this.#tokens[this.#position - 1]?.end ?? start);
  }

  fail(token: Token = this.token): never {
    throw new MysqlSyntaxError(this.query, token.start);
  }
}
