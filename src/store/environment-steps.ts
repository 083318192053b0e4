/**
 * Environment steps of a run, in the ledger like its calls. `demand` counts the steps of the run's trajectories and branches as if nothing were
 * cached; `fresh` counts those that an environment really took. It is a query over stored rows: nothing depends on which run was first, or on
 * crashes.
 */

import { type SqlBool, sql } from 'kysely';
import type { Action } from '../domain/action.ts';
import type { TrajectoryOrigin } from '../domain/example.ts';
import { factsOf } from '../domain/methods/index.ts';
import { isOfAudit } from '../domain/purpose.ts';
import { sealedMark } from '../sealed-text.ts';
import { actionsIn } from './action-column.ts';
import { chunks } from './chunks.ts';
import type { Database } from './database.ts';
import { stepsOfDraw } from './drawn-steps.ts';
import { jsonOf } from './json-column.ts';
import type { Run } from './runs.ts';
import { type State, type TakenAction, Tree } from './tree.ts';

export type EnvironmentSteps = {
  /**
   * Actions given to an environment: of all trajectories that the run made (drawn actions under RRO), of all its branches from their branch points
   * on, and those taken once to see their effect. Malformed messages are not counted. Null for a run that made some of them before they were
   * recorded.
   */
  demand: number | null;
  /**
   * Of those, the ones that an environment took for the first time in the store. Steps of trajectories and branches that were not, or not yet,
   * recorded count too. Null if steps were taken since the run's start without a note of the run that needed them.
   */
  fresh: number | null;
  /** The others: read from the recorded transitions. Null if either figure is, and while trajectories or branches are open or were cut short. */
  fromCache: number | null;
  /** Observations compared with the recorded ones before branching, as if each branch had replayed its own prefix. Not part of the demand. */
  replayed: number;
};

/** The name under which a run takes its steps. A run that re-uses the id of a deleted one gets another name; so does an audit. */
export function recorderOf({ id, createdAt }: Pick<Run, 'id' | 'createdAt'>, purpose: string): string {
  return `${isOfAudit(purpose) ? 'audit' : 'run'} ${id} ${createdAt}`;
}

const keysPerQuery = 500;

/** The steps that were taken for the run and for the first time in the store; null if steps exist without a note of their run. */
export async function keysRecordedFor(database: Database, run: Run, keys: string[]): Promise<Set<string> | null> {
  if (await hasUnknownRecorder(database, run.createdAt)) return null;
  const found = new Set<string>();
  for (const part of chunks(keys, keysPerQuery)) {
    const query = database.kysely.selectFrom('transitions').select('key').where('key', 'in', part);
    for (const { key } of await query.where('recorded_by', '=', recorderOf(run, '')).execute()) found.add(key);
  }
  return found;
}

/** @param isComplete whether all trajectories and branches of the run are recorded */
export async function environmentSteps(database: Database, run: Run, isComplete: boolean): Promise<EnvironmentSteps> {
  const [ways, looks, branches, isUnknown, fresh] = await Promise.all([
    stepsOfTrajectories(database, run),
    stepsOfLooks(database, run.id),
    stepsOfBranches(database, run.id),
    hasUnknownRecorder(database, run.createdAt),
    stepsRecordedBy(database, recorderOf(run, '')),
  ]);
  const demand = ways === null || branches.steps === null ? null : ways + looks + branches.steps;
  const known = isUnknown ? null : fresh;
  const isTold = isComplete && demand !== null && known !== null && known <= demand;
  return { demand, fresh: known, fromCache: isTold ? demand - known : null, replayed: branches.replayed };
}

/** Trajectories whose steps the run took. It did not take those of imported and recorded ones, and RRO's consist of drawn actions. */
export function originsTaken(method: string): TrajectoryOrigin[] {
  return isConstructed(method) ? ['expert', 'scripted'] : ['policy', 'expert', 'scripted'];
}

function isConstructed(method: string): boolean {
  return factsOf(method).trajectory === 'constructed';
}

async function stepsOfTrajectories(database: Database, run: Run): Promise<number | null> {
  const { id, method } = run;
  const made = await database.kysely
    .selectFrom('trajectories')
    .select(({ fn }) => [
      fn.countAll<number>().as('all'),
      fn.count<number>('environment_steps').as('known'),
      fn.sum<number | null>('environment_steps').as('steps'),
    ])
    .where('run_id', '=', id)
    .where('origin', 'in', originsTaken(method))
    .executeTakeFirstOrThrow();
  if (Number(made.known) < Number(made.all)) return null;
  return Number(made.steps ?? 0) + (isConstructed(method) ? await drawnActions(database, run) : 0);
}

