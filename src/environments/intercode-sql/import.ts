/** Makes dataset folders from the benchmark files that users have: InterCode-SQL's, or Spider's training part. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { CruxError, errorText } from '../../errors.ts';
import { assertApart } from '../../imports/apart.ts';
import { type Fault, faultLines, readInputFile } from '../../imports/input-file.ts';
import { checkedAt, type LocatedJson, locatedJson } from '../../imports/located-json.ts';
import { Connection } from './connection.ts';
import { type DatasetFile, databaseName, type SqlDataset, type SqlTask } from './dataset.ts';
import { type DumpDatabase, parseDump, writeDatabase } from './import-dump.ts';
import { readSqliteDatabase } from './import-sqlite.ts';
import { isTied } from './ties.ts';
import { assertReplaceable, writeDataset } from './write-dataset.ts';

export type ImportProgress = { stage: 'databases' | 'golds'; done: number; total: number };
export type ImportOptions = {
  /** Folder with the benchmark's files. */
  from: string;
  /** Dataset folder that is made; an older dataset is replaced. Neither of the two folders may be in the other. */
  into: string;
  /** Gets the ids of the tasks before anything is written, and may refuse them by throwing. */
  check?: (taskIds: ReadonlySet<string>) => void;
  onProgress?: (progress: ImportProgress) => void;
};
export type ImportResult = {
  dataset: SqlDataset;
  databases: number;
  train: number;
  test: number;
  /** Tasks in no split because their gold returns no row. */
  emptyGolds: number;
  /** Tasks in no split because MySQL rejects their gold. */
  rejectedGolds: number;
  /** Tasks in a split whose gold is one of several right answers, because its LIMIT cuts rows that tie. */
  tiedGolds: string[];
};

const interCodeFiles = ['ic_spider_dev.json', 'ic_spider_dbs.sql'] as const;
const spiderFiles = ['tasks.json', 'databases'] as const;

/** Share of the tasks whose databases are held out as the test split. Source: ours. */
const testShare = 0.3;
const splitSeed = 'intercode-sql-1';
const goldLimits = { rows: 100_000, characters: 64_000_000 };

const text = z.string().trim().min(1);
const interCodeTasks = z.array(z.object({ db: z.string(), gold: text, query: text, hardness: z.string().nullish() }));
const spiderTasks = z.array(
  z.object({ id: z.union([z.number(), z.string()]), db: z.string(), gold: text, query: text }),
);

/**
 * Imports whichever of the two benchmarks the folder holds. Nothing is written before all files have been read and checked.
 * @throws CruxError `User.NotFound` when it holds neither, or one that is not in its form; `User.Config` for a place that cannot be written
 */
export async function importSqlDataset(options: ImportOptions): Promise<ImportResult> {
  const holds = (files: readonly string[]) => files.every((file) => existsSync(join(options.from, file)));
  if (holds(interCodeFiles)) return await importInterCode(options);
  if (holds(spiderFiles)) return await importSpiderTrain(options);
  const what = `${options.from} holds no SQL benchmark: expected ${interCodeFiles.join(' and ')} (InterCode-SQL), or ${spiderFiles.join(' and ')}/ (Spider).`;
  throw new CruxError('User.NotFound', what, { remedy: 'Name the folder with these files.' });
}

/**
 * InterCode-SQL: 1,034 tasks on 20 databases. A task's id is its index in the file. Whole databases are held out, because most tasks share
 * their gold with a paraphrase on the same database.
 * @throws CruxError `User.NotFound` when a file is missing or not in its form
 */
export async function importInterCode(options: ImportOptions): Promise<ImportResult> {
  const [tasksFile, dumpFile] = interCodeFiles.map((file) => benchmarkFile(options.from, file, interCodeFiles)) as [
    string,
    string,
  ];
  const file = readTasks(tasksFile, interCodeTasks);
  const tasks = file.tasks.map(({ db, gold, query, hardness }, index) => {
    return { id: String(index), db, question: query, gold, difficulty: hardness ?? null };
  });
  const databases = readDump(dumpFile);
  assertWhole(
    tasks,
    databases.map(({ name }) => name),
    file,
    dumpFile,
  );
  return await importWith(
    options,
    'intercode-sql',
    'InterCode-SQL (princeton-nlp/intercode, MIT; Spider data CC BY-SA 4.0)',
    'mysql',
    tasks,
    async (folder, report) => {
      for (const [index, database] of databases.entries()) {
        await writeDatabase(folder, database);
        report(index + 1, databases.length);
      }
    },
  );
}

