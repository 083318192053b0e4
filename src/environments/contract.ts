/**
 * The contract between Crux and an environment.
 *
 * An environment is a function: what `step` returns depends on the task and the actions so far, and on nothing else. A session is only a
 * cache of that function; Crux may close one at any time and rebuild it on any machine by replaying the actions. An environment that cannot
 * promise this says so in its capabilities (`replay`). Crux then never repeats a recorded step.
 */
import type { Action, ParsedAction } from '../domain/action.ts';
import type { AskPurpose, AskRequest } from '../domain/ask.ts';
import type { Json } from '../domain/canonical-json.ts';
import type { Details } from '../domain/ending.ts';
import type { OpeningMessage, Tool } from '../domain/message.ts';
import type { Observation } from '../domain/observation.ts';
import type { Task } from '../domain/task.ts';

/**
 * How a state is reached again whose session is gone. `compare`: its actions are taken again, and every result is compared with the recorded
 * one; the same task and actions always give the same. `recorded`: results may differ from one time to the next, such as a search or a
 * simulated user. What was recorded counts, and a new session is told it (`recall`); only what comes after it is live. `never`: not at all, but
 * from a snapshot.
 */
export const replays = ['compare', 'recorded', 'never'] as const;
export type Replay = (typeof replays)[number];

export type Capabilities = {
  /** Default `compare`. */
  replay: Replay;
  /** Whether a state may be branched. Default: unless `replay` is `never`. */
  branchable: boolean;
  /** `cheap` sessions are rebuilt anywhere; a `costly` one is held by one trajectory or rollout to its end. Default `cheap`. */
  sessions: 'cheap' | 'costly';
  /** How many sessions one worker may hold at once. Default 64. */
  maxSessions: number;
};

/** The result of one action. */
export type StepResult = {
  /** What the agent reads: a text, a result with messages of a user, or a new conversation. */
  observation: Observation;
  /** Tools that the agent has from now on. Absent: those that it had. */
  tools?: Tool[];
  /** Whether the task is over. */
  done: boolean;
  /** Outcome reward in [0, 1]; given with `done`, else absent. */
  reward?: number;
  /** Given with `done` if the environment has a success flag of its own; else `reward >= successAt` decides. */
  success?: boolean;
  /** Facts about the outcome for the report and the certificate, such as the raw score. Never shown to the agent. */
  details?: { [name: string]: Json };
  /** What taking it cost, in US dollars from 0: a sandbox by the minute, a search by the call. Without the models that it asked. Default: nothing. */
  cost?: number;
};

/** An outcome as the environment gives it before the task is over. */
export type OutcomeSoFar = {
  /** In [0, 1]. */
  reward: number;
  /** If the environment has a success flag of its own; else `reward >= successAt` decides. */
  success?: boolean;
  /** As in `StepResult`. */
  details?: { [name: string]: Json };
};

/** What a session may use while it opens, or while it takes a step. */
export type SessionContext = {
  /**
   * Asks a model of the run, by the gateway: the answer is recorded under the step and its number in it, so that a repeated attempt does not
   * pay again; it has a price, and counts for the run's ceilings. Only while the session opens or the step is taken: what is asked later is
   * refused. The environment names the purpose in `asks`.
   * @returns the text of the answer. If it was cut at its greatest length it may be incomplete, or empty
   * @throws CruxError when there is no answer. That error then ends the step, even if the session catches it
   */
  ask(request: AskRequest): Promise<string>;
  /** Aborts when the caller gives up. */
  signal: AbortSignal;
};

export type { AskPurpose, AskRequest };

