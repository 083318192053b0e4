/** A file of comma-separated values (RFC 4180) whose first line names the columns. */
import type { Member } from '../../../imports/json-members.ts';

/** @returns each line as an object by column, with its line number @throws Error with a line number in its message, for a quotation mark that is not closed */
export function csvMembers(text: string): Member[] {
  const [names, ...rows] = recordsOf(text.replace(/^\uFEFF/, ''));
  if (!names) return [];
  return rows.map(({ fields, line }) => {
    const value = Object.fromEntries(names.fields.map((name, index) => [name, fields[index]]));
    return { name: null, value, line, bytes: 0 };
  });
}

type Fields = { fields: string[]; line: number };

function recordsOf(text: string): Fields[] {
  const records: Fields[] = [];
  let record: Fields = { fields: [], line: 1 };
  let line = 1;
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length || record.fields.length > 0) {
    const found = field.exec(text);
    if (!found) throw new Error(`line ${line}: a quotation mark is out of place`);
    const [whole, quotedText, plainText, end] = found;
    record.fields.push(quotedText?.replaceAll('""', '"') ?? plainText ?? '');
    line += whole.split('\n').length - 1;
    if (end === ',') continue;
    if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
    record = { fields: [], line };
    if (field.lastIndex >= text.length) break;
  }
  return records;
}
