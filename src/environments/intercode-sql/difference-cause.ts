/** Why an observation or a reward differs from the one that was recorded with MySQL. */
import { DatabaseSync } from '../../node-sqlite.ts';
import { readColumns } from './column.ts';
import type { QueryResult } from './connection.ts';
import type { SqlDataset } from './dataset.ts';
import {
  rowsOf,
  sameObservation,
  type ToleratedDifference,
  toleratedDifferences,
  withoutBytes,
} from './observation-difference.ts';
import { isTied } from './ties.ts';

export type DifferenceCause =
  | ToleratedDifference
  /** The recorded server had tables that the published dump lacks, left there by earlier agents. */
  | 'foreign-table'
  /** The same of columns. */
  | 'foreign-column'
  /** The recorded server showed all databases of the benchmark; here an agent sees its own. */
  | 'other-databases'
  /** An earlier agent had switched ONLY_FULL_GROUP_BY off for the shared connection. */
  | 'session-sql-mode'
  /** LIMIT cut rows that tie, in an order that the query does not determine. */
  | 'tie-order'
  /** The statement changes data: the recorded server did it, and here it is refused. */
  | 'write-refused'
  /** MySQL gave a result, and here the statement is an error. */
  | 'refused'
  | 'other';

export const isTolerated = (cause: DifferenceCause): cause is ToleratedDifference => toleratedDifferences.has(cause);

/** Runs a query on a database of the dataset. */
export type RunOn = (db: string, query: string) => Promise<QueryResult>;

export class DifferenceCauses {
  readonly #dataset: SqlDataset;
  readonly #run: RunOn;
  readonly #columns = new Map<string, ReadonlySet<string>>();
  readonly #added: ReadonlyMap<string, ReadonlySet<string>>;

  /** @param statements all that were recorded: those that added columns explain what later agents saw */
  constructor(dataset: SqlDataset, run: RunOn, statements: Iterable<{ db: string; query: string }>) {
    this.#dataset = dataset;
    this.#run = run;
    this.#added = addedColumns(statements);
  }

  /** @returns null for equal observations */
  async causeOf(db: string, query: string, ours: string, recorded: string): Promise<DifferenceCause | null> {
    const missing = /Table '[^']*' doesn't exist/.exec(ours)?.[0];
    const same = sameObservation(ours, recorded);
    if (same === true) return null;
    if (missing !== undefined && !recorded.includes(missing)) return 'foreign-table';
    if (same !== false) return same.difference;
    if (/^\s*(show\s+databases|use\s)/i.test(query)) return 'other-databases';
    if (/^\s*show\s+(full\s+)?tables/i.test(query)) return causeOfTables(ours, recorded);
    if (this.#isForeignColumn(db, query, ours, recorded)) return 'foreign-column';
    if (ours.includes('only_full_group_by')) return 'session-sql-mode';
    if (ours.includes('command denied')) return 'write-refused';
    if (ours.startsWith('Error executing query:')) return 'refused';
    return (await isTied(query, false, (asked) => this.#run(db, asked))) ? 'tie-order' : 'other';
  }

  /** A column that no table of the dump has, or that an agent added to one of its tables. */
  #isForeignColumn(db: string, query: string, ours: string, recorded: string): boolean {
    const added = this.#added.get(db) ?? new Set();
    const unknown = /Unknown column '(?:[^']*\.)?([^'.]+)'/.exec(ours)?.[1]?.toLowerCase();
    if (unknown !== undefined) return added.has(unknown) || !this.#columnsOf(db).has(unknown);
    const isDescription = /^\s*(desc|describe|explain|show\s+(full\s+)?(columns|fields))\s/i.test(query);
    return isDescription && isPart(ours, recorded);
  }

  #columnsOf(db: string): ReadonlySet<string> {
    const known = this.#columns.get(db);
    if (known) return known;
    const database = new DatabaseSync(this.#dataset.databasePath(db), { readOnly: true });
    try {
      const names = new Set(readColumns(database).map(({ name }) => name.toLowerCase()));
      this.#columns.set(db, names);
      return names;
    } finally {
      database.close();
    }
  }
}

/** After USE of another database its tables were shown. */
function causeOfTables(ours: string, recorded: string): DifferenceCause {
  if (isPart(ours, recorded)) return 'foreign-table';
  const theirs = new Set(rowsOf(withoutBytes(recorded)));
  return theirs.isDisjointFrom(new Set(rowsOf(ours))) ? 'other-databases' : 'other';
}

/** Whether the recorded rows are all of ours and more. */
function isPart(ours: string, recorded: string): boolean {
  const [own, theirs] = [rowsOf(ours), new Set(rowsOf(withoutBytes(recorded)))];
  return own !== null && own.length < theirs.size && own.every((row) => theirs.has(row));
}

function addedColumns(statements: Iterable<{ db: string; query: string }>): Map<string, Set<string>> {
  const added = new Map<string, Set<string>>();
  for (const { db, query } of statements) {
    const column = /^\s*alter\s+table\s+\S+\s+add\s+(?:column\s+)?`?(\w+)/i.exec(query)?.[1];
    if (column === undefined) continue;
    added.set(db, (added.get(db) ?? new Set()).add(column.toLowerCase()));
  }
  return added;
}