export type Session<Snapshot extends Json = Json> = {
  /** What the agent reads in the task's first state, if the environment has no `briefing`. It ends with a message of the user. */
  opening?: OpeningMessage[];
  /** Tools of the task's first state, if the environment has none of its own. */
  tools?: Tool[];
  /**
   * @param signal aborts when the caller gives up; the session is then closed
   * @param context valid until the result is there. Crux always gives it
   */
  step(action: Action, signal: AbortSignal, context?: SessionContext): Promise<StepResult>;
  /** The environment's own state, if it can give one; `open` accepts it. */
  snapshot?(): Promise<Snapshot>;
  /**
   * Takes note of a recorded step without taking it: afterwards the session is in the state after that step. Only for `replay: 'recorded'`.
   * Without it a session is opened and told nothing, which is right if nothing depends on earlier steps.
   * @param result observation and details as they were recorded
   */
  recall?(action: Action, result: StepResult): Promise<void>;
  /**
   * Hash of the content of the session's state: of everything that later steps and the outcome depend on, whether or not the agent sees it.
   * Equal for equal content in every process, so it may contain no times, paths or ids. Crux asks for it when a session opens, and after each
   * step that does not end the task. Without it Crux uses the content of `snapshot`.
   */
  stateHash?(): Promise<string>;
  /**
   * What a trajectory is worth that a limit ends here, before the environment did: reward and success so far. It changes nothing, and depends on
   * the state alone. Without it such a trajectory has reward 0 and is a failure.
   * @param context valid until the outcome is there. Crux always gives it
   */
  outcome?(context?: SessionContext): Promise<OutcomeSoFar>;
  close?(): Promise<void>;
};

/** How actions are written as text (ReAct), if the environment's papers prescribe a form. Absent: Crux's general ReAct form. */
export type TextFormat = {
  /** Part of the model's system message. */
  instructions: string;
  parse(text: string): ParsedAction;
  /** @returns the text of an assistant message that `parse` reads back as the same thought and action */
  render(thought: string, action: Action): string;
  /** Written before each observation, e.g. `Observation: `. */
  observationPrefix: string;
  /**
   * Texts before which an answer of a model ends, for servers that take stop sequences. Default: a line that begins with `observationPrefix`,
   * if that holds a word.
   */
  stop?: readonly string[];
};

/** What the agent reads at the start, without anything about the action format. */
export type Briefing = { system: string; user: string };

