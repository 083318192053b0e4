/**
 * One content-addressed tree for all steps ever taken (docs/architecture.md). A node is a conversation state. A trajectory is a path to it from a
 * task's first state, and a branch shares its prefix with its trajectory. Transitions, which are stored apart, hold what the environment returned,
 * under the key of the environment's own state. Two thoughts that lead to the same action thus share one transition.
 */
import { sql } from 'kysely';
import type { Action, AgentFormatName } from '../domain/action.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { Details } from '../domain/ending.ts';
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import { endsMessage, type Observation } from '../domain/observation.ts';
import type { StateMark } from '../domain/pairs/sameness.ts';
import { actionColumn, actionsIn } from './action-column.ts';
import type { Database } from './database.ts';
import { columnOf, flagOf } from './flag.ts';
import { contentHash } from './hash.ts';
import { jsonColumn, jsonOf } from './json-column.ts';
import type { NodeTable, TransitionTable } from './schema.ts';
import { SharedResults } from './shared-results.ts';

/** A state with everything that a continuation needs. */
export type State = {
  id: string;
  rootId: string;
  parentId: string | null;
  environment: string;
  taskId: string;
  /** Steps taken so far. */
  step: number;
  /** The last messages. Root: the opening messages. Otherwise the assistant message and the observation's messages. */
  added: Message[];
  /** Whether the observation's messages stand in place of the whole conversation before them, the assistant message included. */
  isRewritten: boolean;
  /** The whole conversation, exactly as the policy sees it. Each access builds it anew. */
  messages: Message[];
  /** Tools that the model is offered natively; none if actions are written as text. */
  tools: Tool[];
  /** Tools that the session gave, whatever the format; empty in a text format for the environment's own. */
  given: Tool[];
  format: AgentFormatName;
  /** Parsed actions so far; malformed steps have none. Each access builds it anew. */
  actions: Action[];
  /** State keys after each of `actions`. Each access builds it anew. */
  actionKeys: string[];
  /** Key of the environment's own state. */
  stateKey: string;
  /** The assistant message that led here; null at the root. */
  assistant: AssistantMessage | null;
  /** The actions of the message that were really executed; none at the root and after a malformed message. */
  executed: readonly Action[];
  /**
   * A server's own ids of the conversation's tool calls, by the ids in the conversation. Ids of other servers are left out: another run elsewhere may
   * have made a state. Each access builds it anew.
   */
  callIdsOf(server: string): CallIds;
};

/** Where an environment stands: in a state, or between two calls of one message. */
export type Position = Pick<
  State,
  'id' | 'environment' | 'taskId' | 'rootId' | 'step' | 'stateKey' | 'actions' | 'actionKeys' | 'given' | 'format'
>;

/** Where an environment stands after one more action. */
export function positionAfter(
  position: Position,
  action: Action,
  { key, tools }: Pick<Transition, 'key' | 'tools'>,
): Position {
  return {
    ...position,
    stateKey: key,
    actions: [...position.actions, action],
    actionKeys: [...position.actionKeys, key],
    given: tools ?? position.given,
  };
}

/** A server's own ids of tool calls, by their numbered ids in messages. Calls that no server wrote have none. */
export type CallIds = { readonly [numbered: string]: string };

/** The ids that a server gave the tool calls of one message. */
export type ServerIds = { server: string; ids: readonly (string | null)[] };

export type Transition = {
  key: string;
  parentKey: string;
  observation: Observation;
  /** Tools from here on; null if they are those from before. */
  tools: Tool[] | null;
  done: boolean;
  reward: number | null;
  success: boolean | null;
  /** Facts of the environment about the outcome. */
  details: Details | null;
  /** Of the state after it; null if there is none or it was not requested. */
  mark: StateMark | null;
};

/** An action that may have been taken: the key of its transition, and the transition if it was. */
export type TakenAction = { key: string; transition: Transition | null };

/** What an environment said that a trajectory is worth which a limit ends. */
export type RecordedOutcome = { reward: number; success: boolean; details: Details | null };

export type NewRoot = {
  environment: string;
  /** Version of the environment: part of the state key. */
  version: string;
  taskId: string;
  /** What a session gave as the task's opening. Absent: the environment gives it, always the same. */
  opening?: Json | null;
  messages: Message[];
  /** Tools that are offered natively; in a text format only those that the session gave. */
  tools: Tool[];
  format: AgentFormatName;
};

export type NewStep = {
  parent: State;
  assistant: AssistantMessage;
  /** Messages that carry the observation. */
  observation: Message[];
  /** Whether they stand in place of the whole conversation. Default false. */
  isRewritten?: boolean;
  /** Where the message's actions led: its parent's own position if it held none. */
  reached: Position;
  /**
   * Whether the environment's state belongs to one stream of calls. Then the state's id contains its key: two rollouts may read the same although the
   * environment is in different states.
   */
  isOwn?: boolean;
  /** Ids that a server, by the name of its endpoint, gave the message's tool calls, in their order; null for a call without one. */
  callIds?: ServerIds | null;
};

