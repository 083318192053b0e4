import { readFile } from 'node:fs/promises';

/** Version of the Crux package. */
export async function cruxVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
