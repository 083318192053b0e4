/** An improvement: its input, what it reports about itself, and what its activities say. */
import type { Phase } from '../improve/rounds.ts';
import type { MethodName } from '../methods/index.ts';

export type ImproveInput = { id: string };

/** `failed`: a fault that the user must look at. It is started again by the same command, and goes on from the phase that failed. */
export type ImproveEnd = 'finished' | 'cancelled' | 'budget' | 'failed';

export type ImproveState = 'running' | 'paused' | ImproveEnd;

export type ImproveResult = {
  state: ImproveEnd;
  /** Rounds that were decided. */
  rounds: number;
  /** Names of the models that it began and ended with. */
  start: string;
  policy: string;
  /** Of the last round that was promoted; 0 for none. */
  policyRound: number;
  /** What stopped it; null if nothing did. */
  fault: { kind: string; message: string } | null;
};

export type ImproveProgress = {
  state: ImproveState;
  round: number;
  /** Rounds in all. */
  rounds: number;
  /** What it is at; null between phases. */
  phase: Phase | null;
};

export type ImprovePlan = {
  rounds: number;
  warmStart: boolean;
  /** Rows below which a round does not train. */
  minRows: number;
  hasTest: boolean;
  /** Rounds without a promotion after which it ends. Absent in histories from earlier versions, which take two. */
  patience?: number;
  /** Whether its server may forget a model in the middle of a campaign. */
  forgets: boolean;
};

export type PhaseAddress = { id: string; round: number; phase: Phase };

/** A campaign that is to run for a phase. */
export type PhaseCampaign = { runId: string; method: MethodName; window: number; title: string; environment: string };

/** Whose model is served: the candidate of a round, the policy at its start, or a policy of the test. */
export type Served = 'candidate' | 'policy' | 'test-start' | 'test-final';

/** A campaign whose model must stay served. */
export type KeptServed = { id: string; round: number; whose: Served; runId: string };

/** Where a round stands after its decision. */
export type RoundEnd = { isPromoted: boolean };