/** Key of an environment's first state in a task. Another opening is another first state. */
export function firstStateKey(root: Pick<NewRoot, 'environment' | 'version' | 'taskId' | 'opening'>): string {
  const { environment, version, taskId, opening = null } = root;
  return contentHash([environment, version, taskId, ...(opening === null ? [] : [opening])]);
}

/**
 * Key of the environment's state after an action. Chained, so it is a hash of environment, version, task and all actions so far.
 * @param stream whose transition it is (`transitionStream`); absent if it belongs to all
 */
export function nextStateKey(parentKey: string, action: Action, stream?: string): string {
  return contentHash(stream === undefined ? [parentKey, action] : [parentKey, action, stream]);
}

/**
 * Key of what is reached in a state, if a limit ends a trajectory there. Where transitions belong to one stream of calls, outcomes do too: a
 * grader may say something else each time, and several streams share a state in which none of them has executed an action, such as a task's first.
 * @param stream whose outcome it is (`transitionStream`); absent if it belongs to all
 */
export function outcomeKey(stateKey: string, stream?: string): string {
  return stream === undefined ? stateKey : contentHash(['outcome', stateKey, stream]);
}

/** Under which a session asks what is reached. @param key of the outcome */
export function limitKey(key: string): string {
  return `${key}/limit`;
}

/** Whether a stored state still matches its id, a content hash. */
export function isIntact(state: State, parent: State | null): boolean {
  const { id, stateKey, added, given, format } = state;
  if (parent === null) return contentHash([stateKey, added, given, format]) === id;
  const [assistant, ...observation] = added;
  return [null, stateKey].some(
    (ownKey) => stepId(parent, assistant!, observation, { ...changesOf(state), ownKey }) === id,
  );
}

type Changes = Pick<State, 'given' | 'isRewritten'>;

function changesOf({ given, isRewritten }: Changes): Changes {
  return { given, isRewritten };
}

/**
 * New tools and a rewritten conversation are part of the state. A step without either has the id that it always had.
 * @param changes.ownKey the state's key if it belongs to one stream of calls; else null
 */
function stepId(
  parent: Pick<State, 'id' | 'given'>,
  assistant: Message,
  observation: Message[],
  { given, isRewritten, ownKey }: Changes & { ownKey: string | null },
): string {
  const tools = isSameTools(given, parent.given) ? null : given;
  return contentHash([
    parent.id,
    assistant,
    observation,
    ...(tools || isRewritten ? [{ tools, isRewritten }] : []),
    ...(ownKey === null ? [] : [ownKey]),
  ]);
}

/** By content: a state that was read again has a list of its own. */
export function isSameTools(one: readonly Tool[], other: readonly Tool[]): boolean {
  return one === other || canonicalJson([...one]) === canonicalJson([...other]);
}

const cachedStates = 5_000;

export class Tree {
  readonly #database: Database;
  readonly sharedResults: SharedResults;
  /** States never change, so a cached copy stays valid until its space is needed. */
  readonly #states = new Map<string, PathState>();

  constructor(database: Database) {
    this.#database = database;
    this.sharedResults = new SharedResults(database);
  }

