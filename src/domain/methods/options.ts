/** Options that several methods share, and what follows from them alone. [P] values are published, [D] ours. */

/** How alternatives are drawn and scored, under every method that has an expert and a PRM. */
export type AlternativeOptions = {
  /** K: alternatives that are drawn at each step; 5 is CSO's [P]. */
  alternatives: number;
  /** Samples of the PRM that are averaged to one score. */
  prmSamples: number;
  /** Whose thought stands before an expert's action: its own, or one that the policy writes for it [D]. */
  thought: 'keep' | 'policy';
  /** Whether the expert's prompt has the environment's hints [D]. */
  expertHints: boolean;
};

/** How pairs are proven, under every method. */
export type VerificationOptions = {
  /** n: rollouts of an alternative. `published` 1, `sound` 8. */
  rollouts: number;
  /** Rollouts of the policy's own action from the same state. `published` 0, `sound` 8. */
  baselineRollouts: number;
  /** Share of candidate steps at which the policy's own action is branched too, to measure luck [D]. */
  placeboRate: number;
  /** Accept when P(p_alternative > p_policy) reaches this [D]. */
  confidence: number;
  /** w0: prior mass on both actions being equally good [D]. */
  tieMass: number;
  /** Successes must hold on variants of the task's data, if the environment has them [D]. */
  confirmOnVariants: boolean;
};

/** Where expert trajectories come from: the expert model, recorded runs, or the environment's own script. */
export type ExpertSource = 'model' | 'imported' | 'scripted';

/** What the expert is asked where its trajectories are used. */
export function askedForTrajectories({ experts }: { experts: ExpertSource | 'none' }): string | null {
  return experts === 'model' ? "for expert trajectories (experts: 'model')" : null;
}

/** Proof that the expert's better outcome is no luck, if whole trajectories are compared. */
export type OutcomeOptions = {
  /** Fresh trajectories of the policy that must confirm the outcome. `published` 0, `sound` 8 [D]. */
  freshTrajectories: number;
  /** A policy that loses must succeed less often than this, and one that wins more often, with the confidence of `verification` [D]. */
  maxPassRate: number;
  /** Share of the pairs that are valued again with fresh rollouts, to see how much of them is luck [D]. */
  revalueRate: number;
};