/**
 * Spider's training part: `tasks.json` next to `databases/<db>.sqlite`. All tasks are train.
 * @throws CruxError `User.NotFound` when a file is missing or not in its form
 */
export async function importSpiderTrain(options: ImportOptions): Promise<ImportResult> {
  const [tasksFile, folderOfDatabases] = spiderFiles.map((file) => benchmarkFile(options.from, file, spiderFiles)) as [
    string,
    string,
  ];
  const file = readTasks(tasksFile, spiderTasks);
  const tasks = file.tasks.map(({ id, db, gold, query }) => ({
    id: String(id),
    db,
    question: query,
    gold,
    difficulty: null,
  }));
  const names = [...new Set(tasks.map(({ db }) => db))];
  assertWhole(tasks, names, file, tasksFile);
  const pathOf = (name: string) => benchmarkFile(folderOfDatabases, `${name}.sqlite`, [`${name}.sqlite`]);
  for (const name of names) pathOf(name);
  return await importWith(
    options,
    'spider-train',
    'Spider training questions (Spider-Syn, MIT) and databases (Apache-2.0; Spider data CC BY-SA 4.0)',
    'sqlite',
    tasks,
    async (folder, report) => {
      for (const [index, name] of names.entries()) {
        await writeDatabase(folder, readForeign(pathOf(name), name));
        report(index + 1, names.length);
        await setImmediate();
      }
    },
  );
}

type BareTask = Omit<SqlTask, 'split' | 'emptyGold'>;

async function importWith(
  { from, into, check, onProgress }: ImportOptions,
  name: string,
  source: string,
  goldDialect: DatasetFile['goldDialect'],
  bareTasks: BareTask[],
  writeDatabases: (folder: string, report: (done: number, total: number) => void) => Promise<void>,
): Promise<ImportResult> {
  assertApart(from, into);
  assertReplaceable(into);
  check?.(new Set(bareTasks.map(({ id }) => id)));
  let rejectedGolds = 0;
  const tiedGolds: string[] = [];
  const lenient = goldDialect === 'sqlite';
  const dataset = await writeDataset(into, async (folder) => {
    await writeDatabases(folder, (done, total) => onProgress?.({ stage: 'databases', done, total }));
    const tasks: SqlTask[] = [];
    const connections = new Map<string, Connection>();
    const run = ({ db }: BareTask, query: string) => {
      const connection = connections.get(db) ?? new Connection(join(folder, `${db}.sqlite`), db);
      connections.set(db, connection);
      return connection.run(query, goldLimits, lenient);
    };
    try {
      for (const [index, task] of bareTasks.entries()) {
        const result = run(task, task.gold);
        if (result.kind !== 'rows') rejectedGolds += 1;
        const emptyGold = result.kind !== 'rows' || result.rows.length === 0;
        tasks.push({ ...task, split: 'train', emptyGold });
        if (!emptyGold && (await isTied(task.gold, lenient, (query) => run(task, query)))) tiedGolds.push(task.id);
        if (index % 50 === 49 || index === bareTasks.length - 1) {
          onProgress?.({ stage: 'golds', done: index + 1, total: bareTasks.length });
          await setImmediate();
        }
      }
    } finally {
      for (const connection of connections.values()) connection.close();
    }
    const held = goldDialect === 'mysql' ? heldOutDatabases(tasks) : new Set<string>();
    return {
      schemaVersion: 1,
      name,
      source,
      goldDialect,
      tasks: tasks.map((task) => ({ ...task, split: held.has(task.db) ? 'test' : 'train' })),
    };
  });
  const usable = dataset.tasks.filter(({ emptyGold }) => !emptyGold);
  const train = usable.filter(({ split }) => split === 'train').length;
  return {
    dataset,
    databases: new Set(dataset.tasks.map(({ db }) => db)).size,
    train,
    test: usable.length - train,
    emptyGolds: dataset.tasks.length - usable.length - rejectedGolds,
    rejectedGolds,
    tiedGolds,
  };
}

