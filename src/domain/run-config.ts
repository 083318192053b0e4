/** What a run was started with, every default filled in: stored with the run, and all that its activities go by. */
import type { AgentFormatName } from './action.ts';
import type { Json } from './canonical-json.ts';
import type { LeakedGroup } from './lineage.ts';
import type { DialectName, RequestShape, SystemRole } from './request-shape.ts';
import type { Split } from './task.ts';

export type { Ceilings } from './ceilings.ts';

/** Methods that give something to learn from. */
export const methodNames = ['cso', 'rro', 'ipr', 'eto', 'step-dpo', 'rft', 'sft'] as const;

export type MethodName = (typeof methodNames)[number] | 'evaluate';

/** A model in one role. */
export type RoleSettings = {
  /** Name of an endpoint of the worker's configuration: addresses and keys stay there. */
  endpoint: string;
  model: string;
  temperature: number;
  topP: number | null;
  /** Most tokens that one answer may have. */
  maxTokens: number;
  /** US dollars per million tokens; null when unknown, which makes every cost unknown. */
  price: { input: number; output: number } | null;
  /** More members for the request body, as the endpoint takes them. */
  extraBody: { [name: string]: Json };
  /** What the server makes of requests; absent in runs from before requests could be shaped, which go on as they began. */
  dialect?: DialectName;
  /** The user's own changes to the request's members; absent as above. */
  request?: RequestShape;
  /** Whether the system message is folded into the first user message; absent as above. */
  systemRole?: SystemRole;
  /** Runs whose data the model was trained on, and `none` where that is all; absent when nobody said. */
  trainedOn?: string[];
};

export type Role = 'policy' | 'expert' | 'prm';

export type RunConfig = RunSettings &
  (
    | { method: 'cso'; options: CsoOptions }
    | { method: 'rro'; options: RroOptions }
    | { method: 'ipr'; options: IprOptions }
    | { method: 'eto'; options: EtoOptions }
    | { method: 'step-dpo'; options: StepDpoOptions }
    | { method: 'rft'; options: RftOptions }
    | { method: 'sft'; options: SftOptions }
    | EvaluationConfig
  );

/** An evaluation, and what it was allowed to be tested on all the same. */
export type EvaluationConfig = {
  method: 'evaluate';
  options: EvaluateOptions;
  /** Groups of the test that the policy has seen, or may have: every figure is given without them too. Empty for a clean test. */
  leaked: LeakedGroup[];
};

/** @throws Error for a run of another method: its activities do not belong to it */
export function csoOptionsOf(config: RunConfig): CsoOptions {
  if (config.method !== 'cso') throw new Error(`A run of ${config.method} has no options of CSO.`);
  return config.options;
}

/** @throws Error for a run of another method */
export function stepDpoOptionsOf(config: RunConfig): StepDpoOptions {
  if (config.method !== 'step-dpo') throw new Error(`A run of ${config.method} has no options of Step-DPO.`);
  return config.options;
}

/** Whether pairs come of wrong steps that a judge names in failures. */
export function selectsFirstErrors({ method, options }: RunConfig): boolean {
  return method === 'step-dpo' && options.select === 'first-error';
}

/** @throws Error for a run of a method that has no alternatives */
export function alternativeOptionsOf(config: RunConfig): AlternativeOptions {
  if (!('alternatives' in config.options))
    throw new Error(`A run of ${config.method} has no alternatives of an expert.`);
  return config.options;
}

/** @throws Error for a run of a method that proves no pairs by branches */
export function verificationOf(config: RunConfig): VerificationOptions {
  const { options } = config;
  if (!('verification' in options) || !options.verification)
    throw new Error(`A run of ${config.method} verifies nothing.`);
  return options.verification;
}

/** Whether successes must hold on variants of the task's data, where the environment has them: as the method says, else always. */
export function confirmsOnVariants({ options }: RunConfig): boolean {
  if ('verification' in options && options.verification) return options.verification.confirmOnVariants;
  return 'confirmOnVariants' in options ? options.confirmOnVariants : true;
}

/** @throws Error for a run of a method that uses no expert trajectories */
export function expertSourceOf(config: RunConfig): ExpertSource | 'none' {
  if (!('experts' in config.options)) throw new Error(`A run of ${config.method} has no expert trajectories.`);
  return config.options.experts;
}

/** How a model is asked: ETO and IPR have a temperature of their own for the policy's trajectories that they contrast with the expert's. */
export function settingsFor({ models, options }: RunConfig, role: Role, purpose: string): RoleSettings {
  const contrasts = role === 'policy' && (purpose === 'explore' || purpose === 'contrast');
  return contrasts && 'temperature' in options ? { ...models.policy, temperature: options.temperature } : models[role];
}

export type MethodOptions = BranchingOptions | StepDpoOptions | RftOptions | SftOptions | EvaluateOptions;

