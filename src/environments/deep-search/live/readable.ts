/** The text of a page that people read: without menus, advertisements and scripts. */
import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import { cut } from './cut.ts';

const blocks = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE DD DETAILS DIV DL DT FIGCAPTION FIGURE FOOTER H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION TABLE TR UL'.split(
    ' ',
  ),
);
const unread = new Set('SCRIPT STYLE NOSCRIPT TEMPLATE SVG IFRAME OBJECT HEAD TITLE'.split(' '));

export type Readable = { title: string; text: string };

export function readableText(html: string): Readable {
  // A body may be left away in HTML; the parser does not make one.
  const { document } = parseHTML(/<body[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`);
  const own = document.querySelector('title')?.textContent ?? '';
  const whole = plainText(document.body);
  // It changes the document, so the whole text was taken before.
  const article = new Readability(document as never).parse();
  const main = article?.content
    ? plainText(parseHTML(`<html><body>${article.content}</body></html>`).document.body)
    : '';
  const title = oneLine(article?.title || own);
  // Short pages have no part that stands out as their text.
  return { title, text: cut(main.length >= whole.length / 10 ? main : whole) };
}

type TreeNode = { nodeType: number; nodeName: string; textContent: string | null; childNodes: Iterable<TreeNode> };

const [elementNode, textNode] = [1, 3];

/** Blocks on lines of their own, cells of a table beside one another. */
function plainText(root: unknown): string {
  const parts: string[] = [];
  const visit = (node: TreeNode): void => {
    if (node.nodeType === textNode) parts.push((node.textContent ?? '').replace(/\s+/g, ' '));
    if (node.nodeType !== elementNode) return;
    const name = node.nodeName.toUpperCase();
    if (unread.has(name)) return;
    const isBlock = blocks.has(name);
    if (isBlock) parts.push('\n');
    if (name === 'BR') parts.push('\n');
    if (name === 'LI') parts.push('- ');
    if (name === 'TD' || name === 'TH') parts.push(' | ');
    for (const child of node.childNodes) visit(child);
    if (isBlock) parts.push('\n');
  };
  visit(root as TreeNode);
  const lines = parts.join('').split('\n').map(oneLine);
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
