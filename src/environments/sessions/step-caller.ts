import type { Run } from '../../store/runs.ts';

/** For whom a session takes a step. */
export type StepCaller = {
  /** Recorded as the one who took the step, unless it is recorded already: `recorderOf` a run, or the scope of an import. Null for nobody. */
  recordedBy: string | null;
  /** The run that needs the step, and pays for what the step asks of models; null for an import. */
  run: Run | null;
  /** Purpose and stream of the call that wrote the action: which trajectory or rollout the step belongs to. Empty for an import. */
  purpose: string;
  stream: string;
};

/** A step that is taken for no run and noted for nobody. */
export const nobody: StepCaller = { recordedBy: null, run: null, purpose: '', stream: '' };
