// Layer: documentation against files. Every link from one page of the repository to another leads somewhere.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: root }).sort();

/** Names of the places in a page that a link can end at, made of its headings as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = withoutCode(readFileSync(page, 'utf8')).match(/^#{1,6} .+$/gm) ?? [];
  const slug = (heading: string) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  return new Set(headings.map(slug));
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

describe('links', () => {
  it('looks at the pages of the repository', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', join('docs', 'methods.md'), join('docs', 'decisions', 'README.md')]),
    );
  });

  it.each(pages)('of %s lead to files and headings that exist', (name) => {
    const page = join(root, name);
    const targets = [...withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const broken = targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path, anchor] = target.split('#');
        const file = path === '' ? page : resolve(dirname(page), path!);
        if (!existsSync(file) || relative(root, file).startsWith('..')) return true;
        return anchor !== undefined && !anchorsOf(file).has(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('name every decision in the list of decisions', () => {
    const list = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8');
    const files = globSync('docs/decisions/[0-9]*.md', { cwd: root }).map((file) => file.split(/[\\/]/).at(-1)!);
    expect(files.filter((file) => !list.includes(`](${file})`))).toEqual([]);
  });
});
