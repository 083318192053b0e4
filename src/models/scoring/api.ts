import type { Json } from '../../domain/canonical-json.ts';
import type { ScoringNumbers } from '../../domain/run/scoring.ts';

/** What is scored, as servers want it. */
export type Scored = {
  model: string;
  /** The conversation of the state, then the action. */
  messages: Json;
  /** The same as one text. */
  text: string;
  /** The conversation and the action, each as a text. */
  pair: { conversation: string; action: string };
  /** Whether the server is to give its numbers without turning them into probabilities. */
  raw: boolean;
};

/** What was said in answer to a request, of which the body is JSON. */
export type Said = ScoringNumbers & {
  /** Tokens that were read; null if the server does not say. */
  promptTokens: number | null;
};

/** How one kind of server is asked for a score. */
export type ScoringApiFacts = {
  /** Which server, and what is known of it, in a few words. */
  about: string;
  /** Pages and files that say so. */
  sources: string[];
  /** From the server's root, not from `/v1`. */
  path: string;
  /** Whether it takes text: a chat template is then not applied, and `text` of the settings says how the conversation is written. */
  takesText: boolean;
  /** Members of the request. */
  request(scored: Scored): { [member: string]: Json };
  /**
   * Its numbers.
   * @param tokens as a header of the answer says, if one does
   * @returns null if the body has another form
   */
  read(body: unknown, tokens: number | null): Said | null;
};
