/** Flags in the tables are 0, 1 or null: unknown. */

export function flagOf(column: number | null): boolean | null {
  return column === null ? null : column === 1;
}

export function columnOf(flag: boolean | null): number | null {
  return flag === null ? null : Number(flag);
}
