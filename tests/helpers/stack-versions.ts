/** Versions that the repository pins, and that docker-compose.yml must name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './compose.ts';

/** Version of the Temporal server that is built for tests of the stack. */
export function serverVersion(): string {
  return pinned('tools/temporal-stack/go.mod', 'go.temporal.io/server');
}

/** Version of a Go module in a go.mod, without "v". @throws Error when it is not there */
export function pinned(file: string, module: string): string {
  const text = readFileSync(join(repository, file), 'utf8');
  const version = new RegExp(`^(?:require)?\\s*${module.replaceAll('.', '\\.')} v(\\S+)`, 'm').exec(text)?.[1];
  if (version === undefined) throw new Error(`${file} does not require ${module}.`);
  return version;
}
