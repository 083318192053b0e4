/**
 * One content-addressed tree for all steps ever taken (docs/architecture.md). A node is a conversation state; a trajectory is a path to
 * it from a task's first state, and a branch shares its prefix with the trajectory that it came from. Beside it, transitions hold what
 * the environment returned, under the key of the environment's own state, so that two thoughts which lead to the same action share one.
 */
import { sql } from 'kysely';
import type { Action, AgentFormatName } from '../domain/action.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { AssistantMessage, Message, Tool } from '../domain/message.ts';
import type { Database } from './database.ts';
import { columnOf, flagOf } from './flag.ts';
import { contentHash } from './hash.ts';
import type { NodeTable, TransitionTable } from './schema.ts';

/** A state with everything that is needed to go on from it. */
export type State = {
  id: string;
  rootId: string;
  parentId: string | null;
  environment: string;
  taskId: string;
  /** Steps taken so far. */
  step: number;
  /** The whole conversation, to the letter as the policy sees it. */
  messages: Message[];
  tools: Tool[];
  format: AgentFormatName;
  /** Parsed actions so far; malformed steps have none. */
  actions: Action[];
  /** State keys after each of `actions`. */
  actionKeys: string[];
  /** Key of the environment's own state. */
  stateKey: string;
  /** The assistant message that led here; null at the root. */
  assistant: AssistantMessage | null;
};

export type Transition = {
  key: string;
  parentKey: string;
  observation: string;
  done: boolean;
  reward: number | null;
  success: boolean | null;
  details: string | null;
};

export type NewRoot = {
  environment: string;
  /** Version of the environment: part of the state key. */
  version: string;
  taskId: string;
  messages: Message[];
  tools: Tool[];
  format: AgentFormatName;
};

export type NewStep = {
  parent: State;
  assistant: AssistantMessage;
  /** Messages that carry the observation. */
  observation: Message[];
  action: Action | null;
  stateKey: string;
};

/** Key of the environment's state after an action. Chained, so it is a hash of environment, version, task and all actions so far. */
export function nextStateKey(parentKey: string, action: Action): string {
  return contentHash([parentKey, action]);
}

const cachedStates = 5_000;
/** A state of a long conversation holds a list of all its messages, so 5,000 of them would be many. */
const cachedMessages = 1_000_000;