export type Environment = {
  name: string;
  /** Change it whenever the same actions may give other results: it is part of every transition's key. */
  version: string;
  capabilities: Capabilities;
  /** Steps after which a trajectory ends as `step-limit`, with what its session says of the `outcome` so far. */
  stepLimit: number;
  /** Reward from which an outcome is a success, if `step` gives no success flag. Default 1. */
  successAt: number;
  /** Tools of all tasks. Absent: each session gives its own. */
  tools?: Tool[];
  /**
   * Whether a message of the agent is one action, even if it calls several tools: the calls after the first are then not executed. Default
   * false: they are executed in their order until one of them ends the task.
   */
  oneCall?: boolean;
  /**
   * Whether observations show everything there is to know about a state, and are never cut: equal observations then mean equal states.
   * Default false: states are compared by `stateHash`, or `snapshot`.
   */
  observesAll?: boolean;
  /**
   * Whether equal states mean an equal position of the agent, however it got there: nothing that it saw before matters for what follows. That
   * holds for the rooms of a maze or the pages of a shop, but not for a database, which is the same after every query. Default false: only
   * equal actions lead to an equal position.
   */
  stateHoldsAll?: boolean;
  textFormat?: TextFormat;
  /** All tasks of all splits, in a fixed order. */
  tasks(): Promise<Task[]>;
  /** The opening as a system and a user message, the same whenever it is asked for. Absent: each session gives its own. */
  briefing?(task: Task): Promise<Briefing>;
  /**
   * Opens a session in the task's first state, or in the state of `snapshot`.
   * @param context valid until the session is there. Crux always gives it
   */
  open(task: Task, snapshot?: Json, context?: SessionContext): Promise<Session>;
  /**
   * Purposes for which its sessions ask models: a run needs a model for each. Such an environment cannot be deterministic, because a replay
   * would ask anew. Default: none.
   */
  asks?: readonly AskPurpose[];
  /**
   * The most that one step may cost, in US dollars from 0. It is held against the run's ceilings before each step. Default: nothing is held, and
   * what steps report counts afterwards.
   */
  maxStepCost?: number;
  /** What a simulated model answers to its sessions (`crux check-env`, `crux serve-sim --env`). Default: they are not answered there. */
  simulatedReply?(request: AskRequest): string;
  /**
   * Names what an action reads from the world outside, such as a query or a page's address; null for an action whose result depends on the
   * state. A run takes the first step of each name and gives its result to all its branches and rollouts, so that both sides of a comparison see
   * the same web; `recall` tells their sessions. A result that ends the task is never shared. Only for `replay: 'recorded'`. Default: null.
   */
  shared?(action: Action): string | null;
  /** Equal texts mean equal actions, however they are written. Default: canonical JSON of tool and arguments. */
  canonicalAction?(action: Action): string;
  /**
   * Words of the language that actions are written in, in lower case, such as its keywords. They name nothing, so an action may hold them although
   * its state does not: it is not flagged as `ungrounded`. Default: none.
   */
  languageWords?: readonly string[];
  /** Guidance for the expert only; it must not contain the gold answer. */
  hints?(task: Task): Promise<string>;
  /**
   * Whether a success also holds on variants of the task's data. False marks it as coincidental: it yields no pair. Called with the actions
   * of a whole successful trajectory.
   */
  confirm?(task: Task, actions: Action[], signal: AbortSignal): Promise<Confirmation>;
  /**
   * What is wrong with how a success was won, such as `tests-edited`: short names, lower case and hyphens. Empty: nothing. A flagged success
   * yields no pair and no example. It depends on task and trajectory alone. Called for every success, whoever acted.
   */
  audit?(task: Task, trajectory: AuditedTrajectory, signal: AbortSignal): Promise<string[]>;
  /**
   * Actions that solve a task, made from its gold answer: an expert trajectory that costs nothing (SFT, ETO, IPR).
   * @returns null for a task that has none
   */
  script?(task: Task): Promise<ScriptedStep[] | null>;
  /** The gold answer's text, used only by `crux check-env` to find leaks and by imports. */
  gold?(task: Task): Promise<string | null>;
  /** Versions of what decides outcomes, for certificates, e.g. `{ reward: 'iou' }`. */
  verifier: { [name: string]: Json };
  /**
   * A phrase (canary) with which everything that is stored of its tasks is enciphered, for benchmarks that must not stand anywhere in clear. Titles and
   * ids of tasks, and the names of groups, stay readable: they may give nothing away. Default: nothing is enciphered.
   */
  sealed?: string;
  /** Ids of tasks that appear in its prompts as examples: every model sees them, so their groups cannot serve as a test. */
  fewShotTasks?: readonly string[];
  /** Frees what the environment itself holds (pools, connections). */
  close?(): Promise<void>;
};

export type ScriptedStep = { thought: string; action: Action };

export type Confirmation = { confirmed: boolean; reason: string };

/** One action that was taken, and what the environment returned. */
export type TakenAction = { action: Action; observation: string };

/** A whole success: from the task's first state to its end. */
export type AuditedTrajectory = { actions: TakenAction[]; reward: number | null; details: Details | null };

/** What a user writes: everything with a sensible default may be left out. */
export type EnvironmentDefinition = Omit<
  Environment,
  'capabilities' | 'stepLimit' | 'successAt' | 'verifier' | 'open'
> & {
  open(task: Task, snapshot: Json | undefined, context: SessionContext): Promise<SessionDefinition>;
  /** `deterministic` is short for `replay`: true for `compare`, false for `never`. */
  capabilities?: Partial<Capabilities> & { deterministic?: boolean };
  stepLimit?: number;
  successAt?: number;
  verifier?: { [name: string]: Json };
};

/** A session as a user writes it: who calls it always gives a context. */
export type SessionDefinition = Omit<Session, 'step' | 'outcome'> & {
  step(action: Action, signal: AbortSignal, context: SessionContext): Promise<StepResult>;
  outcome?(context: SessionContext): Promise<OutcomeSoFar>;
};

/** Whether a session is worth keeping: steps then go to the worker that holds it. */
export function isCostly({ capabilities }: Environment): boolean {
  return capabilities.sessions === 'costly';
}
