/** Compares this environment with a MariaDB server, statement by statement. */
import { join } from 'node:path';
import type { Connection as ServerConnection } from 'mysql2/promise';
import { Connection } from '../../src/environments/intercode-sql/connection.ts';
import { type DumpDatabase, writeDatabase } from '../../src/environments/intercode-sql/import-dump.ts';
import { isTied } from '../../src/environments/intercode-sql/ties.ts';
import { type Answer, limits, ownAnswer, serverAnswer } from './answer.ts';
import { loadInterCode, loadSpider, quote } from './databases.ts';
import { knownDifferences } from './known-differences.ts';
import { type Server, sqlMode } from './server.ts';
import { type RandomStatement, randomStatement } from './statements.ts';

export type Verdict = {
  /**
   * `known`: a difference between MariaDB and MySQL 8, named by its rule. `refused`: an error here, and rows there. `both-refuse`: both are
   * errors. `other`: another result, or rows here and an error there.
   */
  kind: 'equal' | 'known' | 'refused' | 'both-refuse' | 'other';
  database: string;
  statement: RandomStatement;
  rule: string | null;
  ours: Answer;
  theirs: Answer;
};

const withoutFullGroupBy = sqlMode.replace('ONLY_FULL_GROUP_BY,', '');

export class Comparison {
  readonly databases: DumpDatabase[];
  readonly #server: ServerConnection;
  readonly #connections: Map<string, Connection>;

  private constructor(databases: DumpDatabase[], server: ServerConnection, connections: Map<string, Connection>) {
    this.databases = databases;
    this.#server = server;
    this.#connections = connections;
  }

  /** @param folders of InterCode's data and of Spider's, either of which may be missing */
  static async open(
    server: Server,
    folders: { interCode: string | null; spider: string | null },
    into: string,
  ): Promise<Comparison> {
    const connection = await server.connect();
    const databases = [
      ...(folders.interCode === null ? [] : await loadInterCode(folders.interCode, connection)),
      ...(folders.spider === null ? [] : await loadSpider(folders.spider, connection)),
    ];
    await connection.query(
      `SET SESSION sql_mode = '${sqlMode}', time_zone = '+00:00', max_statement_time = 20, group_concat_max_len = 1024`,
    );
    const connections = new Map<string, Connection>();
    for (const database of databases) {
      await writeDatabase(into, database);
      connections.set(database.name, new Connection(join(into, `${database.name}.sqlite`), database.name));
    }
    return new Comparison(databases, connection, connections);
  }

  /** Random statements, each on the next of the databases that have rows. */
  async run(count: number): Promise<Verdict[]> {
    const filled = this.databases.filter(({ tables }) => tables.some(({ rows }) => rows.length > 0));
    const verdicts: Verdict[] = [];
    for (let seed = 0; seed < count; seed++) {
      const database = filled[seed % filled.length]!;
      verdicts.push(await this.compare(database.name, randomStatement(database, seed)));
    }
    return verdicts;
  }

  async compare(database: string, statement: RandomStatement): Promise<Verdict> {
    const ours = ownAnswer(this.#connections.get(database)!, statement.sql);
    const theirs = await this.#theirs(database, statement.sql);
    return { database, statement, ours, theirs, ...verdict(statement, ours, theirs) };
  }

  /** Whether a LIMIT cuts rows that tie, so that each server may answer with others. */
  async isTied(database: string, sql: string): Promise<boolean> {
    const connection = this.#connections.get(database)!;
    return await isTied(sql, false, async (query) => connection.run(query, limits));
  }

  /** MariaDB knows no functional dependence: what it rejects for GROUP BY is asked again without the rule. */
  async #theirs(database: string, sql: string): Promise<Answer> {
    await this.#server.query(`USE ${quote(database)}`);
    const answer = await serverAnswer(this.#server, sql);
    if (answer.kind === 'rows' || !/isn't in GROUP BY|Mixing of GROUP columns/.test(answer.message)) return answer;
    await this.#server.query(`SET SESSION sql_mode = '${withoutFullGroupBy}'`);
    const again = await serverAnswer(this.#server, sql);
    await this.#server.query(`SET SESSION sql_mode = '${sqlMode}'`);
    return again;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    await this.#server.end();
  }
}

function verdict({ sql, ordered }: RandomStatement, ours: Answer, theirs: Answer): Pick<Verdict, 'kind' | 'rule'> {
  if (ours.kind === 'error') return { kind: theirs.kind === 'error' ? 'both-refuse' : 'refused', rule: null };
  if (theirs.kind === 'error') return { kind: 'other', rule: null };
  const [own, other] = [ours.rows, theirs.rows].map((rows) => (ordered ? rows : [...rows].sort())) as [
    string[],
    string[],
  ];
  if (own.join('\n') === other.join('\n')) return { kind: 'equal', rule: null };
  const known = knownDifferences.find(({ concerns, explains }) => concerns.test(sql) && explains(own, other));
  return known ? { kind: 'known', rule: known.rule } : { kind: 'other', rule: null };
}
