/** Findings as rows of their tables, and back: flags as 0 and 1, lists and certificates as JSON. */

import type { Branch } from '../domain/branch.ts';
import type { Candidate, Score } from '../domain/candidate.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import type { KeptExample } from '../domain/example.ts';
import type { RecordedPair } from '../domain/pairs/pair.ts';
import type { NewStep, Proposals, Step } from '../domain/step.ts';
import type { Trajectory } from '../domain/trajectory.ts';
import { actionColumn, actionsIn } from './action-column.ts';
import { columnOf, flagOf } from './flag.ts';
import { jsonColumn, jsonOf } from './json-column.ts';
import type {
  BranchTable,
  CandidateTable,
  ExampleTable,
  PairTable,
  ProposalTable,
  ScoreTable,
  StepTable,
  TrajectoryTable,
} from './schema.ts';

export function trajectoryRow(trajectory: Trajectory): TrajectoryTable {
  return {
    run_id: trajectory.runId,
    id: trajectory.id,
    task_id: trajectory.taskId,
    sample: trajectory.sample,
    origin: trajectory.origin,
    model: trajectory.model,
    root_id: trajectory.rootId,
    leaf_id: trajectory.leafId,
    steps: trajectory.steps,
    environment_steps: trajectory.environmentSteps,
    malformed: trajectory.malformed ?? null,
    ending: trajectory.ending,
    reward: trajectory.reward,
    success: columnOf(trajectory.success),
    confirmed: columnOf(trajectory.confirmed),
    audit_flags: jsonColumn(trajectory.auditFlags),
    details: jsonColumn(trajectory.details),
  };
}

export function trajectoryOf(row: TrajectoryTable): Trajectory {
  return {
    runId: row.run_id,
    id: row.id,
    taskId: row.task_id,
    sample: row.sample,
    origin: row.origin as Trajectory['origin'],
    model: row.model,
    rootId: row.root_id,
    leafId: row.leaf_id,
    steps: row.steps,
    environmentSteps: row.environment_steps,
    ...(row.malformed !== null && { malformed: row.malformed }),
    ending: row.ending as Trajectory['ending'],
    reward: row.reward,
    success: flagOf(row.success),
    confirmed: flagOf(row.confirmed),
    auditFlags: jsonOf(row.audit_flags),
    details: jsonOf(row.details),
  };
}

export function candidateRow(candidate: Candidate): CandidateTable {
  return {
    run_id: candidate.runId,
    id: candidate.id,
    node_id: candidate.nodeId,
    source: candidate.source,
    model: candidate.model,
    position: candidate.position,
    message: canonicalJson(candidate.message as Json),
    action: actionColumn(candidate.actions),
    canonical: candidate.canonical,
  };
}

export function candidateOf(row: CandidateTable): Candidate {
  return {
    runId: row.run_id,
    id: row.id,
    nodeId: row.node_id,
    source: row.source as Candidate['source'],
    model: row.model,
    position: row.position,
    message: JSON.parse(row.message) as Candidate['message'],
    actions: actionsIn(row.action),
    canonical: row.canonical,
  };
}

export function scoreRow(score: Score): ScoreTable {
  return {
    run_id: score.runId,
    candidate_id: score.candidateId,
    purpose: score.purpose,
    score: score.score,
    samples: JSON.stringify(score.samples),
  };
}

export function scoreOf(row: ScoreTable): Score {
  return {
    runId: row.run_id,
    candidateId: row.candidate_id,
    purpose: row.purpose as Score['purpose'],
    score: row.score,
    samples: JSON.parse(row.samples) as Score['samples'],
  };
}

export function stepRow(step: NewStep): StepTable {
  return {
    run_id: step.runId,
    trajectory_id: step.trajectoryId,
    step: step.step,
    node_id: step.nodeId,
    verdict: step.verdict,
    own_id: step.ownId ?? null,
    chosen_id: step.chosenId ?? null,
    rejected_id: step.rejectedId ?? null,
    branched: JSON.stringify(step.branched ?? []),
    placebo: Number(step.placebo ?? false),
    ruled_out: jsonColumn(step.ruledOut ?? null),
    looked_at: listColumn(step.lookedAt ?? []),
    settled: null,
  };
}

