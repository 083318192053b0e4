/** How many items have each name, in the order of the names. */
export function countBy<T>(list: readonly T[], name: (item: T) => string): { [name: string]: number } {
  const counts: { [name: string]: number } = {};
  for (const key of list.map(name).sort()) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

/** E.g. `environment-fault 120, model-fault 3`. */
export function countsText(counts: { [name: string]: number }): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