async function drawnActions(database: Database, run: Run): Promise<number> {
  const { kysely } = database;
  const tree = new Tree(database);
  const drawn = kysely.selectFrom('candidates').where('run_id', '=', run.id).where('position', '>=', 0);
  const all = drawn.where('action', 'is not', null).select(({ fn }) => fn.countAll<number>().as('count'));
  const ofSeveral = (await drawn.where(maybeSeveral).select(['node_id', 'action']).execute()).filter(hasSeveral);
  const trajectories = kysely.selectFrom('trajectories').select('sample').distinct().where('run_id', '=', run.id);
  const samples = (await trajectories.orderBy('sample').execute()).map(({ sample }) => sample);
  const taken = (state: State, actions: Action[]) => stepsOfDraw(tree, run.config, state, { actions }, samples);
  const ofOne = Number((await all.executeTakeFirstOrThrow()).count) - ofSeveral.length;
  return ofOne + (await stepsOfSeveral(tree, ofSeveral, taken));
}

async function stepsOfLooks(database: Database, runId: string): Promise<number> {
  const { kysely } = database;
  const tree = new Tree(database);
  const steps = kysely.selectFrom('steps').select(['node_id', 'looked_at']).where('run_id', '=', runId);
  const looks = (await steps.where('looked_at', 'is not', null).execute()).flatMap(({ node_id, looked_at }) =>
    jsonOf<string[]>(looked_at)!.map((id) => `${node_id}/${id}`),
  );
  const candidates = kysely.selectFrom('candidates').select(['node_id', 'id', 'action']).where('run_id', '=', runId);
  const rows = (await candidates.where(maybeSeveral).execute()).filter(hasSeveral);
  const byPlace = new Map(rows.map((row) => [`${row.node_id}/${row.id}`, row]));
  const ofSeveral = looks.flatMap((place) => byPlace.get(place) ?? []);
  const taken = ({ stateKey }: State, actions: Action[]) => tree.taken(stateKey, actions);
  return looks.length - ofSeveral.length + (await stepsOfSeveral(tree, ofSeveral, taken));
}

/** SQL for actions that may be several: the database sees of a sealed one only that it is sealed. */
const maybeSeveral = sql<SqlBool>`(action LIKE '[%' OR action LIKE ${`${sealedMark}%`})`;

function hasSeveral({ action }: { action: string | null }): boolean {
  return action?.startsWith('[') ?? false;
}

/** Steps of messages with several actions. Such a message may be over before the last of them. */
async function stepsOfSeveral(
  tree: Tree,
  rows: readonly { node_id: string; action: string | null }[],
  taken: (state: State, actions: Action[]) => Promise<TakenAction[]>,
): Promise<number> {
  let sum = 0;
  for (const { node_id, action } of rows) sum += (await taken(await tree.state(node_id), actionsIn(action))).length;
  return sum;
}

async function stepsOfBranches({ kysely }: Database, runId: string) {
  const made = await kysely
    .selectFrom('branches')
    .select(({ fn }) => [
      fn.countAll<number>().as('all'),
      fn.count<number>('environment_steps').as('known'),
      fn.sum<number | null>('environment_steps').as('steps'),
      fn.sum<number | null>('compared').as('replayed'),
    ])
    .where('run_id', '=', runId)
    .where('purpose', '<>', 'reference')
    .executeTakeFirstOrThrow();
  const isKnown = Number(made.known) === Number(made.all);
  return { steps: isKnown ? Number(made.steps ?? 0) : null, replayed: Number(made.replayed ?? 0) };
}

async function stepsRecordedBy({ kysely }: Database, recorder: string): Promise<number> {
  const query = kysely.selectFrom('transitions').select(({ fn }) => fn.countAll<number>().as('count'));
  return Number((await query.where('recorded_by', '=', recorder).executeTakeFirstOrThrow()).count);
}

/** Whether a step was taken since then without a note of its run: a run from an earlier version was in progress. */
async function hasUnknownRecorder({ kysely }: Database, since: number): Promise<boolean> {
  const query = kysely.selectFrom('transitions').select('key').where('recorded_by', 'is', null);
  return (await query.where('created_at', '>=', since).limit(1).executeTakeFirst()) !== undefined;
}
