/** HTML that is known to be safe. A class, so that no value read from JSON can pass for it. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = SafeHtml | string | number | null | readonly Part[];

/**
 * HTML from a template whose values are escaped unless they are `SafeHtml` themselves; lists are joined and null is nothing. Besides the report's
 * own style sheet there is no other way into it, so no text of a model can become markup.
 */
export function html(strings: TemplateStringsArray, ...parts: Part[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, piece, index) => text + write(parts[index - 1]!) + piece));
}

function write(part: Part): string {
  if (part === null) return '';
  if (part instanceof SafeHtml) return part.text;
  if (Array.isArray(part)) return part.map(write).join('');
  return escapeHtml(String(part));
}

const entities: { [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text as HTML, for elements and quoted attributes. Characters that reorder or hide other text (bidirectional controls, zero-width ones) and
 * control characters are shown by their code point: a reader must see what the model wrote.
 */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
      (character) => `⟦U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟧`,
    );
}
