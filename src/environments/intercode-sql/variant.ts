/**
 * Variants of a database: the same tables with other rows, so that a query that found the right rows only by accident gives itself away. Keys
 * stay. Other cells are redrawn from their column, and numbers are also shifted. Rows are added. The same seed gives the same variant.
 */
import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from '../../node-sqlite.ts';
import { type Column, columnTable, readColumns } from './column.ts';
import { randomNumbers } from './random.ts';

export type VariantOptions = {
  source: string;
  target: string;
  seed: string;
  /** Share of the cells that are redrawn, in [0, 1]. */
  strength: number;
};

/** Raise it when variants change: their files carry it in their names. */
export const variantVersion = 1;

type Cell = null | number | string;
type Random = () => number;

/** Writes a variant under a temporary name, then renames it. */
export function writeVariant({ source, target, seed, strength }: VariantOptions): void {
  const temporary = `${target}.writing-${process.pid}`;
  rmSync(temporary, { force: true });
  const original = new DatabaseSync(source, { readOnly: true });
  try {
    original.exec(`VACUUM INTO '${temporary.replaceAll("'", "''")}'`);
  } finally {
    original.close();
  }
  const database = new DatabaseSync(temporary);
  try {
    const columns = readColumns(database);
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
    for (const table of new Set(columns.map((column) => column.table))) {
      const own = columns.filter((column) => column.table === table);
      changeTable(
        database,
        table,
        own,
        strength,
        randomNumbers(createHash('sha256').update(`${seed}/${table}`).digest().readInt32LE()),
      );
    }
    database.exec('COMMIT');
  } finally {
    database.close();
  }
  renameSync(temporary, target);
}

function changeTable(database: DatabaseSync, table: string, columns: Column[], strength: number, random: Random): void {
  if (table === columnTable) return;
  const name = quote(table);
  const statement = database.prepare(`SELECT * FROM ${name}`);
  statement.setReturnArrays(true);
  const rows = statement.all() as unknown as Cell[][];
  if (!rows.length) return;
  const kinds = columns.map((column, index) => kindOf(column, rows, index));
  const changed = columns.map((column, index) => changedCells(rows, column, kinds[index]!, index, strength, random));
  const added = addedRows(rows, columns, kinds, random);
  database.exec(`DELETE FROM ${name}`);
  const insert = database.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => '?').join(', ')})`);
  for (const row of [...rows.map((_, place) => changed.map((cells) => cells[place]!)), ...added]) insert.run(...row);
}

/**
 * `key`: never changed. `name`: text without repetition, such as the names of things; it stays free of repetition, because questions use it
 * as a key. `value`: anything else.
 */
type Kind = 'key' | 'name' | 'value';

function kindOf(column: Column, rows: Cell[][], index: number): Kind {
  if (column.key === 'PRI' || column.key === 'UNI') return 'key';
  if (rows.length < 3 || !/char|text/.test(column.type)) return 'value';
  const present = rows.map((row) => lower(row[index] ?? null)).filter((cell) => cell !== null);
  return present.length > 0 && new Set(present).size === present.length ? 'name' : 'value';
}

/** The cells of one column: values are redrawn, names change places. */
function changedCells(
  rows: Cell[][],
  column: Column,
  kind: Kind,
  index: number,
  strength: number,
  random: Random,
): Cell[] {
  const cells = rows.map((row) => row[index] ?? null);
  if (kind === 'key') return cells;
  if (kind === 'value') {
    return cells.map((cell) =>
      random() < strength ? shifted(pick(rows, random)[index] ?? null, column, random) : cell,
    );
  }
  const moving = cells.flatMap((_, place) => (random() < strength ? [place] : []));
  const shuffled = moving.map((place) => ({ cell: cells[place]!, draw: random() })).sort((a, b) => a.draw - b.draw);
  moving.forEach((place, order) => {
    cells[place] = shuffled[order]!.cell;
  });
  return cells;
}

/** A fifth more rows, each a mix of several; their keys and names are new. */
function addedRows(rows: Cell[][], columns: Column[], kinds: Kind[], random: Random): Cell[][] {
  const primary = columns.flatMap(({ key }, index) => (key === 'PRI' ? [index] : []));
  const keyOf = (row: Cell[]) => JSON.stringify(primary.map((index) => lower(row[index]!)));
  const taken = new Set(rows.map(keyOf));
  const added: Cell[][] = [];
  const wanted = Math.ceil(rows.length / 5);
  for (let attempt = 0; added.length < wanted && attempt < wanted * 20; attempt++) {
    const row = columns.map((column, index) => {
      const isFresh = kinds[index] === 'name' || column.key === 'UNI' || (column.key === 'PRI' && primary.length === 1);
      if (!isFresh) return shifted(pick(rows, random)[index] ?? null, column, random);
      return freshKey(rows, index, attempt);
    });
    if (primary.length && taken.has(keyOf(row))) continue;
    taken.add(keyOf(row));
    added.push(row);
  }
  return added;
}

function freshKey(rows: Cell[][], index: number, attempt: number): Cell {
  const values = rows.map((row) => row[index]);
  if (values.every((value) => typeof value === 'number')) return Math.max(...(values as number[])) + 1 + attempt;
  return `${values[attempt % values.length]}-${attempt + 2}`;
}

/** Numbers that are amounts move by up to a quarter in half of the cases. Codes, years and references keep values that exist. */
function shifted(cell: Cell, column: Column, random: Random): Cell {
  const draw = random();
  // Decimals with more digits than a double keeps are stored as texts.
  const amount = typeof cell === 'string' && /^decimal\b/.test(column.type) ? Number(cell) : cell;
  const isAmount =
    typeof amount === 'number' && column.key === '' && !/(id|code|no|num|number|year|phone)$/i.test(column.name);
  if (!isAmount || draw < 0.5) return cell;
  const moved = amount * (1 + (random() - 0.5) / 2);
  const digits = Number.isInteger(amount) ? 0 : (String(amount).split('.')[1]?.length ?? 0);
  const value = Number(moved.toFixed(Math.min(digits, 6)));
  if (typeof cell === 'string') return String(value);
  return /^float\b/.test(column.type) ? Math.fround(value) : value;
}

const quote = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;
const lower = (cell: Cell) => (typeof cell === 'string' ? cell.toLowerCase().trimEnd() : cell);
const pick = (rows: Cell[][], random: Random): Cell[] => rows[Math.floor(random() * rows.length)]!;
