/** How long the rows of an export are, in tokens. */
export type LengthSummary = {
  measuredBy: 'tokenizer' | 'estimate';
  /** Tokens of the prompt alone. */
  prompt: Spread;
  /** Tokens of the longer side. */
  side: Spread;
  /** Tokens of prompt and longer side: these must fit. */
  total: Spread;
};

export type Spread = { median: number; p95: number; max: number };
