// Layer: pure core, against the library's own tokenizer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddedToken, piecewise } from '../../../src/export/tokens/piecewise.ts';
import { openTokenizer } from '../../../src/export/tokens/tokenizer.ts';

const folder = join(import.meta.dirname, '../../fixtures/tokenizer');
const bytes = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));

/** The third is the first two in one, `<l>` takes spaces from before it, `<r>` from after it, and `<n>` is looked for in the changed text. */
const added = [
  { content: '<|a|>' },
  { content: '<|b|>' },
  { content: '<|a|><|b|>' },
  { content: '<l>', lstrip: true },
  { content: '<r>', rstrip: true },
  { content: '<n>', normalized: true },
].map((token, index) => ({
  ...{ id: 400 + index, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ...token,
}));

/** Words and their parts, as SentencePiece writes them. */
const vocab = Object.fromEntries(
  ['<unk>', '▁', 'a', 'b', '\n', '<', '>', '|', 'n', 'l', 'r', 'é', '▁a', 'ab', '▁ab', '▁▁'].map((text, id) => [
    text,
    id,
  ]),
);
const model = {
  ...{ type: 'BPE', unk_token: '<unk>', byte_fallback: false, fuse_unk: true, vocab },
  merges: ['▁ a', 'a b', '▁a b', '▁ ▁'].map((pair) => pair.split(' ')),
};
const metaspace = (prepend_scheme: string) => ({
  ...{ added_tokens: added, model, normalizer: null },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme, split: true },
});
const definitions: [string, object][] = [
  ['bytes', { added_tokens: added }],
  ['a space before the first word of a text', metaspace('first')],
  ['a space before every stretch of text', metaspace('always')],
  [
    'a normalizer that writes the space, as Llama 2 has',
    {
      ...{ added_tokens: added, model, pre_tokenizer: null },
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
    },
  ],
  [
    'a normalizer that strips',
    { added_tokens: added, normalizer: { type: 'Strip', strip_left: true, strip_right: true } },
  ],
];

const text = fc
  .array(
    fc.constantFrom(...added.map(({ content }) => content), ' ', '  ', '\n', 'a', 'ab', 'é', '<|a', '|>', '<n', '>'),
  )
  .map((parts) => parts.join(''));

describe('a text read piece by piece has the tokens that it has as a whole', () => {
  it.each(definitions)('with %s', (_, changes) => {
    const definition = { ...bytes, ...changes };
    const tokenizer = new Tokenizer(definition, {});
    const whole = (given: string) => tokenizer.encode(given, { add_special_tokens: false }).ids;
    const inPieces = piecewise(whole, added, definition.normalizer !== null);
    fc.assert(
      fc.property(text, (given) => {
        expect(inPieces(given)).toEqual(whole(given));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

it('a conversation that grows turn by turn is read once', () => {
  let read = 0;
  const token: AddedToken = { content: '<|a|>', lstrip: false, normalized: false };
  const encode = piecewise(
    (given) => {
      read += given.length;
      return [...given].map((letter) => letter.codePointAt(0)!);
    },
    [token],
    false,
  );
  const turns = Array.from({ length: 30 }, (_, index) => `<|a|>turn ${index}`);
  for (const index of turns.keys()) encode(turns.slice(0, index + 1).join(''));
  expect(read).toBe(turns.join('').length);
});

it('without added tokens a text is read as a whole', () => {
  const encode = () => [1];
  expect(piecewise(encode, [], false)).toBe(encode);
});

it('the tokenizer of a folder gives the tokens of the library', () => {
  const config = JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'));
  const given = '<|start|>user\nWho?<|end|>\n<|start|>assistant\nAnn.<|end|>\n';
  const { ids } = new Tokenizer(bytes, config).encode(given, { add_special_tokens: false });
  expect(openTokenizer(folder).encode(given)).toEqual(ids);
});
