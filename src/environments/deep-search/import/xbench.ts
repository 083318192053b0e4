/** XBench-DeepSearch: each cell is enciphered with the canary of its row. */
import { z } from 'zod';
import { xored } from '../../../sealed-text.ts';
import type { Form } from './form.ts';

const rowSchema = z.object({
  id: z.string().min(1),
  prompt: z.string().min(1),
  answer: z.string(),
  canary: z.string().min(1),
});

export const xbench: Form = {
  source: 'XBench-DeepSearch (xbench-ai/xbench-evals, MIT)',
  scorer: 'xbench',
  hasCorpus: false,
  read({ value }) {
    const { id, prompt, answer, canary } = rowSchema.parse(value);
    const question = deciphered(prompt, canary, 'prompt').trim();
    const gold = deciphered(answer, canary, 'answer').trim();
    return {
      id,
      question,
      answers: gold ? [gold] : [],
      difficulty: null,
      hops: null,
      context: [],
      split: 'test',
      group: id,
      canary,
    };
  },
};

/** With another canary the bytes are no text, or hold characters that no text has. */
function deciphered(cell: string, canary: string, column: string): string {
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(cell);
  const bytes = xored(Buffer.from(cell, 'base64'), Buffer.from(canary));
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a wrong key gives.
    if (isBase64 && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return text;
  } catch {
    // No UTF-8: the same fault.
  }
  throw new Error(`${column}: the cell cannot be deciphered with the canary of its row`);
}
