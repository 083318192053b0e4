/** What the words that start a server are told. */
export const placeholders = ['model', 'name', 'port'] as const;

/** `prepared`: the folder with what was made for the server. Only servers of ours are told. */
type Values = { [name in (typeof placeholders)[number]]: string } & { prepared?: string };

export function filledIn(words: readonly string[], values: Values): string[] {
  return words.map((word) =>
    word.replace(/\{(model|name|port|prepared)\}/g, (found, name: keyof Values) => values[name] ?? found),
  );
}