export class Tree {
  readonly #database: Database;
  /** States never change, so a copy is good for as long as there is room. */
  readonly #states = new Map<string, State>();
  /** Lengths of the conversations of these states together. */
  #messages = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a task's first state. */
  async addRoot(root: NewRoot): Promise<State> {
    const stateKey = contentHash([root.environment, root.version, root.taskId]);
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
      state_key: stateKey,
      created_at: Date.now(),
    });
    return this.state(id);
  }

  /** Adds the state that a step leads to. The same step twice gives the same state. */
  async addStep(step: NewStep): Promise<State> {
    const { parent, action, stateKey } = step;
    const messages = canonicalJson([step.assistant, ...step.observation]);
    // In the form in which it is read back, to the order of members: what a model is sent must not depend on which process asks.
    const [assistant, ...observation] = JSON.parse(messages) as [AssistantMessage, ...Message[]];
    const id = contentHash([parent.id, assistant, observation]);
    await this.#insertNode({
      id,
      parent_id: parent.id,
      root_id: parent.rootId,
      environment: parent.environment,
      task_id: parent.taskId,
      step: parent.step + 1,
      messages,
      tools: null,
      format: null,
      action: action && canonicalJson(action),
      state_key: stateKey,
      created_at: Date.now(),
    });
    return this.#remember(extend(parent, id, assistant, observation, action, stateKey));
  }

  /** @throws Error when there is no such state: ids come from the store itself, so this is a defect or a damaged store */
  async state(id: string): Promise<State> {
    const cached = this.#states.get(id);
    if (cached) return cached;
    return (await this.path(id)).at(-1)!;
  }

  /** Whether a stored state still is what its id, a content hash, stands for. */
  async isIntact(state: State): Promise<boolean> {
    if (state.parentId === null)
      return contentHash([state.stateKey, state.messages, state.tools, state.format]) === state.id;
    const parent = await this.state(state.parentId);
    const observation = state.messages.slice(parent.messages.length + 1);
    return contentHash([state.parentId, state.assistant, observation]) === state.id;
  }

  /** The states of a path, from the root to `leafId`. */
  async path(leafId: string): Promise<State[]> {
    const [root, ...steps] = await this.#pathTo(leafId);
    if (!root) throw new Error(`The store has no state ${leafId}.`);
    const states = [rootState(root)];
    for (const node of steps) {
      const [assistant, ...observation] = JSON.parse(node.messages) as [AssistantMessage, ...Message[]];
      const action = node.action === null ? null : (JSON.parse(node.action) as Action);
      states.push(extend(states.at(-1)!, node.id, assistant, observation, action, node.state_key));
    }
    // Whoever asks for a state of a path soon asks for the others.
    return states.map((state) => this.#remember(state));
  }

  async transition(key: string): Promise<Transition | null> {
    const row = await this.#database.kysely
      .selectFrom('transitions')
      .selectAll()
      .where('key', '=', key)
      .executeTakeFirst();
    return row ? transitionOf(row) : null;
  }

  /** Records what the environment returned, and to whom; the first record under a key wins and is returned. */
  async addTransition(transition: Transition, recordedBy: string | null = null): Promise<Transition> {
    const { numInsertedOrUpdatedRows } = await this.#database.kysely
      .insertInto('transitions')
      .values({
        key: transition.key,
        parent_key: transition.parentKey,
        // As JSON, because a database takes neither NUL nor halves of surrogate pairs, and a replay is compared to the letter.
        observation: JSON.stringify(transition.observation),
        done: Number(transition.done),
        reward: transition.reward,
        success: columnOf(transition.success),
        details: transition.details,
        recorded_by: recordedBy,
        created_at: Date.now(),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows ? transition : ((await this.transition(transition.key)) ?? transition);
  }

  /** The environment's own image of one of its states; undefined when there is none. */
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

  async #insertNode(node: NodeTable): Promise<void> {
    await this.#database.kysely
      .insertInto('nodes')
      .values(node)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
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

  #remember(state: State): State {
    const known = this.#states.get(state.id);
    if (known) return known;
    if (this.#states.size >= cachedStates || this.#messages >= cachedMessages) {
      this.#states.clear();
      this.#messages = 0;
    }
    this.#states.set(state.id, state);
    this.#messages += state.messages.length;
    return state;
  }
}

function rootState(node: NodeTable): State {
  return {
    id: node.id,
    rootId: node.id,
    parentId: null,
    environment: node.environment,
    taskId: node.task_id,
    step: 0,
    messages: JSON.parse(node.messages) as Message[],
    tools: JSON.parse(node.tools ?? '[]') as Tool[],
    format: (node.format ?? 'react') as AgentFormatName,
    actions: [],
    actionKeys: [],
    stateKey: node.state_key,
    assistant: null,
  };
}

function extend(
  parent: State,
  id: string,
  assistant: AssistantMessage,
  observation: Message[],
  action: Action | null,
  stateKey: string,
): State {
  return {
    ...parent,
    id,
    parentId: parent.id,
    step: parent.step + 1,
    messages: [...parent.messages, assistant, ...observation],
    actions: action ? [...parent.actions, action] : parent.actions,
    actionKeys: action ? [...parent.actionKeys, stateKey] : parent.actionKeys,
    stateKey,
    assistant,
  };
}

function transitionOf(row: TransitionTable): Transition {
  return {
    key: row.key,
    parentKey: row.parent_key,
    observation: JSON.parse(row.observation) as string,
    done: row.done === 1,
    reward: row.reward,
    success: flagOf(row.success),
    details: row.details,
  };
}
