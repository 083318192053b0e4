/**
 * What the report shows of a run: plain data, made by a query over the store. Absent is null everywhere and is shown as "unknown", "not scored" or
 * "not branched", never as 0.
 */

import type { AuditFlags } from '../domain/audit-flags.ts';
import type { Ending } from '../domain/ending.ts';
import type { TrajectoryOrigin } from '../domain/example.ts';
import type { MalformedShare } from '../domain/malformed.ts';
import type { CandidateSource, Pair } from '../domain/pairs/pair.ts';
import type { PairQuality } from '../domain/pairs/quality.ts';
import type { UnpairedCounts } from '../domain/pairs/unpaired.ts';
import type { Share } from '../domain/statistics/exact-bound.ts';
import type { Split } from '../domain/task.ts';
import type { CutObservations } from '../store/cut-observations.ts';
import type { EnvironmentSteps } from '../store/environment-steps.ts';
import type { Estimate } from './audit.ts';
import type { AuditedSuccesses } from './audited-successes.ts';
import type { Evaluation } from './evaluation.ts';
import type { FalsePairs } from './false-pairs.ts';
import type { Revalued } from './revalued.ts';
import type { UnpairedView } from './unpaired.ts';

export type RunView = {
  run: {
    id: string;
    method: string;
    preset: string;
    environment: { name: string; version: string };
    seed: number;
    /** Model by role. */
    models: { [role: string]: string };
    /** The kind of its PRM, in words; null if it asks none. */
    prmKind: string | null;
    /** ISO 8601; null while unknown. */
    startedAt: string | null;
    finishedAt: string | null;
    state: string;
    /** Why a blocked run stands still, in the server's words; null if it is not blocked. */
    block: string | null;
    /** A note to read first, e.g. "simulated: engine behaviour, not model quality"; null for none. */
    notice: string | null;
    /** Scores below `low` mark a candidate critical step, above `high` an alternative worth a branch; null if the method has none. */
    thresholds: { low: number; high: number } | null;
  };
  summary: SummaryView;
  /** What an evaluation found; null for other methods. */
  evaluation: Evaluation | null;
  /** One row per role, in display order. */
  ledger: LedgerView[];
  /** Absent or empty if the environment's steps cost nothing. */
  environmentCosts?: EnvironmentCostView[];
  /** Sentences about costs of steps that are unknown or too high. */
  environmentCostNotes?: string[];
  environmentSteps: EnvironmentSteps;
  /** The faults, and how many trajectories have no outcome, each as a sentence. */
  faults: string[];
  /** Observations of which models read only a part; absent if they were not counted. */
  cutObservations?: CutObservations & { limit: number | null };
  /** Messages of the policy that hold no action; absent if they were not counted. */
  malformed?: MalformedShare;
  tasks: TaskView[];
};

export type SummaryView = {
  tasks: number;
  trajectories: number;
  /** How the trajectories ended, with how many of them succeeded, and of how many the environment's audit flagged the success (absent: not counted). */
  endings: { ending: Ending; count: number; successes: number; flagged?: number }[];
  /** Trajectories that failed through the policy itself. */
  failures: number;
  /** Policy steps of the failed trajectories; null if they were not counted. */
  failedSteps: number | null;
  /** CSO's; null for other methods. */
  candidateSteps: number | null;
  branches: number | null;
  /** What the environment's audit said about successes; null if it was asked about none, absent if nobody counted. */
  auditedSuccesses?: AuditedSuccesses | null;
  verifiedPairs: number;
  /** Why other pairs were not made; null under methods that make none. */
  unpaired: UnpairedView | null;
  /** Share of the audited pairs of each quality, with its interval, and how many pairs were audited; null for a run without an audit. */
  pairQuality: ({ [quality in PairQuality]: Estimate } & { pairs: number }) | null;
  /** How fresh rollouts change the differences that selected the pairs; null if no pair was valued again. */
  revalued: Revalued | null;
  /** The run's own estimate of its false pairs; null if it has no data for one. */
  estimatedFalsePairs: FalsePairs | null;
  /** Branches through alternatives with an outcome, and how many succeeded. Null if there are no branches. */
  flips: BranchedShare | null;
  /** The same for branches through the policy's own action at the placebo steps. */
  placeboFlips: BranchedShare | null;
  /** The figures by which methods are compared; null if undefined or unknown. */
  comparison: {
    candidatesPerStep: number | null;
    rolloutsPerVerifiedPair: number | null;
    tokensPerVerifiedPair: number | null;
    /** Micro-dollars. */
    costPerVerifiedPairMicroUsd: number | null;
    /** In [0, 1]: steps with a pair ÷ policy steps of the trajectories that the method mines (under CSO the failed ones). */
    supervisedShare: number | null;
    /** The steps behind it. */
    supervisedSteps: Share;
  };
};

