// Layer: files, through the command. An import replaces its own dataset and touches nothing else.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { importData } from '../../../src/cli/commands/import.ts';
import { loadDataset } from '../../../src/environments/intercode-sql/dataset.ts';
import { importSqlDataset } from '../../../src/environments/intercode-sql/import.ts';
import { writeDatabase } from '../../../src/environments/intercode-sql/import-dump.ts';
import { demoFolder, temporaryFolder } from '../../helpers/sql-datasets.ts';

const dump = (name = 'pond') => `USE \`${name}\`; CREATE TABLE \`frog\` (\`id\` int NOT NULL, PRIMARY KEY (\`id\`));
INSERT INTO \`frog\` VALUES (1),(2);`;
const task = { db: 'pond', query: 'Which frogs?', gold: 'SELECT id FROM frog' };

/** A folder as InterCode publishes it. */
function interCode(tasks: object[] = [task], text = dump()): string {
  const from = join(temporaryFolder(), 'benchmark');
  mkdirSync(from);
  writeFileSync(join(from, 'ic_spider_dev.json'), JSON.stringify(tasks));
  writeFileSync(join(from, 'ic_spider_dbs.sql'), text);
  return from;
}

/** Paths and contents of everything in a folder. */
function everything(folder: string, inside = ''): { [path: string]: string } {
  const entries = readdirSync(join(folder, inside)).sort();
  return Object.assign(
    {},
    ...entries.map((name) => {
      const path = join(inside, name);
      return statSync(join(folder, path)).isDirectory()
        ? { [`${path}/`]: '', ...everything(folder, path) }
        : { [path]: readFileSync(join(folder, path), 'latin1') };
    }),
  );
}

function plainDatabase(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE diary (day TEXT)');
  database.close();
}

describe('a place that an import may not write', () => {
  it.each<[string, (into: string) => unknown, RegExp]>([
    [
      "a benchmark's own folder, with tasks, databases and notes",
      (into) => {
        plainDatabase(join(into, 'databases', 'pond.sqlite'));
        writeFileSync(join(into, 'tasks.json'), '[]');
        writeFileSync(join(into, 'notes.md'), 'years of work');
      },
      /holds other files \(databases, notes\.md, tasks\.json\) and no dataset of Crux/,
    ],
    [
      'a dataset.json of another program',
      (into) => writeFileSync(join(into, 'dataset.json'), '{"name":"mine"}'),
      /no dataset of Crux/,
    ],
    [
      'a dataset of ours beside a database that is not',
      async (into) => {
        await importSqlDataset({ from: interCode(), into });
        plainDatabase(join(into, 'databases', 'diary.sqlite'));
      },
      /holds databases that no import wrote \(databases.diary\.sqlite\)/,
    ],
    [
      'a dataset of ours with files among its variants',
      async (into) => {
        await importSqlDataset({ from: interCode(), into });
        mkdirSync(join(into, 'variants'));
        writeFileSync(join(into, 'variants', 'mine.txt'), '');
      },
      /variants.mine\.txt/,
    ],
  ])('is %s: it stays as it is', async (_, fill, message) => {
    const folder = temporaryFolder();
    const into = join(folder, 'into');
    mkdirSync(into);
    await fill(into);
    const before = everything(folder);
    await expect(importSqlDataset({ from: interCode(), into })).rejects.toMatchObject({
      kind: 'User.Config',
      message: expect.stringMatching(message),
      remedy: 'Name a new folder.',
    });
    expect(everything(folder)).toEqual(before);
  });

  it('is a link, whatever is behind it', async () => {
    const demo = await demoFolder();
    const into = join(temporaryFolder(), 'into');
    symlinkSync(demo, into);
    const before = everything(demo);
    await expect(importSqlDataset({ from: interCode(), into })).rejects.toMatchObject({ kind: 'User.Config' });
    expect(everything(demo)).toEqual(before);
  });

  it.each<[string, (from: string) => string]>([
    ['the folder that is read', (from) => from],
    [
      'the folder that is read, by a link',
      (from) => {
        const link = join(temporaryFolder(), 'link');
        symlinkSync(from, link);
        return link;
      },
    ],
    ['in the folder that is read', (from) => join(from, 'data', 'into')],
    ['around the folder that is read', (from) => dirname(from)],
  ])('is %s', async (_, place) => {
    const from = interCode();
    const before = everything(dirname(from));
    await expect(importSqlDataset({ from, into: place(from) })).rejects.toMatchObject({ kind: 'User.Config' });
    expect(everything(dirname(from))).toEqual(before);
  });
});

describe('an import over an older one', () => {
  it('takes its files away, and leaves what others put beside them', async () => {
    const into = join(temporaryFolder(), 'into');
    await importSqlDataset({ from: interCode([task], dump() + dump('swamp')), into });
    const variants = join(into, 'variants', `${'a'.repeat(16)}-1`);
    mkdirSync(variants, { recursive: true });
    writeFileSync(join(variants, 'pond-1.sqlite'), 'old');
    writeFileSync(join(into, 'notes.md'), 'mine');
    mkdirSync(join(into, 'plots'));
    writeFileSync(join(into, 'plots', 'a.svg'), 'mine too');
    await importSqlDataset({ from: interCode([task, { ...task, gold: 'SELECT 1' }]), into });
    expect((await loadDataset(into)).tasks).toHaveLength(2);
    expect(readdirSync(into).sort()).toEqual(['databases', 'dataset.json', 'notes.md', 'plots']);
    expect(readdirSync(join(into, 'databases'))).toEqual(['pond.sqlite']);
    expect(readFileSync(join(into, 'plots', 'a.svg'), 'utf8')).toBe('mine too');
    expect(readdirSync(dirname(into))).toEqual(['into']);
  });
});