/** Of the methods that prove pairs by branches. */
export type BranchingOptions = CsoOptions | RroOptions | IprOptions | EtoOptions;

/** What is the same for every method. */
export type RunSettings = {
  schemaVersion: 1;
  preset: 'published' | 'sound';
  environment: string;
  environmentVersion: string;
  split: Split;
  /** Whether the policy makes its own trajectories, or recorded ones are mined. */
  trajectories: 'policy' | 'imported';
  format: AgentFormatName;
  /** Steps of a trajectory, and of a branch from its branch point. */
  stepLimit: number;
  /** Most tokens of a conversation; null for no limit but the model's own. */
  tokenLimit: number | null;
  /** `rollout`: a branch runs inside one activity. `call`: a workflow of its own with an activity per call. Same pairs either way. */
  granularity: 'rollout' | 'call';
  /**
   * Texts before which answers of policy and expert end, so that no model writes its own observations; empty for none, absent in runs from before
   * there were any.
   */
  stop?: string[];
  /** Activities that one trajectory keeps under way at once, 1 to 200. */
  parallel: number;
  /** Trajectories that the campaign keeps under way at once, 1 to 500. */
  window: number;
  models: { [role in Role]: RoleSettings };
};

/** The models that a run asks: an evaluation only the policy. */
export function askedModels({ method, models }: Pick<RunConfig, 'method' | 'models'>): {
  [role: string]: RoleSettings;
} {
  return method === 'evaluate' ? { policy: models.policy } : models;
}

/** `blocked`: a model's provider stands still until somebody acts. No task ends for it; the run goes on when it is taken up again. */
export type RunState = 'running' | 'paused' | 'blocked' | 'cancelled' | 'budget' | 'finished' | 'failed';

/** How alternatives are drawn and scored, under every method that has an expert and a PRM. */
export type AlternativeOptions = {
  /** K: alternatives that are drawn at each step; 5 is CSO's [P]. */
  alternatives: number;
  /** Samples of the PRM that are averaged to a score. */
  prmSamples: number;
  /** Whose thought goes before an expert's action: its own, or one that the policy writes for it [D]. */
  thought: 'keep' | 'policy';
  /** Whether the expert's prompt has the environment's hints [D]. */
  expertHints: boolean;
};

/** Options of CSO. [P] values are those of the paper (arXiv 2602.03412), [D] ours. */
export type CsoOptions = AlternativeOptions & {
  /** γ_low [P]: a step is a candidate only if its action scores below. */
  gammaLow: number;
  /** γ_high [P]: an alternative is branched only if it scores above. */
  gammaHigh: number;
  /** Ablation [P]: without the gate, every step and alternative is branched, and the PRM is not asked. */
  gate: boolean;
  /** Ablation [P]: without verification, a pair is emitted for the best alternative over γ_high. */
  verify: boolean;
  /** Who the chosen and the rejected action come from [P], e.g. `expert/policy`. */
  pairSources: 'expert/policy' | 'expert/expert' | 'policy/policy' | 'policy/expert';
  /** Most alternatives branched at a step, best first; null for all [D]. */
  branchesPerStep: number | null;
  /** Branch alternatives one after the other and stop at the first that is verified [D]. */
  stopAtFirst: boolean;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a task; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
  /** Tasks whose samples succeed more often than this are not mined; null for no limit [D]. Needs several samples a task. */
  maxPassRate: number | null;
  /**
   * Share of all scored actions that are rolled out once to calibrate the PRM, below the thresholds and in successful trajectories too [D].
   * Absent in runs of before.
   */
  calibrationRate?: number;
  /** Run whose groups γ_low and γ_high were chosen on, for the leak guard; null where on none, absent in runs from before it was asked. */
  thresholdsFrom?: string | null;
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
  /** Successes must hold on variants of the task's data, where the environment has them [D]. */
  confirmOnVariants: boolean;
};

