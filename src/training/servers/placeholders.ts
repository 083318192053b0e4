/** What the words that start a server are told. */
export const placeholders = ['model', 'name', 'port'] as const;

export function filledIn(
  words: readonly string[],
  values: { [name in (typeof placeholders)[number]]: string },
): string[] {
  return words.map((word) => word.replace(/\{(model|name|port)\}/g, (_, name: keyof typeof values) => values[name]));
}