  /** Adds a task's first state. */
  async addRoot(root: NewRoot): Promise<State> {
    const stateKey = firstStateKey(root);
    const id = contentHash([stateKey, root.messages, root.tools, root.format]);
    await this.#insertNode({
      id,
      parent_id: null,
      root_id: id,
      environment: root.environment,
      task_id: root.taskId,
      step: 0,
      messages: canonicalJson(root.messages),
      tools: canonicalJson(root.tools),
      format: root.format,
      action: null,
      action_keys: null,
      is_rewritten: null,
      call_ids: null,
      state_key: stateKey,
      created_at: Date.now(),
    });
    return this.state(id);
  }

  /** Adds the state that a step leads to. The same step added twice gives the same state. */
  async addStep(step: NewStep): Promise<State> {
    const { reached, isRewritten = false } = step;
    const parent = await this.#known(step.parent.id);
    const taken = parent.actions.length;
    const [actions, keys] = [reached.actions.slice(taken), reached.actionKeys.slice(taken)];
    // The parent's own list if nothing changed: the states of a path share it.
    const given = isSameTools(reached.given, parent.given) ? parent.given : reached.given;
    const messages = canonicalJson([step.assistant, ...step.observation]);
    // Exactly as it is read back, down to the order of members: requests to a model must not depend on which process sends them.
    const [assistant, ...observation] = JSON.parse(messages) as [AssistantMessage, ...Message[]];
    const node: NodeTable = {
      id: stepId(parent, assistant, observation, { given, isRewritten, ownKey: step.isOwn ? reached.stateKey : null }),
      parent_id: parent.id,
      root_id: parent.rootId,
      environment: parent.environment,
      task_id: parent.taskId,
      step: parent.step + 1,
      messages,
      tools: given === parent.given ? null : canonicalJson(given),
      format: null,
      action: actionColumn(actions),
      action_keys: actions.length > 1 ? JSON.stringify(keys) : null,
      is_rewritten: isRewritten ? 1 : null,
      call_ids: step.callIds?.ids.some((id) => id !== null) ? JSON.stringify(step.callIds) : null,
      state_key: reached.stateKey,
      created_at: Date.now(),
    };
    await this.#insertNode(node);
    return this.#remember(new PathState(node, parent));
  }

  /** @throws Error if there is no such state: ids come from the store itself, so this is a defect or a damaged store */
  async state(id: string): Promise<State> {
    return this.#known(id);
  }

  /** The states of a path, from the root to `leafId`. */
  async path(leafId: string): Promise<State[]> {
    return (await this.#known(leafId)).path();
  }

  async transition(key: string): Promise<Transition | null> {
    const row = await this.#database.kysely
      .selectFrom('transitions')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirst();
    return row ? transitionOf(row) : null;
  }

  /** Records what the environment returned, and for which run. The first record under a key wins and is returned. */
  async addTransition(transition: Transition, recordedBy: string | null = null): Promise<Transition> {
    const { numInsertedOrUpdatedRows } = await this.#database.kysely
      .insertInto('transitions')
      .values({
        key: transition.key,
        parent_key: transition.parentKey,
        // As JSON, because a database accepts neither NUL nor halves of surrogate pairs, and a replay is compared to the letter.
        observation: canonicalJson(transition.observation),
        tools: transition.tools && canonicalJson(transition.tools),
        done: Number(transition.done),
        reward: transition.reward,
        success: columnOf(transition.success),
        details: jsonColumn(transition.details),
        ...columnsOf(transition.mark),
        recorded_by: recordedBy,
        created_at: Date.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows ? transition : ((await this.transition(transition.key)) ?? transition);
  }

  /**
   * What a message's actions led to, one after another, until one was the last that was executed, or was not taken.
   * @param stream whose transitions they are; absent if they belong to all
   */
  async taken(stateKey: string, actions: readonly Action[], stream?: string): Promise<TakenAction[]> {
    const steps: TakenAction[] = [];
    for (const action of actions) {
      const key = nextStateKey(steps.at(-1)?.key ?? stateKey, action, stream);
      const transition = await this.transition(key);
      steps.push({ key, transition });
      if (transition === null || endsMessage(transition)) break;
    }
    return steps;
  }

  /** Adds the state after a transition that was recorded without it; the first one added wins. */
  async addMark(key: string, mark: StateMark): Promise<void> {
    const query = this.#database.kysely.updateTable('transitions').set(columnsOf(mark)).where('key', '=', key);
    await query.where('state_hash', 'is', null).execute();
  }

  /** The environment's own image of one of its states; undefined if there is none. */
  async snapshot(stateKey: string): Promise<Json | undefined> {
    const row = await this.#database.kysely
      .selectFrom('snapshots')
      .select('snapshot')
      .where('state_key', '=', stateKey)
      .executeTakeFirst();
    return row && (JSON.parse(row.snapshot) as Json);
  }

  async addSnapshot(stateKey: string, snapshot: Json): Promise<void> {
    await this.#database.kysely
      .insertInto('snapshots')
      .values({ state_key: stateKey, snapshot: canonicalJson(snapshot) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  /** What the environment said of a limit in one of its states; null if it was not asked. @param key `outcomeKey` */
  async outcomeSoFar(key: string): Promise<RecordedOutcome | null> {
    const row = await this.#database.kysely
      .selectFrom('outcomes_so_far')
      .selectAll()
      .where('state_key', '=', key)
      .executeTakeFirst();
    return row ? { reward: row.reward, success: row.success === 1, details: jsonOf(row.details) } : null;
  }

  /** The first record of a key wins and is returned. */
  async addOutcomeSoFar(key: string, stateKey: string, outcome: RecordedOutcome): Promise<RecordedOutcome> {
    const { reward, success, details } = outcome;
    const { numInsertedOrUpdatedRows } = await this.#database.kysely
      .insertInto('outcomes_so_far')
      .values({
        ...{ state_key: key, of_state: key === stateKey ? null : stateKey },
        ...{ reward, success: Number(success), details: jsonColumn(details) },
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows ? outcome : ((await this.outcomeSoFar(key)) ?? outcome);
  }

  async #insertNode(node: NodeTable): Promise<void> {
    await this.#database.kysely
      .insertInto('nodes')
      .values(node)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async #known(id: string): Promise<PathState> {
    const cached = this.#states.get(id);
    if (cached) return cached;
    let state: PathState | null = null;
    // A caller that reads one state of a path soon reads the others.
    for (const node of await this.#pathTo(id)) state = this.#remember(new PathState(node, state));
    if (!state) throw new Error(`The store has no state ${id}.`);
    return state;
  }

  async #pathTo(id: string): Promise<NodeTable[]> {
    const query = sql<NodeTable>`
      WITH RECURSIVE path AS (
        SELECT * FROM nodes WHERE id = ${id}
        UNION ALL
        SELECT parent.* FROM nodes parent JOIN path ON parent.id = path.parent_id
      )
      SELECT * FROM path ORDER BY step`;
    return (await query.execute(this.#database.kysely)).rows;
  }

  #remember(state: PathState): PathState {
    const known = this.#states.get(state.id);
    if (known) return known;
    if (this.#states.size >= cachedStates) this.#states.clear();
    this.#states.set(state.id, state);
    return state;
  }
}

/** Holds only its own step, so that the n states of a path take the space of n steps, not of n² / 2. */
class PathState implements State {
  readonly id: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly environment: string;
  readonly taskId: string;
  readonly step: number;
  readonly added: Message[];
  readonly isRewritten: boolean;
  readonly given: Tool[];
  readonly format: AgentFormatName;
  readonly stateKey: string;
  readonly assistant: AssistantMessage | null;
  readonly executed: readonly Action[];
  readonly #keys: readonly string[];
  readonly #callIds: ServerIds | null;
  readonly #parent: PathState | null;

  constructor(node: NodeTable, parent: PathState | null) {
    this.id = node.id;
    this.rootId = node.root_id;
    this.parentId = node.parent_id;
    this.environment = node.environment;
    this.taskId = node.task_id;
    this.step = node.step;
    this.added = JSON.parse(node.messages) as Message[];
    this.isRewritten = node.is_rewritten === 1;
    this.given = node.tools === null && parent ? parent.given : (JSON.parse(node.tools ?? '[]') as Tool[]);
    this.format = parent ? parent.format : ((node.format ?? 'react') as AgentFormatName);
    this.stateKey = node.state_key;
    this.assistant = parent ? (this.added[0] as AssistantMessage) : null;
    this.executed = actionsIn(node.action);
    this.#keys = jsonOf<string[]>(node.action_keys) ?? this.executed.map(() => node.state_key);
    this.#callIds = node.call_ids === null ? null : (JSON.parse(node.call_ids) as ServerIds);
    this.#parent = parent;
  }

  get messages(): Message[] {
    const path = this.path();
    const [rewritten, ...since] = path.slice(path.findLastIndex(({ isRewritten }) => isRewritten));
    if (!rewritten?.isRewritten) return path.flatMap(({ added }) => added);
    return [...rewritten.added.slice(1), ...since.flatMap(({ added }) => added)];
  }

  get tools(): Tool[] {
    return this.format === 'tools' ? this.given : [];
  }

  get actions(): Action[] {
    return this.path().flatMap(({ executed }) => executed);
  }

  get actionKeys(): string[] {
    return this.path().flatMap((state) => state.#keys);
  }

  callIdsOf(server: string): CallIds {
    return Object.fromEntries(
      this.path().flatMap((state) =>
        (state.assistant?.tool_calls ?? []).flatMap(({ id }, index) => {
          const own = state.#callIds?.server === server ? state.#callIds.ids[index] : null;
          return own ? [[id, own]] : [];
        }),
      ),
    );
  }

  /** From the root to this state. */
  path(): PathState[] {
    const states: PathState[] = [];
    for (let state: PathState | null = this; state; state = state.#parent) states.push(state);
    return states.reverse();
  }
}

function transitionOf(row: TransitionTable): Transition {
  return {
    key: row.key,
    parentKey: row.parent_key,
    observation: JSON.parse(row.observation) as Observation,
    tools: jsonOf(row.tools),
    done: row.done === 1,
    reward: row.reward,
    success: flagOf(row.success),
    details: jsonOf(row.details),
    mark: markOf(row),
  };
}

function columnsOf(mark: StateMark | null) {
  return {
    state_hash: mark?.hash ?? null,
    state_hash_by: mark?.by ?? null,
    state_changed: columnOf(mark?.changed ?? null),
  };
}

function markOf({ state_hash: hash, state_hash_by: by, state_changed: changed }: TransitionTable): StateMark | null {
  return hash === null ? null : { hash, by: by as StateMark['by'], changed: changed === 1 };
}