/** Databases in a seeded order, taken as long as their usable tasks fit into the test share. */
export function heldOutDatabases(tasks: SqlTask[]): Set<string> {
  const sizes = new Map<string, number>();
  for (const { db, emptyGold } of tasks) sizes.set(db, (sizes.get(db) ?? 0) + (emptyGold ? 0 : 1));
  const order = (db: string) => createHash('sha256').update(`${splitSeed}/${db}`).digest('hex');
  let left = testShare * [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const held = new Set<string>();
  for (const db of [...sizes.keys()].sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
    const size = sizes.get(db) ?? 0;
    if (size === 0 || size > left) continue;
    held.add(db);
    left -= size;
  }
  return held;
}

/** @throws CruxError `User.NotFound` when names cannot be names of files or appear twice, or tasks ask about missing databases */
function assertWhole(
  tasks: BareTask[],
  databases: string[],
  { path, json }: TaskFile<unknown>,
  databasesFile: string,
): void {
  const names = new Set<string>();
  for (const name of databases) {
    if (!databaseName.test(name))
      throw notInForm(databasesFile, `${JSON.stringify(name)} is no name of a database (letters, digits, _ and -)`);
    // Some file systems hold only one of two names that differ in case.
    if (names.has(name.toLowerCase())) throw notInForm(databasesFile, `it has the database ${name} twice`);
    names.add(name.toLowerCase());
  }
  const known = new Set(databases);
  const faults: Fault[] = [];
  const lines = new Map<string, number>();
  for (const [index, { id, db }] of tasks.entries()) {
    const line = json.lineOf([index]);
    if (!known.has(db))
      faults.push({
        line,
        what: `task ${id} is about ${JSON.stringify(db)}, of which ${databasesFile} has no database`,
      });
    const first = lines.get(id);
    if (first !== undefined) faults.push({ line, what: `the task ${id} is there twice (first in line ${first})` });
    else lines.set(id, line);
  }
  refuseFaults(path, faults);
}

function readDump(path: string): DumpDatabase[] {
  try {
    return parseDump(readInputFile(path).text);
  } catch (cause) {
    throw notInForm(path, errorText(cause).slice(0, 200), cause);
  }
}

function readForeign(path: string, name: string): DumpDatabase {
  try {
    return readSqliteDatabase(path, name);
  } catch (cause) {
    throw notInForm(path, errorText(cause).slice(0, 200), cause);
  }
}

function notInForm(path: string, why: string, cause?: unknown): CruxError {
  const what = `${path} is not in the benchmark's form: ${why}`;
  return new CruxError('User.NotFound', what, { remedy: 'Download the file again.', cause });
}

function refuseFaults(path: string, faults: readonly Fault[]): void {
  if (faults.length > 0)
    throw notInForm(
      path,
      faultLines(path, faults)
        .map((line) => `\n  ${line}`)
        .join(''),
    );
}

function benchmarkFile(folder: string, file: string, expected: readonly string[]): string {
  const path = join(folder, file);
  if (existsSync(path)) return path;
  throw new CruxError('User.NotFound', `${path} is missing; expected in ${folder}: ${expected.join(', ')}.`, {
    remedy: 'Name the folder that holds the benchmark.',
  });
}

type TaskFile<Tasks> = { path: string; tasks: Tasks; json: LocatedJson };

function readTasks<Tasks>(path: string, schema: z.ZodType<Tasks>): TaskFile<Tasks> {
  const json = locatedJson(readInputFile(path).text);
  const tasks = json.faults.length > 0 ? null : checkedAt(schema, json.value, json);
  refuseFaults(path, json.faults);
  return { path, tasks: tasks!, json };
}