/** Options of RRO. [P] values are those of the paper (arXiv 2505.20737), [D] ours. */
export type RroOptions = {
  /**
   * `rising` [P]: draw until an action's value rises. `fixed`: always draw all, the baseline of the paper. `random`: stop by chance alone, a
   * control [D].
   */
  exploration: 'rising' | 'fixed' | 'random';
  /** With random exploration: the chance to stop after each action that was drawn [D]. */
  stopProbability: number;
  /** K: most actions drawn at a step [D]. */
  draws: number;
  /** m: rollouts that value an action [D]. */
  rollouts: number;
  /** τ: least difference of values for a pair [D]. */
  gap: number;
  /** ε: a step whose value so far is at least 1 − ε cannot rise: its first action is taken at once [D]. */
  saturation: number;
  /** Value that the next step must rise above: the accepted action's own (`reuse`), or fresh rollouts of it (`fresh`) [D]. */
  previousValue: 'reuse' | 'fresh';
  /**
   * `cannot-rise`: an action is valued two rollouts at a time, and given up when it can no longer rise; `none` [P]: always all. Absent in runs
   * of before [D].
   */
  valueStopping?: 'none' | 'cannot-rise';
  /** Draw one more action where the first one rises at once, so that there is something to compare it with [D]. */
  extraDraw: boolean;
  /** Share of the pairs whose actions are valued again with fresh rollouts, to see what selection by gap overrates [D]. */
  revalueRate: number;
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a task; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

/** Options of Step-DPO. [P] values are those of the paper (arXiv 2406.18629), [D] ours. */
export type StepDpoOptions = AlternativeOptions & {
  /**
   * What a pair is selected by. `scores` [D]: those of the PRM, at every step. `first-error` [P]: a judge names the first wrong step of a
   * failure, and the policy takes it anew until it succeeds. Absent in runs of before, which all go by scores.
   */
  select?: 'scores' | 'first-error';
  /** With `first-error`: how often the policy draws the wrong step anew; the paper's 20 [P]. Absent in runs of before. */
  resamples?: number;
  /** With `scores`: least difference for a pair [D]. */
  gap: number;
  /** Share of the pairs whose actions are rolled out again, to see what their selection is worth [D]. Absent in runs of before. */
  revalueRate?: number;
  /** Under `sound`, fresh rollouts must bear the scores out. Absent in runs of before. */
  verification?: VerificationOptions;
  /** Most pairs kept of a step, which gives one at most, and of a task; null for all. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

/** Where expert trajectories come from: the expert model, recorded runs, or the environment's own script. */
export type ExpertSource = 'model' | 'imported' | 'scripted';

/** How it is proven that the expert's better outcome is no luck, where whole trajectories are compared. */
export type OutcomeOptions = {
  /** Fresh trajectories of the policy that must bear the outcome out. `published` 0, `sound` 8 [D]. */
  freshTrajectories: number;
  /** A policy that loses must succeed less often than this, one that wins more often, with the confidence of `verification` [D]. */
  maxPassRate: number;
  /** Share of the pairs that are valued again with fresh rollouts, to see what luck makes of them [D]. */
  revalueRate: number;
};

/** Options of IPR. [P] values are those of the paper (arXiv 2406.11176), [D] ours. */
export type IprOptions = OutcomeOptions & {
  experts: ExpertSource;
  /** Temperature of the policy's trajectories that the expert's are contrasted with: 0 [P]. */
  temperature: number;
  /** N: rollouts that value a step; 5 [P]. */
  rollouts: number;
  /** τ: least difference of both outcome and step value for a step pair [P: 0.01 WebShop, 0.1 SQL]. */
  gap: number;
  /** What a step pair contrasts: the rest of the trajectories [P], or the single actions. */
  contrast: 'rest' | 'action';
  verification: VerificationOptions;
  /** Most pairs kept of a step and of a task; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

/** Options of ETO. [P] values are those of the paper (arXiv 2403.02502), [D] ours. */
export type EtoOptions = OutcomeOptions & {
  experts: ExpertSource;
  /** Temperature of the policy's trajectory: 0 [P]. */
  temperature: number;
  /** The losing policy's side is cut to the expert's length and this many steps: 5 [P]; null for the whole. */
  stepsBeyondExpert: number | null;
  verification: VerificationOptions;
  /** Most pairs kept of a task, which gives one for each sample; null for all [D]. */
  pairsPerStep: number | null;
  pairsPerTask: number | null;
};

/** Options of rejection-sampling fine-tuning. [P] values are those of the ETO paper (arXiv 2403.02502), its baseline; [D] ours. */
export type RftOptions = {
  /** N: trajectories that are sampled of a task; 10 [P]. */
  trajectories: number;
  /** Most examples kept of a task, different in their actions; 2 [P], null for all. */
  examplesPerTask: number | null;
  /** A task must be solved this often. `published` 1, `sound` 2: a success that does not come again may be luck [D]. */
  leastSuccesses: number;
  /** Successes must hold on variants of the task's data, where the environment has them [D]. */
  confirmOnVariants: boolean;
  /** Whose expert trajectories are added [P]; `none` where the user has them already. */
  experts: ExpertSource | 'none';
};

/** Options of SFT. */
export type SftOptions = {
  experts: ExpertSource;
  /** Which expert trajectories are examples. */
  keep: 'successful' | 'all';
  /** Successes must hold on variants of the task's data. `published` false, `sound` true [D]. */
  confirmOnVariants: boolean;
};

/** Options of an evaluation. */
export type EvaluateOptions = {
  /** A success must hold on variants of the task's data, where the environment has them; else it counts as coincidental. */
  confirmOnVariants: boolean;
};
