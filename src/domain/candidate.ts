import type { Action } from './action.ts';
import type { AssistantMessage } from './message.ts';
import type { CandidateSource } from './pairs/pair.ts';

/** One proposed action in a state. */
export type Candidate = {
  runId: string;
  /** Hash of state and message. */
  id: string;
  nodeId: string;
  source: CandidateSource;
  /** Name of the model that wrote it. */
  model: string;
  /** Order in which it was drawn in its state, from 0; the trajectory's own action is -1. */
  position: number;
  message: AssistantMessage;
  /** Actions of the message's calls; empty if it holds none. */
  actions: Action[];
  /** Equal for equal actions in the same order; null if there is none. */
  canonical: string | null;
};

/**
 * What a process reward model was asked for: `score` decides about a step, `calibrate` only measures the model. Both may score one action,
 * each by its own calls.
 */
export type ScorePurpose = 'score' | 'calibrate';

/** Process reward of a candidate. */
export type Score = {
  runId: string;
  candidateId: string;
  /** `unknown` in scores from earlier versions, if answers and steps do not show it either. */
  purpose: ScorePurpose | 'unknown';
  /** Mean process reward in [0, 1]; null when no sample could be read. */
  score: number | null;
  /** Single scores; null for one that could not be read. */
  samples: (number | null)[];
};