describe('input that is not in its form', () => {
  const spider = (db: string) => {
    const from = join(temporaryFolder(), 'benchmark');
    plainDatabase(join(from, 'databases', 'pond.sqlite'));
    plainDatabase(join(from, 'outside.sqlite'));
    writeFileSync(
      join(from, 'tasks.json'),
      JSON.stringify([{ id: 1, db, query: 'What?', gold: 'SELECT day FROM diary' }]),
    );
    return from;
  };

  it.each<[string, () => string, RegExp]>([
    [
      'a dump whose database leads out of the folder',
      () => interCode([task], dump('../../pond')),
      /"\.\.\/\.\.\/pond" is no name/,
    ],
    ['a dump with an absolute name', () => interCode([task], dump('/tmp/pond')), /is no name/],
    ['a dump with a name of another system', () => interCode([task], dump('..\\\\pond')), /is no name/],
    ['a dump with names that differ by case alone', () => interCode([task], dump() + dump('POND')), /POND twice/],
    ['a dump that is none', () => interCode([task], 'CREATE TABLE t (a int);'), /before it names a database/],
    ['a task on a database that the dump lacks', () => interCode([{ ...task, db: 'lake' }]), /about "lake"/],
    ['a task without a question', () => interCode([{ ...task, query: ' ' }]), /query/],
    ['a task whose database leads out of the folder', () => spider('../outside'), /"\.\.\/outside" is no name/],
    ['a task whose database is not there', () => spider('lake'), /lake\.sqlite is missing/],
  ])('%s is refused before anything is written', async (_, make, message) => {
    const from = make();
    const place = temporaryFolder();
    const into = join(place, 'home', 'data', 'into');
    const before = everything(dirname(from));
    await expect(importSqlDataset({ from, into })).rejects.toMatchObject({
      kind: 'User.NotFound',
      message: expect.stringMatching(message),
    });
    expect(everything(dirname(from))).toEqual(before);
    expect(readdirSync(place)).toEqual([]);
  });

  it('leaves the older dataset as it was', async () => {
    const into = join(temporaryFolder(), 'into');
    await importSqlDataset({ from: interCode(), into });
    const before = everything(dirname(into));
    const broken = spider('pond');
    writeFileSync(join(broken, 'databases', 'pond.sqlite'), 'no database');
    await expect(importSqlDataset({ from: broken, into })).rejects.toMatchObject({ kind: 'User.NotFound' });
    expect(everything(dirname(into))).toEqual(before);
  });

  it('no database is written under a name that leads elsewhere', async () => {
    await expect(writeDatabase(temporaryFolder(), { name: '../x', tables: [] })).rejects.toThrow(
      'no name of a database',
    );
  });

  it.each<[string, object[] | string, RegExp[]]>([
    [
      'a name that is there twice',
      `[{"db":"pond",\n"db":"pond","query":"?","gold":"SELECT 1"}]`,
      [/json:2: the name "db"/],
    ],
    [
      'wrong types in two tasks',
      `[\n{"db":"pond","query":1,"gold":"SELECT 1"},\n{"db":2,"query":"?","gold":"SELECT 1"}]`,
      [/json:2: 0\.query/, /json:3: 1\.db/],
    ],
    [
      'tasks on missing databases',
      `[\n${JSON.stringify({ ...task, db: 'lake' })},\n${JSON.stringify({ ...task, db: 'sea' })}]`,
      [/json:2: task 0 is about "lake"/, /json:3: task 1 is about "sea"/],
    ],
  ])('%s: each fault has a line with file and line number', async (_, tasks, lines) => {
    const from = interCode();
    writeFileSync(join(from, 'ic_spider_dev.json'), tasks as string);
    const refused = importSqlDataset({ from, into: join(temporaryFolder(), 'into') });
    for (const line of lines) await expect(refused).rejects.toThrow(line);
  });

  it('a task file with a byte order mark and CRLF is read like any other', async () => {
    const from = interCode();
    writeFileSync(
      join(from, 'ic_spider_dev.json'),
      `\uFEFF${JSON.stringify([task], null, 1).replaceAll('\n', '\r\n')}`,
    );
    const { train } = await importSqlDataset({ from, into: join(temporaryFolder(), 'into') });
    expect(train).toBe(1);
  });
});

describe('the name of a data set', () => {
  it.each(['../x', '/tmp/x', 'a/b', '..', '.', '', '.hidden', 'a\\b', 'a\nb'])('%j is refused', async (name) => {
    const home = temporaryFolder();
    await expect(importData({ home } as never, 'intercode-sql', { from: interCode(), name })).rejects.toMatchObject({
      kind: 'User.Config',
      remedy: 'Give another one with --name.',
    });
    expect(readdirSync(home)).toEqual([]);
  });

  it('that leads elsewhere ends the command with exit code 2 and a sentence', () => {
    const folder = temporaryFolder();
    const home = join(folder, 'home');
    const arguments_ = ['import', 'intercode-sql', '--from', interCode(), '--name', '../../x', '--home', home];
    const { status, stderr } = spawnSync(process.execPath, ['bin/crux.js', ...arguments_], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain('"../../x" is no name for a data set');
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});
