/** The settings that a run was started with, every default filled in. They are stored with the run, and its activities use no others. */
import type { AgentFormatName, CallRule } from '../action.ts';
import { type SessionRole, sessionRoles } from '../ask.ts';
import type { Json } from '../canonical-json.ts';
import {
  type CsoOptions,
  type EtoOptions,
  type EvaluateOptions,
  type IprOptions,
  type MethodName,
  type MethodOptions,
  methods,
  type OptionsOf,
  type OtherRole,
  type RroOptions,
  type StepDpoOptions,
} from '../methods/index.ts';
import type { AlternativeOptions, ExpertSource, VerificationOptions } from '../methods/options.ts';
import type { MonteCarlo } from '../monte-carlo.ts';
import type { Split } from '../task.ts';
import type { LeakedGroup } from './lineage.ts';
import type { DialectName, RequestShape, SystemRole } from './request-shape.ts';
import type { ScoringSettings } from './scoring.ts';
import type { TransitionOwner } from './transitions.ts';

export type { Ceilings } from './ceilings.ts';

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
  /** The dialect of its server; absent in runs from before requests could be shaped, which continue as they began. */
  dialect?: DialectName;
  /** The user's own changes to the request's members; absent as above. */
  request?: RequestShape;
  /** Whether the system message is folded into the first user message; absent as above. */
  systemRole?: SystemRole;
  /**
   * What later requests hold of the model's reasoning: nothing (`apart`), a `<think>` block at the head of its message (`text`), or the
   * member `reasoning_content` (`member`). Absent in runs from earlier versions, which do not separate reasoning in a text from the rest of
   * it.
   */
  reasoning?: 'apart' | 'text' | 'member';
  /** Of the PRM: what makes a step good, in the user's own words, in place of ours; absent for ours. */
  rubric?: string;
  /** Of a PRM behind a scoring endpoint: how its numbers become scores. Temperature, length and topP mean nothing there. Absent for a model that is asked in a chat. */
  scoring?: ScoringSettings;
  /** Runs whose data the model was trained on, and `none` if that is all; absent if the user did not say. */
  trainedOn?: string[];
};

/** Role of a model that methods ask. */
export type MethodRole = 'policy' | OtherRole;

export type Role = MethodRole | SessionRole;

export type RunConfig = RunSettings & (Learning[Exclude<MethodName, 'evaluate'>] | EvaluationConfig);

/** By name, a method with its own options. */
type Learning = { [name in MethodName]: { method: name; options: OptionsOf[name] } };

/** An evaluation, and the groups on which it was allowed to test in spite of a leak. */
export type EvaluationConfig = {
  method: 'evaluate';
  options: EvaluateOptions;
  /** Groups of the test that the policy has seen, or may have seen: every figure is also given without them. Empty for a clean test. */
  leaked: LeakedGroup[];
};

export function isEvaluation(config: RunConfig): config is RunSettings & EvaluationConfig {
  return methods[config.method].gives === 'figures';
}

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

/** Whether a judge names wrong steps in failures, from which the pairs are made. */
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

/** Whether successes must hold on variants of the task's data, if the environment has them: as the method says, else always. */
export function confirmsOnVariants({ options }: RunConfig): boolean {
  if ('verification' in options && options.verification) return options.verification.confirmOnVariants;
  return 'confirmOnVariants' in options ? options.confirmOnVariants : true;
}

/** @throws Error for a run of a method that uses no expert trajectories */
export function expertSourceOf(config: RunConfig): ExpertSource | 'none' {
  if (!('experts' in config.options)) throw new Error(`A run of ${config.method} has no expert trajectories.`);
  return config.options.experts;
}

/**
 * The model of a role that is asked.
 * @throws Error if there is none: a run is refused at its start if it lacks one
 */
export function modelOf<Model>({ models }: { models: { [role in Role]?: Model } }, role: Role): Model {
  const model = models[role];
  if (!model) throw new Error(`There is no model for the role ${role}.`);
  return model;
}

/**
 * How a model is asked. ETO and IPR have their own temperature for the policy's trajectories that they compare with the expert's.
 * @throws Error for a role that the run has no model for: a run is refused at its start if it lacks one
 */
export function settingsFor(config: RunConfig, role: Role, purpose: string): RoleSettings {
  const settings = modelOf(config, role);
  const { options } = config;
  const contrasts = role === 'policy' && (purpose === 'explore' || purpose === 'contrast');
  return contrasts && 'temperature' in options ? { ...settings, temperature: options.temperature } : settings;
}

/** Of the methods that prove pairs by branches. */
export type BranchingOptions = CsoOptions | RroOptions | IprOptions | EtoOptions;

/** Versions of the prompts that Crux itself writes. A changed prompt gets a new version, because it changes what scores and proposals mean. */
export type PromptVersions = {
  expert: 'expert-1';
  /** Of the PRM. */
  score: 'rubric-1' | 'rubric-2';
  /** Of the judge of whole trajectories. */
  judge: 'first-error-1' | 'first-error-2';
  /** The hint to a model whose message holds no action. */
  hint: 'hint-1' | 'hint-2';
};

/**
 * The models of a run. Expert and PRM are there if the configuration names them, whether or not the method asks them; those that sessions ask
 * are there if the run's environment asks them.
 */
export type RunModels = { policy: RoleSettings } & { [role in OtherRole | SessionRole]?: RoleSettings };

/**
 * `activity`: a trajectory is explored, and a branch runs, inside one activity. `step`: an activity for each step, and a workflow for each branch,
 * to watch them in the Temporal UI. The results are the same. `rollout` and `call` are the names of earlier versions.
 */
