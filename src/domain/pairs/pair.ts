import type { Json } from '../canonical-json.ts';
import type { Ending } from '../ending.ts';
import type { AssistantMessage, HistoryChange, Message, Tool } from '../message.ts';
import type { MonteCarlo } from '../monte-carlo.ts';
import type { Split } from '../task.ts';

/** Where an action comes from. */
export type CandidateSource = 'policy' | 'expert' | 'imported';

/** How a pair was proven. */
export type VerificationRule = 'none' | 'once' | 'posterior' | 'values' | 'outcome' | 'lasting';

/** What a reader should know about a pair before training on it. Source: ours. */
export type PairFlag =
  /** The chosen action names identifiers or literals that its state does not contain. */
  | 'ungrounded'
  /** The chosen action's text speaks of guidance that only the expert saw. */
  | 'hint-mention'
  /** At most one policy step follows the alternative: the expert, not the policy, solved the task. */
  | 'solves-alone'
  /** The trajectory was imported: another model or prompt than the policy made it. */
  | 'off-policy'
  /** The expert's guidance used the gold answer. */
  | 'oracle'
  /** Only a single branch, or a single trajectory of the policy, supports it; luck alone may have made it. */
  | 'verified-once'
  /** Scores alone made it (Step-DPO by scores, or the ablation without verification): no branch supports it. */
  | 'unverified'
  /** The same few rollouts or trajectories that found the pair are its only proof: it was selected for its gap, so the gap is overrated. */
  | 'selected-by-gap'
  /** The agent reads the same after both actions, and the environment does not tell whether their states differ. */
  | 'same-observation'
  /** The chosen action was drawn in a conversation other than the pair's, which led to the same state. */
  | 'other-history';

/** One action of a pair, with all that is known about it. */
export type CertifiedAction = {
  candidateId: string;
  source: CandidateSource;
  model: string;
  message: AssistantMessage;
  /** `canonicalAction` of the environment; null for a malformed action. */
  canonical: string | null;
  /** Process reward in [0, 1]; null when the PRM gave no readable score or was not asked. */
  score: number | null;
  /**
   * Lengths in tokens as the provider reported them when the message was written: of the prompt that it answers (an expert's holds its
   * guidance too), and of the message. For a side of several turns: the first prompt, and its messages together. Null if no model of the run
   * wrote it, or the length was not reported. Absent in certificates from earlier versions.
   */
  promptTokens?: number | null;
  completionTokens?: number | null;
  /**
   * Log-probability that the policy gave its own message, or all messages of its side, as its endpoint reported it. Null for what the policy
   * did not write word for word, and if the endpoint was not asked (`logprobs`) or reported none. Absent in certificates from earlier
   * versions.
   */
  policyLogprob?: number | null;
};

/** One branch that speaks for or against a pair. */
export type CertifiedBranch = {
  branchId: string;
  /** The side of the pair whose action the branch takes first. */
  side: 'chosen' | 'rejected';
  /** Number of the rollout among those of the same action and purpose, from 0. */
  rollout: number;
  purpose: string;
  /** Seed of the first model call after the branch point; null when none was made. */
  seed: number | null;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** Flags of a success that the environment's audit flagged, which makes the branch a missing one; absent for any other. */
  auditFlags?: string[];
  /** Policy steps after the branch point. */
  steps: number;
  leafNodeId: string;
};

/**
 * The proof behind a pair: enough to check it again offline (`crux verify-pair`). Nothing in it depends on timing, so that equal seeds give
 * equal certificates; only `attempts` counts what happened during the work.
 */
