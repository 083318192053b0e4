/** Passages of a corpus: a file of JSON, or a folder of texts. */
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { z } from 'zod';
import { readInputFile } from '../../../imports/input-file.ts';
import { inForm, type Member, membersOf } from '../../../imports/json-members.ts';
import type { Passage } from './form.ts';

const textFiles = new Set(['.txt', '.md']);
const passageSchema = z.object({
  id: z.union([z.string().min(1), z.number()]).nullish(),
  title: z.string().nullish(),
  text: z.string(),
});
/** As the samples of HotpotQA have it: sentences by title. */
const sentencesSchema = z.array(z.string());

/** @throws CruxError `User.Config` with file and line for a passage that is not in its form */
export async function* passagesOf(path: string): AsyncGenerator<Passage> {
  if (statSync(path).isDirectory()) {
    for (const file of textsIn(path)) yield textAt(path, file);
    return;
  }
  for await (const member of membersOf(path)) yield inForm(path, member, passageFrom);
}

function passageFrom({ name, value, line }: Member): Passage {
  if (name !== null) return { title: name, text: sentencesSchema.parse(value).join('') };
  const { id, title, text } = passageSchema.parse(value);
  return { ...(id !== null && id !== undefined && { id: String(id) }), title: title || `Text ${line}`, text };
}

/** Links in a corpus that is a folder: they are not followed, because they may lead out of it, or round in a circle. */
export function linksIn(path: string): number {
  return statSync(path).isDirectory() ? entriesOf(path).filter((entry) => entry.isSymbolicLink()).length : 0;
}

/** In a fixed order. */
function textsIn(folder: string): string[] {
  return entriesOf(folder)
    .filter((entry) => entry.isFile() && textFiles.has(extname(entry.name)))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

function entriesOf(folder: string) {
  return readdirSync(folder, { recursive: true, withFileTypes: true });
}

function textAt(folder: string, file: string): Passage {
  const { text } = readInputFile(file);
  const heading = /^#\s+(.+)$/m.exec(text)?.[1]?.trim();
  const isNamed = extname(file) === '.md' && heading;
  return { id: relative(folder, file), title: isNamed ? heading : basename(file, extname(file)), text };
}
