// Layer: files. Dataset folders, the bundled demo, and the conversion of dumps.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { datasetDigest, loadDataset } from '../../../src/environments/intercode-sql/dataset.ts';
import { writeDemoDataset } from '../../../src/environments/intercode-sql/demo/demo.ts';
import { demoTasks } from '../../../src/environments/intercode-sql/demo/tasks.ts';
import { importSqlDataset } from '../../../src/environments/intercode-sql/import.ts';
import { parseDump } from '../../../src/environments/intercode-sql/import-dump.ts';
import { demoFolder, observer, temporaryFolder } from '../../helpers/sql-datasets.ts';

describe('a dataset folder', () => {
  it('is read back as it was written', async () => {
    const dataset = await loadDataset(await demoFolder());
    expect(dataset.tasks).toEqual(demoTasks);
    expect(dataset).toMatchObject({ name: 'demo', goldDialect: 'mysql' });
    expect(readFileSync(dataset.databasePath('bakery')).subarray(0, 15).toString()).toBe('SQLite format 3');
  });

  it.each([
    ['no folder', (folder: string) => rmSync(folder, { recursive: true }), 'There is no SQL dataset at'],
    ['no JSON', (folder: string) => writeFileSync(join(folder, 'dataset.json'), '{'), 'dataset.json cannot be read'],
    [
      'a task without a question',
      (folder: string) =>
        writeFileSync(
          join(folder, 'dataset.json'),
          readFileSync(join(folder, 'dataset.json'), 'utf8').replace('"question"', '"quest"'),
        ),
      'tasks.0.question',
    ],
    [
      'a database name that leaves the folder',
      (folder: string) =>
        writeFileSync(
          join(folder, 'dataset.json'),
          readFileSync(join(folder, 'dataset.json'), 'utf8').replace('"db": "bakery"', '"db": "../bakery"'),
        ),
      'db',
    ],
    [
      'a missing database',
      (folder: string) => rmSync(join(folder, 'databases/bakery.sqlite')),
      'bakery.sqlite is missing or no SQLite database',
    ],
    [
      'a damaged database',
      (folder: string) => writeFileSync(join(folder, 'databases/bakery.sqlite'), 'SQL'),
      'bakery.sqlite is missing or no SQLite database',
    ],
  ])('with %s is refused with a remedy', async (_, damage, message) => {
    const folder = await demoFolder();
    damage(folder);
    await expect(loadDataset(folder)).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringContaining(message),
      remedy: expect.stringContaining('crux import intercode-sql --from <folder>'),
    });
  });
});