export function stepOf(row: StepTable): Step {
  return {
    runId: row.run_id,
    trajectoryId: row.trajectory_id,
    step: row.step,
    nodeId: row.node_id,
    verdict: row.verdict,
    ownId: row.own_id,
    chosenId: row.chosen_id,
    rejectedId: row.rejected_id,
    branched: JSON.parse(row.branched) as string[],
    placebo: row.placebo === 1,
    ruledOut: jsonOf(row.ruled_out),
    lookedAt: jsonOf<string[]>(row.looked_at) ?? [],
    settled: jsonOf(row.settled),
  };
}

export function proposalRow(proposals: Proposals): ProposalTable {
  return {
    run_id: proposals.runId,
    trajectory_id: proposals.trajectoryId,
    step: proposals.step,
    same_action: proposals.sameAction,
    duplicates: proposals.duplicates,
    same_state: proposals.sameState,
    unreadable: proposals.unreadable,
    looked_at: listColumn(proposals.lookedAt),
  };
}

export function branchRow(branch: Branch): BranchTable {
  return {
    run_id: branch.runId,
    id: branch.id,
    trajectory_id: branch.trajectoryId,
    node_id: branch.nodeId,
    candidate_id: branch.candidateId,
    purpose: branch.purpose,
    rollout: branch.rollout,
    leaf_id: branch.leafId,
    steps: branch.steps,
    environment_steps: branch.environmentSteps,
    malformed: branch.malformed ?? null,
    seed: branch.seed,
    ending: branch.ending,
    reward: branch.reward,
    success: columnOf(branch.success),
    confirmed: columnOf(branch.confirmed),
    audit_flags: jsonColumn(branch.auditFlags),
    details: jsonColumn(branch.details),
    compared: branch.compared,
  };
}

export function branchOf(row: BranchTable): Branch {
  return {
    runId: row.run_id,
    id: row.id,
    trajectoryId: row.trajectory_id,
    nodeId: row.node_id,
    candidateId: row.candidate_id,
    purpose: row.purpose as Branch['purpose'],
    rollout: row.rollout,
    leafId: row.leaf_id,
    steps: row.steps,
    environmentSteps: row.environment_steps,
    ...(row.malformed !== null && { malformed: row.malformed }),
    seed: row.seed,
    ending: row.ending as Branch['ending'],
    reward: row.reward,
    success: flagOf(row.success),
    confirmed: flagOf(row.confirmed),
    auditFlags: jsonOf(row.audit_flags),
    details: jsonOf(row.details),
    compared: row.compared,
  };
}

export function pairRow(pair: RecordedPair): PairTable {
  return {
    run_id: pair.runId,
    id: pair.id,
    trajectory_id: pair.trajectoryId,
    task_id: pair.taskId,
    task_group: pair.group,
    node_id: pair.nodeId,
    step: pair.step,
    chosen_id: pair.chosenId,
    rejected_id: pair.rejectedId,
    chosen_leaf: pair.chosenLeaf,
    rejected_leaf: pair.rejectedLeaf,
    flags: JSON.stringify(pair.flags),
    certificate: JSON.stringify(pair.certificate),
  };
}

export function pairOf(row: PairTable): RecordedPair {
  return {
    runId: row.run_id,
    id: row.id,
    trajectoryId: row.trajectory_id,
    taskId: row.task_id,
    group: row.task_group,
    nodeId: row.node_id,
    step: row.step,
    chosenId: row.chosen_id,
    rejectedId: row.rejected_id,
    chosenLeaf: row.chosen_leaf,
    rejectedLeaf: row.rejected_leaf,
    flags: JSON.parse(row.flags) as RecordedPair['flags'],
    certificate: JSON.parse(row.certificate) as RecordedPair['certificate'],
  };
}

export function exampleRow(example: KeptExample): ExampleTable {
  return {
    run_id: example.runId,
    id: example.id,
    trajectory_id: example.trajectoryId,
    task_id: example.taskId,
    task_group: example.group,
    leaf_id: example.leafId,
    origin: example.origin,
    model: example.model,
    reward: example.reward,
    success: columnOf(example.success),
    confirmed: columnOf(example.confirmed),
  };
}

export function exampleOf(row: ExampleTable): KeptExample {
  return {
    runId: row.run_id,
    id: row.id,
    trajectoryId: row.trajectory_id,
    taskId: row.task_id,
    group: row.task_group,
    leafId: row.leaf_id,
    origin: row.origin as KeptExample['origin'],
    model: row.model,
    reward: row.reward,
    success: flagOf(row.success),
    confirmed: flagOf(row.confirmed),
  };
}

/** Lists that are mostly empty; an empty one is stored as null. */
function listColumn(ids: string[]): string | null {
  return ids.length === 0 ? null : JSON.stringify(ids);
}
