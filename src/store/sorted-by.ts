/**
 * Rows in the order of some of their columns. For the few rows of a state or a trajectory: asked for the order of one of its indexes, SQLite takes
 * that index, and reads all rows of the run to find these. Beside that, this order depends on no database's collation.
 */
export function sortedBy<Row>(rows: readonly Row[], columns: (keyof Row)[]): Row[] {
  return rows.toSorted((one, other) => {
    const column = columns.find((name) => one[name] !== other[name]);
    if (column === undefined) return 0;
    return one[column] < other[column] ? -1 : 1;
  });
}
