/** What an environment's sessions ask models: grades of a judge, the words of a simulated user. */
import type { Message } from './message.ts';

/** Which model answers for which purpose. */
export const rolesAsked = { grade: 'grader', user: 'user' } as const;

export type AskPurpose = keyof typeof rolesAsked;

/** Role of a model that sessions ask. */
export type SessionRole = (typeof rolesAsked)[AskPurpose];

export const askPurposes = Object.keys(rolesAsked) as AskPurpose[];
export const sessionRoles: readonly SessionRole[] = Object.values(rolesAsked);

/** One question. */
export type AskRequest = {
  purpose: AskPurpose;
  /** The whole conversation that the model reads: it knows nothing of earlier questions. */
  messages: Message[];
  /** Most tokens of the answer. Default: that of the role. */
  maxTokens?: number;
  /** From 0 to 2. Default: that of the role. */
  temperature?: number;
};
