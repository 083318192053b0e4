/** What is measured, as it is kept as JSON. */
import type { Agreement } from './agreement.ts';

export type Row = {
  condition: string;
  seed: number;
  trajectories: number;
  successes: number;
  /** Steps in which the method looks for pairs. */
  steps: number;
  /** Of CSO: steps that the PRM or the lack of a gate lets through. */
  candidateSteps: number | null;
  rollouts: number;
  tokens: number | null;
  pairs: number;
  /** Steps that an alternative turned into a success, and those that the policy's own action did; null for RRO. */
  flipRate: number | null;
  placeboFlipRate: number | null;
  /** Audited pairs, and how many of them are better, equal and wrong. */
  audited: { pairs: number; better: number; equal: number; wrong: number };
  /** Of CSO. */
  agreement: Agreement | null;
};

export type Results = { date: string; seeds: number; tasks: number; rows: Row[] };
