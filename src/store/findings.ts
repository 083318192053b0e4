/**
 * What methods found out: trajectories, candidates, scores, verdicts on steps, branches, pairs. All are written once and never changed, with two
 * exceptions: the pairs of a trajectory, and a trajectory that ran out of budget.
 */
import type { AgentFormatName } from '../domain/action.ts';
import type { Branch } from '../domain/branch.ts';
import type { Candidate, Score, ScorePurpose } from '../domain/candidate.ts';
import type { Details } from '../domain/ending.ts';
import type { KeptExample, TrajectoryOrigin } from '../domain/example.ts';
import { brokenEndings } from '../domain/fault-ending.ts';
import type { RecordedPair } from '../domain/pairs/pair.ts';
import { addUnpaired, type SettledStep, type UnpairedCounts } from '../domain/pairs/unpaired.ts';
import type { AuditSettings } from '../domain/run/audit.ts';
import type { NewStep, Proposals, Step } from '../domain/step.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import type { Database } from './database.ts';
import {
  branchOf,
  branchRow,
  candidateOf,
  candidateRow,
  exampleOf,
  exampleRow,
  pairOf,
  pairRow,
  proposalRow,
  scoreOf,
  scoreRow,
  stepOf,
  stepRow,
  trajectoryOf,
  trajectoryRow,
} from './finding-rows.ts';
import { jsonOf } from './json-column.ts';
import type { Schema } from './schema.ts';
import { sortedBy } from './sorted-by.ts';

/** The run id of imported trajectories: they belong to an environment, not to a run. */
export function importScope(environment: string): string {
  return `import:${environment}`;
}

export type FindingCounts = { trajectories: number; steps: number; branches: number; pairs: number; calls: number };

type FindingTable = 'candidates' | 'scores' | 'steps' | 'proposals' | 'branches';