describe('the demo', () => {
  it('is written once, and repaired when it is not whole', async () => {
    const folder = join(temporaryFolder(), 'demo');
    const first = datasetDigest(await writeDemoDataset(folder));
    writeFileSync(join(folder, 'mark'), '');
    await writeDemoDataset(folder);
    expect(readdirSync(folder)).toContain('mark');
    rmSync(join(folder, 'databases/bakery.sqlite'));
    expect(datasetDigest(await writeDemoDataset(folder))).toBe(first);
    expect(readdirSync(folder)).toContain('mark');
    expect(readdirSync(join(folder, '..'))).toEqual(['demo']);
  });

  it('never replaces a folder that holds other things', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    await expect(writeDemoDataset(folder)).rejects.toMatchObject({ kind: 'User.Config', remedy: 'Name a new folder.' });
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('may be written by several at once', async () => {
    const folder = join(temporaryFolder(), 'demo');
    const written = await Promise.all([writeDemoDataset(folder), writeDemoDataset(folder), writeDemoDataset(folder)]);
    expect(new Set(written.map(datasetDigest)).size).toBe(1);
    expect(readdirSync(join(folder, '..'))).toEqual(['demo']);
  });

  it('has golds of three kinds on three databases, all with rows', async () => {
    const folder = await demoFolder();
    for (const { id, db, gold } of demoTasks) expect(observer(folder, db)(gold), id).toMatch(/^\[\(/);
    expect(new Set(demoTasks.map(({ difficulty }) => difficulty))).toEqual(new Set(['easy', 'medium', 'hard']));
    expect(new Set(demoTasks.map(({ id }) => id)).size).toBe(24);
  });
});

describe('a MySQL dump', () => {
  const dump = `
    CREATE DATABASE \`d\`; USE \`d\`; -- a comment; with a semicolon
    CREATE TABLE \`T\` (
      \`b\` varchar(20) COLLATE utf8mb4_general_ci NOT NULL DEFAULT '',
      \`a\` int NOT NULL AUTO_INCREMENT,
      \`f\` float(10,2) DEFAULT NULL,
      \`n\` decimal(19,4) DEFAULT NULL,
      \`at\` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
      PRIMARY KEY (\`b\`(5),\`a\`), UNIQUE KEY \`u\` (\`f\`), KEY \`k\` (\`n\`),
      CONSTRAINT \`c\` FOREIGN KEY (\`a\`) REFERENCES \`x\` (\`y\`)
    ) ENGINE=InnoDB;
    LOCK TABLES \`T\` WRITE;
    INSERT INTO \`T\` VALUES ('O\\'Neil; (x)',2,1.1,-3.5000,'2020-01-01 00:00:00'),('line\\none',1,NULL,NULL,'2020-01-02 10:00:00');`;

  it('keeps types, keys, defaults and extras for DESCRIBE', () => {
    const [database] = parseDump(dump);
    expect(database).toMatchObject({
      name: 'd',
      tables: [{ name: 'T', primaryKey: ['b', 'a'], indexes: [['f'], ['n']] }],
    });
    expect(
      database!.tables[0]!.columns.map(({ type, nullable, key, defaultText, extra }) => [
        type,
        nullable,
        key,
        defaultText,
        extra,
      ]),
    ).toEqual([
      ['varchar(20)', false, 'PRI', '', ''],
      ['int', false, 'PRI', null, 'auto_increment'],
      ['float(10,2)', true, 'UNI', null, ''],
      ['decimal(19,4)', true, 'MUL', null, ''],
      ['timestamp', false, '', 'CURRENT_TIMESTAMP', 'DEFAULT_GENERATED'],
    ]);
    expect(database!.tables[0]!.rows).toEqual([
      ["O'Neil; (x)", 2, 1.1, -3.5, '2020-01-01 00:00:00'],
      ['line\none', 1, null, null, '2020-01-02 10:00:00'],
    ]);
  });

  it('that is not in its form is refused', () => {
    expect(() => parseDump('CREATE TABLE t (a int);')).toThrow('before it names a database');
    expect(() => parseDump('USE d; CREATE TABLE t (a int); INSERT INTO t VALUES (1,2);')).toThrow(
      'A row of d.t has 2 values for 1 columns.',
    );
  });
});

describe('imports', () => {
  it('of a folder that holds no benchmark say what was expected', async () => {
    const from = temporaryFolder();
    await expect(importSqlDataset({ from, into: join(from, 'into') })).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringMatching(
        /expected ic_spider_dev\.json and ic_spider_dbs\.sql .* or tasks\.json and databases\//,
      ),
    });
  });

  it('of plain SQLite files find types by their values, and keys that conversions lost', async () => {
    const from = temporaryFolder();
    mkdirSync(join(from, 'databases'));
    const database = new DatabaseSync(join(from, 'databases/pond.sqlite'));
    database.exec(`CREATE TABLE frog (frog_id INT, name VARCHAR(20), born DATETIME, size REAL, note NUMERIC);
      INSERT INTO frog VALUES (1, 'Ann ', '2001-02-03', 1.5, 'x'), (2, 'Bo', '2002-02-03', 2.5, 'y')`);
    database.close();
    const tasks = [
      { id: 7, db: 'pond', query: 'Who?', gold: 'SELECT name FROM frog' },
      { id: 8, db: 'pond', query: 'Nobody?', gold: 'SELECT name FROM frog WHERE size > 9' },
      { id: 9, db: 'pond', query: 'Broken?', gold: 'SELECT nosuch FROM frog' },
    ];
    writeFileSync(join(from, 'tasks.json'), JSON.stringify(tasks));
    const into = join(temporaryFolder(), 'into');
    const stages: string[] = [];
    const result = await importSqlDataset({
      from,
      into,
      onProgress: ({ stage, done, total }) => stages.push(`${stage} ${done}/${total}`),
    });
    expect(result).toMatchObject({ databases: 1, train: 1, test: 0, emptyGolds: 1, rejectedGolds: 1 });
    expect(stages).toEqual(['databases 1/1', 'golds 3/3']);
    expect(result.dataset.tasks.map(({ id, emptyGold }) => [id, emptyGold])).toEqual([
      ['7', false],
      ['8', true],
      ['9', true],
    ]);
    const observe = observer(into, 'pond');
    expect(observe('DESC frog')).toBe(
      "[('frog_id', 'int', 'NO', 'PRI', None, ''), ('name', 'varchar(20)', 'YES', '', None, ''), ('born', 'date', 'YES', '', None, ''), ('size', 'double', 'YES', '', None, ''), ('note', 'text', 'YES', '', None, '')]",
    );
    expect(observe("SELECT name, born FROM frog WHERE name = 'ann'")).toBe("[('Ann ', datetime.date(2001, 2, 3))]");
  });
});
