/**
 * Whether a server renders chats as the trainer does. Ours [D]: no paper has it. Texts are compared, and where they are equal the tokens that they are
 * cut into. A token before a text decides nothing: servers add one, or a second one, where a trainer adds none.
 */

/** How a server renders a chat: as token ids, or in how many of them. */
export type Rendering = { ids: readonly number[] } | { count: number };

/**
 * `same`: the same tokens. `same-length`: as many, and more the server does not tell. `other-start`: the same but for the token before the text.
 * `other-tokens`: the same text, cut into other tokens. `not-compared`: the server does not tell, or no template was found.
 */
export type TemplateFinding = 'same' | 'same-length' | 'other-start' | 'other-tokens' | 'not-compared';

/** The first place where two renderings differ. */
export type TemplateDifference = {
  /** The end of what both have. */
  after: string;
  /** What follows, cut: by the trainer and by the server. Numbers of tokens in words if the server tells no more. */
  trained: string;
  served: string;
};

/** The tokenizer of the trained weights. */
type Reader = {
  decode(ids: readonly number[]): string;
  /** The token before every text; null if there is none. */
  bos: string | null;
  /** Whether its template prints the day, which is not the trainer's any more. */
  isDated: boolean;
};

const shownCharacters = 40;

/** @param expected the chat as the trainer renders it */
export function compareRendering(
  expected: readonly number[],
  said: Rendering,
  reader: Reader,
): TemplateFinding | TemplateDifference {
  if ('count' in said) return compareCounts(expected.length, said.count, reader);
  const [own, others] = [expected, said.ids].map((ids) => readable(ids, reader));
  if (own!.text !== others!.text) return difference(own!.text, others!.text);
  const isCutAlike = reader.isDated || isSame(expected.slice(own!.starts), said.ids.slice(others!.starts));
  if (!isCutAlike) return 'other-tokens';
  return own!.starts === others!.starts ? 'same' : 'other-start';
}

/** Days differ in length. */
function compareCounts(expected: number, count: number, { bos, isDated }: Reader): ReturnType<typeof compareRendering> {
  if (isDated) return 'not-compared';
  if (count === expected) return 'same-length';
  if (bos !== null && count === expected + 1) return 'other-start';
  return { after: '', trained: `${expected} tokens`, served: `${count} tokens` };
}

/** The text without tokens before it, and how many these are. */
function readable(ids: readonly number[], { decode, bos, isDated }: Reader): { text: string; starts: number } {
  let text = decode(ids);
  let starts = 0;
  for (; bos !== null && bos !== '' && text.startsWith(bos); starts++) text = text.slice(bos.length);
  return { text: isDated ? text.replace(days, '<day>') : text, starts };
}

/** In the forms that templates print: 2026-12-01, 01 Dec 2026, December 1, 2026. */
const days = /\d{4}-\d{2}-\d{2}|\d{1,2} \p{L}{3,9} \d{4}|\p{L}{3,9} \d{1,2},? \d{4}/gu;

function difference(own: string, others: string): TemplateDifference {
  let at = 0;
  while (at < own.length && own[at] === others[at]) at += 1;
  // From the start of its word, which is easier to read.
  while (at > 0 && /\w/.test(own[at - 1]!)) at -= 1;
  const next = (text: string) => text.slice(at, at + shownCharacters);
  return { after: own.slice(Math.max(0, at - shownCharacters), at), trained: next(own), served: next(others) };
}

/** Of several chats: the one that says most against the server, of those that were compared. */
export function worstFinding(findings: readonly TemplateFinding[]): TemplateFinding {
  return byGravity.find((finding) => findings.includes(finding)) ?? 'not-compared';
}

const byGravity = ['other-tokens', 'other-start', 'same-length', 'same'] as const;

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
