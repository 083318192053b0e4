/**
 * The rows of an export are tokenized once for every turn in them, each time from their start. Tokenizers cut a text at their added tokens before anything
 * else, so what stands between two of them gives the same tokens wherever it stands, and needs to be read once only.
 */

/** As in `tokenizer.json`. */
export type AddedToken = { content: string; lstrip: boolean; normalized: boolean };

/** Pieces that are remembered: several long conversations. */
const mostPieces = 2_000;

/**
 * The same tokens as `encode`, in time that grows with what is new in a text.
 * @param encode a text as token ids; without tokens of its own at the start or end
 * @param normalizes whether the tokenizer changes texts before it reads them. Tokens that it looks for only afterwards cut nothing here.
 */
export function piecewise(
  encode: (text: string) => number[],
  added: readonly AddedToken[],
  normalizes: boolean,
): (text: string) => number[] {
  const cutting = added.filter(({ content, normalized }) => content !== '' && !(normalized && normalizes));
  if (cutting.length === 0) return encode;
  // Where two tokens begin, the longer one is read.
  const inOrder = cutting.map(({ content }) => content).toSorted((one, other) => other.length - one.length);
  const pattern = new RegExp(inOrder.map(RegExp.escape).join('|'), 'g');
  // Such a token takes spaces away from the text before it: the two stay together.
  const strips = new Set(cutting.filter(({ lstrip }) => lstrip).map(({ content }) => content));
  const known = new Map<string, number[]>();
  const read = (piece: string): number[] => {
    let ids = known.get(piece);
    if (ids === undefined) {
      if (known.size >= mostPieces) known.clear();
      ids = encode(piece);
      known.set(piece, ids);
    }
    return ids;
  };
  return (text) => {
    const starts = [...text.matchAll(pattern)].filter(([token]) => !strips.has(token)).map(({ index }) => index);
    const cuts = [0, ...starts, text.length];
    return cuts.slice(1).flatMap((end, index) => (end > cuts[index]! ? read(text.slice(cuts[index], end)) : []));
  };
}
