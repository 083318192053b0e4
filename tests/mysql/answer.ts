/** What each side answers to a statement, as the environment prints it. */
import type { FieldPacket, Connection as Server } from 'mysql2/promise';
import type { Connection } from '../../src/environments/intercode-sql/connection.ts';
import { encoded, toDecimal } from '../../src/environments/intercode-sql/mysql/decimal.ts';
import type { SqlType } from '../../src/environments/intercode-sql/mysql/types.ts';
import { decimalText, tupleText, type Value } from '../../src/environments/intercode-sql/python-text.ts';

export type Answer = { kind: 'rows'; rows: string[] } | { kind: 'error'; message: string };

export const limits = { rows: 100_000, characters: 64_000_000 };

export function ownAnswer(connection: Connection, sql: string): Answer {
  const result = connection.run(sql, limits);
  if (result.kind === 'rows') return { kind: 'rows', rows: result.rows };
  return { kind: 'error', message: result.kind === 'error' ? result.message : 'no result' };
}

export async function serverAnswer(server: Server, sql: string): Promise<Answer> {
  try {
    const [rows, fields] = await server.query(sql);
    return { kind: 'rows', rows: (rows as unknown as unknown[][]).map((row) => printed(row, fields)) };
  } catch (error) {
    return { kind: 'error', message: (error as Error).message };
  }
}

/** Types of MySQL's protocol. */
const kinds: { [type: number]: SqlType['kind'] } = {
  1: 'integer',
  2: 'integer',
  3: 'integer',
  4: 'float',
  5: 'double',
  7: 'datetime',
  8: 'integer',
  9: 'integer',
  10: 'date',
  11: 'time',
  12: 'datetime',
  13: 'integer',
};
const decimalType = 246;

function printed(row: unknown[], fields: FieldPacket[]): string {
  const cells = row.map((value, index) => {
    const type = fields[index]!.columnType ?? 0;
    if (value === null) return 'None';
    if (type === decimalType) {
      const scale = String(value).split('.')[1]?.length ?? 0;
      return `Decimal('${decimalText(encoded(toDecimal(String(value))), scale)}')`;
    }
    const kind = kinds[type] ?? 'text';
    const read = kind === 'integer' ? BigInt(String(value)) : (value as Value);
    return tupleText([read], [{ kind, scale: null }]).slice(1, -2);
  });
  return cells.length === 1 ? `(${cells[0]},)` : `(${cells.join(', ')})`;
}