/** Besides those with an outcome: the branches that a fault, a ceiling or a cancellation left without one. */
export type BranchedShare = Share & { faulted: number };

/** What the environment's steps cost for one purpose. */
export type EnvironmentCostView = {
  purpose: string;
  /** Steps that were really taken. */
  steps: number;
  /** Null if the cost of any is unknown. */
  costMicroUsd: number | null;
};

export type LedgerView = {
  role: string;
  calls: number;
  /** Calls answered by the journal; null if they were not counted. */
  cachedCalls: number | null;
  promptTokens: number | null;
  completionTokens: number | null;
  /** Null if a price or a usage is unknown. */
  costMicroUsd: number | null;
  /** How long the provider kept the calls waiting, all added up; null if some calls did not record it. */
  throttledMs: number | null;
  /** How long our own limits on places and rate kept them waiting; null if the two were not recorded apart, and `throttledMs` holds both. */
  queuedMs: number | null;
};

export type TaskView = {
  id: string;
  title: string;
  group: string;
  split: Split;
  trajectories: TrajectoryView[];
  pairs: Pair[];
};

export type TrajectoryView = {
  id: string;
  /** Its maker: the policy, another agent (a recorded one that is mined), or an expert. */
  origin: TrajectoryOrigin;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** What the environment's audit says about a success; null if it was not asked. */
  auditFlags: AuditFlags;
  steps: StepView[];
};

export type ActionView = {
  thought: string;
  action: string;
  /** Process reward in [0, 1]; null if not scored. */
  score: number | null;
};

export type StepView = ActionView & {
  /** t, from 1. */
  step: number;
  /** Results of the actions. Null if the step had none, as after a fault. */
  observation: string | null;
  /** What a user said after the results, message by message; absent if nobody did. */
  userSaid?: string[];
  /** The action that was really executed; null if the message held none, absent if it was not looked up. */
  executed?: string | null;
  /** The model's thoughts apart from its message; null if there were none or the server reported none, absent if they were not looked up. */
  reasoning?: string | null;
  candidateCritical: boolean;
  /** Whether a judge named it as the first wrong step. */
  firstError: boolean;
  alternatives: AlternativeView[];
  /** Pairs that the step could have given and did not, by reason; empty if it was not judged. */
  unpaired: UnpairedCounts;
  /** Branches through the policy's own action here: placebo and baseline. */
  ownBranches: BranchView[];
};

export type Verdict =
  | 'verified'
  /** Branched, and the policy did not succeed from there (often enough). */
  | 'not-verified'
  /** Branched, but faults or a ceiling left no verdict. */
  | 'undecided'
  | 'not-branched';

export type AlternativeView = ActionView & {
  candidateId: string;
  source: CandidateSource;
  verdict: Verdict;
  branches: BranchView[];
};

export type BranchView = {
  id: string;
  purpose: string;
  ending: Ending;
  reward: number | null;
  success: boolean | null;
  /** What the environment's audit says about a success; null if it was not asked. */
  auditFlags: AuditFlags;
  /** Policy steps after the branch point. */
  steps: number;
};