export class Findings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A trajectory that ran out of budget, or that a fault ended, is rewritten when it continues. */
  addTrajectory = async (trajectory: Trajectory): Promise<void> => {
    const row = trajectoryRow(trajectory);
    await this.#database.kysely
      .insertInto('trajectories')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['run_id', 'id'])
          .doUpdateSet(row)
          .where('trajectories.ending', 'in', ['budget', ...brokenEndings]),
      )
      .execute();
  };
  addCandidates = (candidates: Candidate[]) => this.#add('candidates', candidates.map(candidateRow));
  addScore = (score: Score) => this.#add('scores', [scoreRow(score)]);
  addStep = (step: NewStep) => this.#add('steps', [stepRow(step)]);
  addProposals = (proposals: Proposals) => this.#add('proposals', [proposalRow(proposals)]);
  addBranch = (branch: Branch) => this.#add('branches', [branchRow(branch)]);

  /** How many trajectories a fault of host or model has ended so far, and the words of one fault. */
  async broken(runId: string): Promise<{ count: number; words: string | null }> {
    const row = await this.#database.kysely
      .selectFrom('trajectories')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('details').as('details')])
      .where('run_id', '=', runId)
      .where('ending', 'in', [...brokenEndings])
      .executeTakeFirstOrThrow();
    const fault = jsonOf<Details>(row.details)?.fault;
    return { count: Number(row.count), words: typeof fault === 'string' ? fault : null };
  }

  async trajectory(runId: string, id: string): Promise<Trajectory | null> {
    const query = this.#database.kysely.selectFrom('trajectories').selectAll();
    const row = await query.where('run_id', '=', runId).where('id', '=', id).executeTakeFirst();
    return row ? trajectoryOf(row) : null;
  }

  /** The policy's own trajectories, and recorded ones that are mined instead. */
  trajectories(runId: string): Promise<Trajectory[]> {
    return this.#trajectoriesFrom(runId, ['policy', 'imported']);
  }

  /** Format of the first state of each imported trajectory, by the state's id. */
  async importedFormats(environment: string): Promise<Map<string, AgentFormatName>> {
    const rows = await this.#database.kysely
      .selectFrom('trajectories')
      .innerJoin('nodes', 'nodes.id', 'trajectories.root_id')
      .select(['nodes.id as rootId', 'nodes.format as format'])
      .distinct()
      .where('trajectories.run_id', '=', importScope(environment))
      .execute();
    return new Map(rows.map(({ rootId, format }) => [rootId, format as AgentFormatName]));
  }

  /** The same of one task. */
  trajectoriesOf(runId: string, taskId: string): Promise<Trajectory[]> {
    return this.#trajectoriesFrom(runId, ['policy', 'imported'], taskId);
  }

  /** Expert trajectories. */
  demonstrations(runId: string, taskId?: string): Promise<Trajectory[]> {
    return this.#trajectoriesFrom(runId, ['expert', 'scripted', 'recorded'], taskId);
  }

  /** Both, the policy's first. */
  async allTrajectories(runId: string, taskId?: string): Promise<Trajectory[]> {
    const own = taskId === undefined ? this.trajectories(runId) : this.trajectoriesOf(runId, taskId);
    return [...(await own), ...(await this.demonstrations(runId, taskId))];
  }

  async #trajectoriesFrom(runId: string, origins: TrajectoryOrigin[], taskId?: string): Promise<Trajectory[]> {
    const all = this.#database.kysely.selectFrom('trajectories').selectAll().where('run_id', '=', runId);
    const query = all.where('origin', 'in', origins).orderBy('task_id').orderBy('sample').orderBy('id');
    const rows = await (taskId === undefined ? query : query.where('task_id', '=', taskId)).execute();
    return rows.map(trajectoryOf);
  }

  async candidate(runId: string, id: string): Promise<Candidate> {
    const query = this.#database.kysely.selectFrom('candidates').selectAll();
    return candidateOf(await query.where('run_id', '=', runId).where('id', '=', id).executeTakeFirstOrThrow());
  }

  /** Candidates of a state in the order in which they were drawn. */
  async candidatesOf(runId: string, nodeId: string): Promise<Candidate[]> {
    const all = this.#database.kysely.selectFrom('candidates').selectAll().where('run_id', '=', runId);
    const query = all.where('node_id', '=', nodeId);
    return (await query.orderBy('position').orderBy('id').execute()).map(candidateOf);
  }

  async candidates(runId: string): Promise<Candidate[]> {
    const query = this.#database.kysely.selectFrom('candidates').selectAll().where('run_id', '=', runId);
    return (await query.orderBy('node_id').orderBy('position').orderBy('id').execute()).map(candidateOf);
  }

  /** How many different actions were drawn besides the policies' own. It does not read their texts, which are long. */
  async countAlternatives(runId: string): Promise<number> {
    const query = this.#database.kysely.selectFrom('candidates').select(({ fn }) => fn.countAll<number>().as('count'));
    const alternatives = query.where('run_id', '=', runId).where('position', '>=', 0);
    return Number((await alternatives.executeTakeFirstOrThrow()).count);
  }

  /** The same by task. */
  async alternativesByTask(runId: string): Promise<{ taskId: string; alternatives: number }[]> {
    const rows = await this.#database.kysely
      .selectFrom('candidates')
      .innerJoin('nodes', 'nodes.id', 'candidates.node_id')
      .select(({ fn }) => ['nodes.task_id as taskId', fn.countAll<number>().as('alternatives')])
      .where('candidates.run_id', '=', runId)
      .where('candidates.position', '>=', 0)
      .groupBy('nodes.task_id')
      .execute();
    return rows.map(({ taskId, alternatives }) => ({ taskId, alternatives: Number(alternatives) }));
  }

  /** Tasks of the states that were judged or branched from, by state. */
  async tasksOfStates(runId: string): Promise<Map<string, string>> {
    const { kysely } = this.#database;
    const nodesIn = (table: 'steps' | 'branches') =>
      kysely.selectFrom(table).select('node_id').where('run_id', '=', runId);
    const rows = await kysely
      .selectFrom('nodes')
      .select(['id', 'task_id'])
      .where('id', 'in', nodesIn('steps').union(nodesIn('branches')))
      .execute();
    return new Map(rows.map((row) => [row.id, row.task_id]));
  }

  /** The scores of each action for a purpose. A score whose purpose is unknown counts for either. */
  async scores(runId: string, purpose: ScorePurpose): Promise<Score[]> {
    const rows = await this.#scoresFor(runId, purpose).orderBy('candidate_id').execute();
    const known = new Set(rows.filter((row) => row.purpose === purpose).map((row) => row.candidate_id));
    return rows.filter((row) => row.purpose === purpose || !known.has(row.candidate_id)).map(scoreOf);
  }

  /** The same of one action. */
  async score(runId: string, candidateId: string, purpose: ScorePurpose): Promise<Score | null> {
    const rows = await this.#scoresFor(runId, purpose).where('candidate_id', '=', candidateId).execute();
    const row = rows.find((one) => one.purpose === purpose) ?? rows[0];
    return row ? scoreOf(row) : null;
  }

  #scoresFor(runId: string, purpose: ScorePurpose) {
    const query = this.#database.kysely.selectFrom('scores').selectAll().where('run_id', '=', runId);
    return query.where('purpose', 'in', [purpose, 'unknown']);
  }

  async steps(runId: string, trajectoryId?: string): Promise<Step[]> {
    let query = this.#database.kysely.selectFrom('steps').selectAll().where('run_id', '=', runId);
    if (trajectoryId !== undefined) query = query.where('trajectory_id', '=', trajectoryId);
    return (await query.orderBy('trajectory_id').orderBy('step').execute()).map(stepOf);
  }

  /** The draws at a step that gave no candidate, as reasons. @param step from 1 */
  async undrawn(
    runId: string,
    trajectoryId: string,
    step: number,
  ): Promise<{ unpaired: UnpairedCounts; lookedAt: string[] }> {
    const query = this.#database.kysely.selectFrom('proposals').selectAll().where('run_id', '=', runId);
    const row = await query.where('trajectory_id', '=', trajectoryId).where('step', '=', step).executeTakeFirst();
    const counts: UnpairedCounts = {};
    addUnpaired(counts, 'unreadable', Number(row?.unreadable ?? 0));
    addUnpaired(counts, 'duplicate', Number(row?.duplicates ?? 0));
    addUnpaired(counts, 'same-action', Number(row?.same_action ?? 0));
    addUnpaired(counts, 'same-state', Number(row?.same_state ?? 0));
    return { unpaired: counts, lookedAt: jsonOf<string[]>(row?.looked_at ?? null) ?? [] };
  }

  /** @param step from 1 */
  async step(runId: string, trajectoryId: string, step: number): Promise<Step | null> {
    const query = this.#database.kysely.selectFrom('steps').selectAll().where('run_id', '=', runId);
    const one = query.where('trajectory_id', '=', trajectoryId).where('step', '=', step);
    const row = await one.executeTakeFirst();
    return row ? stepOf(row) : null;
  }

  /**
   * Branches that a run made to find and prove its pairs, without those of an audit. Their order does not depend on which of several trajectories
   * reached a state first.
   */
  async branches(runId: string, trajectoryId?: string): Promise<Branch[]> {
    const all = this.#database.kysely.selectFrom('branches').selectAll().where('run_id', '=', runId);
    let query = all.where('purpose', '<>', 'reference');
    if (trajectoryId !== undefined) query = query.where('trajectory_id', '=', trajectoryId);
    return sortedBy(await query.execute(), ['node_id', 'candidate_id', 'purpose', 'rollout']).map(branchOf);
  }

  /** Whether there are any of them. */
  async hasBranches(runId: string): Promise<boolean> {
    const query = this.#database.kysely.selectFrom('branches').select('id').where('run_id', '=', runId);
    return (await query.where('purpose', '<>', 'reference').limit(1).execute()).length > 0;
  }

  /** Branches from a state, whichever trajectory of the run reached it. */
  async branchesAt(runId: string, nodeId: string): Promise<Branch[]> {
    const all = this.#database.kysely.selectFrom('branches').selectAll().where('run_id', '=', runId);
    const query = all.where('node_id', '=', nodeId).orderBy('candidate_id').orderBy('purpose').orderBy('rollout');
    return (await query.execute()).map(branchOf);
  }

  async branch(runId: string, id: string): Promise<Branch | null> {
    const query = this.#database.kysely.selectFrom('branches').selectAll();
    const row = await query.where('run_id', '=', runId).where('id', '=', id).executeTakeFirst();
    return row ? branchOf(row) : null;
  }

  /** Those of these branches that exist, by id. */
  async branchesById(runId: string, ids: string[]): Promise<Map<string, Branch>> {
    const query = this.#database.kysely.selectFrom('branches').selectAll();
    const rows = await query.where('run_id', '=', runId).where('id', 'in', ids).execute();
    return new Map(rows.map((row) => [row.id, branchOf(row)]));
  }

  async pairs(runId: string, taskId?: string): Promise<RecordedPair[]> {
    let query = this.#database.kysely.selectFrom('pairs').selectAll().where('run_id', '=', runId);
    if (taskId !== undefined) query = query.where('task_id', '=', taskId);
    return (await query.orderBy('task_id').orderBy('step').orderBy('id').execute()).map(pairOf);
  }

  /** How many pairs a task has in each of its states. */
  async countPairsByState(runId: string, taskId: string): Promise<Map<string, number>> {
    const rows = await this.#database.kysely
      .selectFrom('pairs')
      .select(({ fn }) => ['node_id', fn.countAll<number>().as('count')])
      .where('run_id', '=', runId)
      .where('task_id', '=', taskId)
      .groupBy('node_id')
      .execute();
    return new Map(rows.map((row) => [row.node_id, Number(row.count)]));
  }

  /** Counts of each kind. For progress displays, so it must stay cheap. */
  async counts(runId: string): Promise<FindingCounts> {
    const spending = this.#database.kysely.selectFrom('spending').select(['calls', 'reused']);
    const used = await spending.where('run_id', '=', runId).executeTakeFirst();
    return {
      trajectories: await this.count(runId, 'trajectories'),
      steps: await this.count(runId, 'steps'),
      branches: await this.count(runId, 'branches'),
      pairs: await this.count(runId, 'pairs'),
      calls: (used?.calls ?? 0) + (used?.reused ?? 0),
    };
  }

  async count(runId: string, table: 'trajectories' | 'steps' | 'branches' | 'pairs' | 'examples'): Promise<number> {
    const query = this.#database.kysely.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
    return Number((await query.where('run_id', '=', runId).executeTakeFirstOrThrow()).count);
  }

  /** A pair by its id, from any run. */
  async findPair(id: string): Promise<RecordedPair | null> {
    const query = this.#database.kysely.selectFrom('pairs').selectAll().where('id', '=', id);
    const row = await query.executeTakeFirst();
    return row ? pairOf(row) : null;
  }

  /**
   * Replaces the pairs of a trajectory that were recorded when a ceiling had cut it short. Two trajectories through one state may
   * find the same pair: it belongs to the one with the lower id, whichever is first.
   * @param settled the results of the trajectory's steps, by number
   */
  async replacePairs(
    runId: string,
    trajectoryId: string,
    pairs: RecordedPair[],
    settled: ReadonlyMap<number, SettledStep> = new Map(),
  ): Promise<void> {
    const { kysely } = this.#database;
    await this.#database.atomically([
      kysely.deleteFrom('pairs').where('run_id', '=', runId).where('trajectory_id', '=', trajectoryId),
      ...pairs.map(pairRow).map((row) =>
        kysely
          .insertInto('pairs')
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(['run_id', 'id']).doUpdateSet(row).where('pairs.trajectory_id', '>', row.trajectory_id),
          ),
      ),
      ...[...settled].map(([step, found]) =>
        kysely
          .updateTable('steps')
          .set({ settled: JSON.stringify(found) })
          .where('run_id', '=', runId)
          .where('trajectory_id', '=', trajectoryId)
          .where('step', '=', step),
      ),
    ]);
  }

  /** The settings of a run's audit; null if it was never audited. */
  async audit(runId: string): Promise<AuditSettings | null> {
    const query = this.#database.kysely.selectFrom('audits').select(['rollouts', 'sample']);
    return (await query.where('run_id', '=', runId).executeTakeFirst()) ?? null;
  }

  /** The last settings count; rollouts made under earlier ones stay. */
  async setAudit(runId: string, { rollouts, sample }: AuditSettings): Promise<void> {
    const row = { run_id: runId, rollouts, sample };
    const query = this.#database.kysely.insertInto('audits').values(row);
    await query.onConflict((conflict) => conflict.column('run_id').doUpdateSet(row)).execute();
  }

  /** The first `rollouts` reference rollouts of each audited action. */
  async references(runId: string, rollouts: number): Promise<Branch[]> {
    const all = this.#database.kysely.selectFrom('branches').selectAll().where('run_id', '=', runId);
    const query = all.where('purpose', '=', 'reference').where('rollout', '<', rollouts);
    return (await query.orderBy('node_id').orderBy('candidate_id').orderBy('rollout').execute()).map(branchOf);
  }

  /** How many of an action's first `rollouts` reference rollouts exist in these states, by state and candidate: `<node>/<candidate>`. */
  async countReferences(runId: string, rollouts: number, nodeIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#database.kysely
      .selectFrom('branches')
      .select(({ fn }) => ['node_id', 'candidate_id', fn.countAll<number>().as('count')])
      .where('run_id', '=', runId)
      .where('node_id', 'in', nodeIds)
      .where('purpose', '=', 'reference')
      .where('rollout', '<', rollouts)
      .groupBy(['node_id', 'candidate_id'])
      .execute();
    return new Map(rows.map((row) => [`${row.node_id}/${row.candidate_id}`, Number(row.count)]));
  }

  /** Trajectories to imitate, by task. */
  async examples(runId: string): Promise<KeptExample[]> {
    const query = this.#database.kysely.selectFrom('examples').selectAll().where('run_id', '=', runId);
    return (await query.orderBy('task_id').orderBy('id').execute()).map(exampleOf);
  }

  /** Replaces the examples that a trajectory of the run gave before. */
  async replaceExamples(runId: string, trajectoryId: string, examples: KeptExample[]): Promise<void> {
    const { kysely } = this.#database;
    await this.#database.atomically([
      kysely.deleteFrom('examples').where('run_id', '=', runId).where('trajectory_id', '=', trajectoryId),
      ...examples.map(exampleRow).map((row) =>
        kysely
          .insertInto('examples')
          .values(row)
          .onConflict((conflict) => conflict.columns(['run_id', 'id']).doNothing()),
      ),
    ]);
  }

  async #add<Name extends FindingTable>(name: Name, rows: Schema[Name][]): Promise<void> {
    if (rows.length === 0) return;
    await this.#database.kysely
      .insertInto(name)
      .values(rows as never)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
