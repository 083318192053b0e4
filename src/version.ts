import { readFileSync } from 'node:fs';

/** Version of the Crux package. */
export function cruxVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