export type Certificate = {
  schemaVersion: 1;
  pairId: string;
  runId: string;
  method: string;
  preset: 'published' | 'sound';
  environment: { name: string; version: string; verifier: { [name: string]: Json } };
  task: { id: string; group: string; split: Split };
  /** State s_t. */
  nodeId: string;
  /** t, from 1. */
  step: number;
  trajectoryId: string;
  chosen: CertifiedAction;
  rejected: CertifiedAction;
  /** Last states of the sides, if they are more than single actions; absent otherwise. */
  leaves?: { chosen: string; rejected: string };
  branches: CertifiedBranch[];
  verification: {
    /**
     * `none`: not verified. `once`: one successful branch. `posterior`: better than the rejected action. `values`: by mean outcome rewards.
     * `outcome`: by the final rewards of two trajectories. `lasting`: by these, and fresh trajectories of the policy confirm it.
     */
    rule: VerificationRule;
    chosenSuccesses: number;
    chosenRollouts: number;
    /** Rollouts of the rejected action from the same state; 0 under `published`. */
    rejectedSuccesses: number;
    rejectedRollouts: number;
    /** Branches that ended by a fault, or by a success that the environment's audit flagged: missing, counted against the pair. */
    missing: number;
    /** P(p_chosen > p_rejected); with `lasting`, the probability that the policy's success rate is on the right side. Null if the rule needs none. */
    posterior: number | null;
    /** Mean outcome rewards of the two actions' rollouts; null if the rule compares none. */
    values: { chosen: number; rejected: number } | null;
    /** Standard errors of these means; null for an outcome that is certain, or a single rollout. Absent without values. */
    standardErrors?: { chosen: number | null; rejected: number | null };
    /** Final rewards of the two continuations; absent if single actions are compared. */
    outcomes?: { chosen: number; rejected: number };
    /** Whether the successful branch also fits what was left of the original step budget. */
    fitsOriginalBudget: boolean;
    /** Whether the success held on variants of the task's data; null if the environment has none or confirmation was switched off. */
    confirmed: boolean | null;
    /**
     * Whether the environment's audit looked at every success among the branches. Null if it has no audit, or nothing was verified. Absent in
     * certificates from earlier versions.
     */
    audited?: true | null;
  };
  restore: {
    /** By replay of its actions, from its snapshot, or by telling a session the recorded steps. */
    method: 'replay' | 'snapshot' | 'recording';
    /** Observations of the prefix that were compared with the recorded ones. All were equal: otherwise there is no pair. 0 if nothing was restored. */
    comparedObservations: number;
    /**
     * `live`: what the branches did after the state cannot be made again, because results may differ from one time to the next. Absent where actions
     * always give the same, and in certificates from earlier versions.
     */
    after?: 'live';
  };
  models: { [role: string]: { model: string; sampling: { [name: string]: Json }; promptVersion: string } };
  /** If rollouts of the policy gave the scores: they select actions, and are no evidence for the pair. Absent if a model scores, or nothing does. */
  monteCarlo?: MonteCarlo;
  thresholds: { [name: string]: number };
  attempts: { asks: number; faults: number };
  tokens: { [role: string]: { prompt: number | null; completion: number | null } };
  /** Micro-dollars of all calls behind the pair; null when any price or usage is unknown. */
  costMicroUsd: number | null;
  flags: PairFlag[];
};

/** A pair as it was recorded with the step that gave it, without its conversation. */
export type RecordedPair = {
  runId: string;
  /** Hash of its state and its sides. */
  id: string;
  trajectoryId: string;
  taskId: string;
  group: string;
  nodeId: string;
  /** t, from 1. */
  step: number;
  chosenId: string;
  rejectedId: string;
  /** Where each side ends; null when a side is its single action. */
  chosenLeaf: string | null;
  rejectedLeaf: string | null;
  flags: PairFlag[];
  certificate: Certificate;
};

/** A pair as exports and reports read it. */
export type Pair = {
  id: string;
  runId: string;
  taskId: string;
  group: string;
  step: number;
  /** The policy's conversation up to s_t, to the letter. */
  prompt: Message[];
  /** Whether the policy also read reasoning of its earlier messages, in a member that the prompt lacks. Absent: the prompt is all that it read. */
  reasoningLeftOut?: true;
  /** Tools offered in that conversation; empty for text formats. */
  tools: Tool[];
  /** One assistant message for step pairs; the rest of the conversation for trajectory pairs. */
  chosen: Message[];
  rejected: Message[];
  /** Why no row can hold a side; absent if one can. */
  change?: HistoryChange;
  /** Whether its task is sealed: a text of a benchmark that is not to be trained on. Absent: it is not. */
  sealed?: true;
  flags: PairFlag[];
  certificate: Certificate;
};
