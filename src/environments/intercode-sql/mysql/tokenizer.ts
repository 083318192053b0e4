/** Splits MySQL text into tokens. Nothing else in this folder looks at raw SQL, so nothing is ever rewritten inside a string. */

export type TokenKind = 'word' | 'quoted-identifier' | 'string' | 'number' | 'symbol' | 'variable' | 'invalid' | 'end';

export type Token = {
  kind: TokenKind;
  /** The characters of the query, quotes included. */
  text: string;
  /** What they mean: a string's content, an identifier without backticks, a word in upper case. */
  value: string;
  /** Offset of the first character in the query. */
  start: number;
  /** Offset after the last character. */
  end: number;
};

const blank = /(?:\s+|--(?=\s|$)[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const word = /[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y;
/** A name may begin with digits, if a letter follows that makes no number of them. */
const digitWord = /(?!0[xX][0-9A-Fa-f]|\d+[eE][+-]?\d)\d+[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y;
const wordAfterDot = /[\w$\u0080-\uffff]+/y;
const number = /0[xX][0-9A-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const variable = /@@?[\w$.]+/y;
const symbol = /<=>|->>|<>|!=|<=|>=|<<|>>|:=|\|\||&&|->|[-+*/%=<>!~^&|(),.;?:{}[\]@\\]/y;
const singleQuoted = /'(?:[^'\\]|\\[\s\S]|'')*'/y;
const doubleQuoted = /"(?:[^"\\]|\\[\s\S]|"")*"/y;
const backquoted = /`(?:[^`]|``)*`/y;

/** Characters that form no token, such as a quoted text that is never closed, become one `invalid` token up to the end. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  const read = (pattern: RegExp): string | null => {
    pattern.lastIndex = offset;
    return pattern.exec(query)?.[0] ?? null;
  };
  const push = (kind: TokenKind, text: string, value: string) => {
    tokens.push({ kind, text, value, start: offset, end: offset + text.length });
    offset += text.length;
  };
  for (;;) {
    offset += read(blank)?.length ?? 0;
    if (offset >= query.length) break;
    const quoted = read(singleQuoted) ?? read(doubleQuoted);
    const backtick = read(backquoted);
    if (quoted !== null) push('string', quoted, stringContent(quoted));
    else if (backtick !== null) push('quoted-identifier', backtick, backtick.slice(1, -1).replaceAll('``', '`'));
    else {
      const text = read(isAfterDot(tokens, offset) ? wordAfterDot : word) ?? read(digitWord);
      const digits = read(number);
      const name = read(variable);
      const sign = read(symbol);
      if (text !== null) push('word', text, text.toUpperCase());
      else if (digits !== null) push('number', digits, digits);
      else if (name !== null) push('variable', name, name);
      else if (sign !== null) push('symbol', sign, sign);
      else push('invalid', query.slice(offset), '');
    }
  }
  tokens.push({ kind: 'end', text: '', value: '', start: query.length, end: query.length });
  return tokens;
}

/** After a name and a dot everything is a name, such as `18_49` in `series.18_49`. */
function isAfterDot(tokens: Token[], offset: number): boolean {
  const [name, dot] = tokens.slice(-2);
  if (dot?.text !== '.' || dot.end !== offset) return false;
  return name?.end === dot.start && (name.kind === 'word' || name.kind === 'quoted-identifier');
}

const escapes: { [letter: string]: string } = { n: '\n', t: '\t', r: '\r', b: '\b', '0': '\0', Z: '\x1a' };

/** Content of a quoted string. `\%` and `\_` stay as they are: they matter only to LIKE. */
function stringContent(quoted: string): string {
  const quote = quoted.charAt(0);
  return quoted.slice(1, -1).replace(/\\([\s\S])|''|""/g, (whole, letter: string | undefined) => {
    if (letter === undefined) return whole === quote + quote ? quote : whole;
    if (letter === '%' || letter === '_') return whole;
    return escapes[letter] ?? letter;
  });
}
