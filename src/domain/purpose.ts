/** What calls and branches are for: every purpose once, with what follows from it. Calls for different purposes never share an answer. */

type PurposeFacts = {
  /**
   * Whose ceilings its calls count for: the `trajectory` that they make or judge, the `state` in which they are made, the state that their
   * `rollout` started from, or an `audit` after the run, which counts for no task. What a session asks counts for the `step` in which it asks.
   */
  countsFor: 'trajectory' | 'state' | 'rollout' | 'audit' | 'step';
  /** Whether branches are made for it. */
  branches: boolean;
  /** Whether it only measures luck or a model, and is no part of what the pairs needed. */
  measures: boolean;
  /** Whether its answers are actions that may become a side of a pair. */
  writesSides: boolean;
};

const call = (countsFor: PurposeFacts['countsFor'], writesSides = false) =>
  ({ countsFor, branches: false, measures: false, writesSides }) as const;
const branch = ({ countsFor = 'rollout', measures = false, writesSides = false }: Partial<PurposeFacts> = {}) =>
  ({ countsFor, branches: true, measures, writesSides }) as const;

export const purposes = {
  /** The policy's own trajectory. */
  explore: call('trajectory', true),
  /** Actions that are drawn in a state: the expert's alternatives, or the policy's own draws. */
  propose: call('state', true),
  /** Process rewards that decide about a step. */
  score: call('state'),
  /** The first wrong step, which a judge names from the whole trajectory. */
  locate: call('trajectory'),
  /** The expert's trajectory. */
  demonstrate: call('trajectory', true),
  /** A trajectory of an evaluation. */
  evaluate: call('trajectory'),
  /** Proof of pairs: through the better action, and from the state through the other one. */
  verify: branch(),
  baseline: branch(),
  /** The policy's own action once more: what luck alone gives. */
  placebo: branch({ measures: true }),
  /** Value of a state or action. */
  value: branch(),
  /** A fresh value, for the next step to rise above. */
  're-value': branch(),
  /** A fresh value, to see how much selection overrates. */
  're-estimate': branch({ measures: true }),
  /** The policy's continuation, to compare with the expert's. */
  contrast: branch({ writesSides: true }),
  /** One more trajectory of the policy. */
  sample: branch({ countsFor: 'trajectory' }),
  /** Outcomes of an action that was drawn anew at a wrong step. */
  resample: branch(),
  /** Scores of actions, and the outcomes of these actions, to see how far scores can be trusted. */
  calibrate: branch({ measures: true }),
  /** Outcomes of an action that are its score under the Monte Carlo PRM. They select what is verified, so they verify nothing. */
  screen: branch(),
  /** The same for a score that only measures the PRM. */
  gauge: branch({ measures: true }),
  /** An environment's session asks for a grade. */
  grade: call('step'),
  /** An environment's session asks for the words of a simulated user. */
  user: call('step'),
  /** An audit after the run. */
  reference: branch({ countsFor: 'audit', measures: true }),
} as const satisfies { [purpose: string]: PurposeFacts };

export type Purpose = keyof typeof purposes;

/** What a branch is for. */
export type BranchPurpose = {
  [name in Purpose]: (typeof purposes)[name]['branches'] extends true ? name : never;
}[Purpose];

/** Purposes with a fact, in their order. */
export function purposesThat(fact: 'branches' | 'measures' | 'writesSides'): Purpose[] {
  return (Object.keys(purposes) as Purpose[]).filter((name) => purposes[name][fact]);
}

export function isMeasurement(purpose: string): boolean {
  return Object.hasOwn(purposes, purpose) && purposes[purpose as Purpose].measures;
}

/** A call of a ledger: its own purpose, and for a session's question what the step is taken for in which it asks. */
export type LedgerPurpose = { purpose: string; within: string | null };

/** Which work a call is part of: a session's question belongs to the work that takes the step. */
export function workOf({ purpose, within }: LedgerPurpose): string {
  return within ?? purpose;
}

/** E.g. `grade in verify`. */
export function purposeText({ purpose, within }: LedgerPurpose): string {
  return within === null ? purpose : `${purpose} in ${within}`;
}

/** An audit's calls and branches: they are kept apart from everything that the run itself did. */
export function isOfAudit(purpose: string): boolean {
  return Object.hasOwn(purposes, purpose) && purposes[purpose as Purpose].countsFor === 'audit';
}