export const granularities = ['activity', 'step', 'rollout', 'call'] as const;
export type Granularity = (typeof granularities)[number];

/** The name of today. */
export function granularityNamed(name: Granularity): 'activity' | 'step' {
  return isStepByStep(name) ? 'step' : 'activity';
}

export function isStepByStep(granularity: Granularity): boolean {
  return granularity === 'step' || granularity === 'call';
}

/** What is the same for every method. */
export type RunSettings = {
  schemaVersion: 1;
  preset: 'published' | 'sound';
  environment: string;
  environmentVersion: string;
  /** Phrase with which everything of its tasks is stored enciphered, as the environment gave it; absent if nothing is. */
  sealed?: string;
  split: Split;
  /** Whether the policy makes its own trajectories, or recorded ones are mined. */
  trajectories: 'policy' | 'imported';
  format: AgentFormatName;
  /**
   * How two actions are found to lead to the same: by the state of the environment. Absent in runs from earlier versions, which compare what
   * the agent reads.
   */
  sameBy?: 'state';
  /**
   * Whose transitions the run makes and finds; each belongs to one stream of its calls. Absent if they belong to all runs: if the environment's
   * steps are replayed and compared, and in runs from before transitions had owners.
   */
  transitions?: TransitionOwner;
  /** Whether the environment's audit, if it has one, looks at every success. Absent in runs from earlier versions, whose successes count as they are. */
  auditSuccesses?: true;
  /** Which calls of a message are executed. Absent in runs from earlier versions, which execute only the first. */
  calls?: CallRule;
  /** Steps of a trajectory, and of a branch from its branch point. */
  stepLimit: number;
  /** Most tokens of a conversation; null for no limit but the model's own. */
  tokenLimit: number | null;
  /**
   * Most characters of an observation that models read; the middle of a longer one is left out, and a note there says so. Null for no limit;
   * absent in runs from before there was a limit, which have none.
   */
  observationLimit?: number | null;
  granularity: Granularity;
  /**
   * Texts before which answers of policy and expert end, so that no model writes its own observations; empty for none, absent in runs from
   * before there were any.
   */
  stop?: string[];
  /** Activities that one trajectory keeps in progress at once, 1 to 200. */
  parallel: number;
  /** Trajectories that the campaign keeps in progress at once, 1 to 2,000; up to 500 where each has a workflow. */
  window: number;
  models: RunModels;
  /** How actions are scored, if the method asks for scores and no model gives them. */
  monteCarlo?: MonteCarlo;
  /** Versions that the run began with; absent in runs from before there were versions after the first. */
  prompts?: PromptVersions;
};

/** Which calls of a message a run executes. */
export function callRuleOf({ calls }: Pick<RunSettings, 'calls'>): CallRule {
  return calls ?? 'first';
}

/** The models that a run is shown with and priced by: an evaluation only with the policy, and those that sessions ask. */
export function askedModels({ method, models }: Pick<RunConfig, 'method' | 'models'>): {
  [role: string]: RoleSettings;
} {
  if (methods[method].gives !== 'figures') return models;
  const ofSessions = sessionRoles.flatMap((role) => (models[role] ? [[role, models[role]] as const] : []));
  return { policy: models.policy, ...Object.fromEntries(ofSessions) };
}

/** The roles whose models a run asks, with its options. */
export function askedRoles(
  config: Pick<RunConfig, 'method' | 'options' | 'monteCarlo'> & { models: { [role in SessionRole]?: unknown } },
): Role[] {
  return [
    ...(methods[config.method].trajectory === 'demonstrated' ? [] : (['policy'] as const)),
    ...askedBesidesPolicy(config).map(({ role }) => role),
    ...sessionRoles.filter((role) => config.models[role] !== undefined),
  ];
}

/** The models that a method asks besides the policy, with its options, and what it asks each. */
export function askedBesidesPolicy({
  method,
  options,
  monteCarlo,
}: Pick<RunConfig, 'method' | 'options' | 'monteCarlo'>): {
  role: OtherRole;
  why: string;
}[] {
  // As in `certifiedThresholds`, the compiler cannot follow method and options at once.
  const asks = methods[method].asks as { [role in OtherRole]?: (options: MethodOptions) => string | null };
  return (['expert', 'prm'] as const).flatMap((role) => {
    const why = role === 'prm' && monteCarlo ? null : (asks[role]?.(options) ?? null);
    return why === null ? [] : [{ role, why }];
  });
}

/** The endpoints whose models a run asks. */
export function askedEndpoints(config: RunConfig): string[] {
  return askedRoles(config).map((role) => modelOf(config, role).endpoint);
}

/**
 * `blocked`: a model's provider stands still until the user acts. No task ends for it; the run continues when it is taken up again.
 * `resting`: its own command was stopped by Ctrl-C while no other worker lived; a worker continues it only when asked.
 */
export type RunState = 'running' | 'paused' | 'blocked' | 'resting' | 'cancelled' | 'budget' | 'finished' | 'failed';

/** What decided about the pairs of a run, by the method's own names. */
export function certifiedThresholds({ method, options }: RunConfig): { [name: string]: number } {
  // The table pairs each name with the facts of its own options, as a configuration does; the compiler cannot follow both at once.
  return (methods[method].thresholds as (options: MethodOptions) => { [name: string]: number })(options);
}

const heldStates: ReadonlySet<RunState> = new Set<RunState>(['paused', 'blocked', 'resting']);

/** Whether a run waits until its control row says otherwise. */
export function isHeld(state: RunState): boolean {
  return heldStates.has(state);
}
