/** docker-compose.yml as Docker reads it: anchors merged, variables filled in with their defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export type ComposeService = {
  image: string;
  build?: string;
  entrypoint?: string[];
  command?: string[];
  environment?: { [name: string]: string };
  volumes?: string[];
  ports?: string[];
  depends_on?: { [service: string]: { condition: string; required?: boolean } };
  healthcheck?: { test: string[] };
  profiles?: string[];
  restart?: string;
  stop_grace_period?: string;
};

export type ComposeFile = { services: { [name: string]: ComposeService }; volumes: { [name: string]: unknown } };

export const repository = join(import.meta.dirname, '../..');

/** @throws Error for a variable without a value or a default */
export function readCompose(variables: { [name: string]: string } = {}): ComposeFile {
  const file = readFileSync(join(repository, 'docker-compose.yml'), 'utf8');
  return filledIn(parse(file, { merge: true }), variables) as ComposeFile;
}

function filledIn(value: unknown, variables: { [name: string]: string }): unknown {
  if (typeof value === 'string') return withVariables(value, variables);
  if (Array.isArray(value)) return value.map((item) => filledIn(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filledIn(item, variables)]));
}

function withVariables(text: string, variables: { [name: string]: string }): string {
  return text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, standard?: string) => {
    const value = variables[name] || standard;
    if (value === undefined) throw new Error(`docker-compose.yml: the variable ${name} has neither value nor default.`);
    return value;
  });
}
