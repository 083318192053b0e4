import type { Branch } from '../../src/domain/branch.ts';
import type { Ending } from '../../src/domain/ending.ts';
import type { Certificate, PairFlag, RecordedPair, VerificationRule } from '../../src/domain/pairs/pair.ts';
import type { Store } from '../../src/store/store.ts';
import { answer } from '../store/processes/rows.ts';

/** What a run found at one step, as a test writes it. */
export type RecordedStep = {
  /** Default `critical`. */
  verdict?: string;
  /** Alternatives drawn. Default 1. */
  alternatives?: number;
  /** Successes of the branches through alternatives; null for a fault. Default none. */
  verify?: (boolean | null)[];
  /** The same of the policy's own action. Absent: no placebo step. */
  placebo?: boolean[];
  /** Pairs that it gave. Default 0. */
  pairs?: number;
  flags?: PairFlag[];
  /** How these were verified. Default: not at all. */
  proof?: { rule: VerificationRule; posterior: number | null };
};

export type RecordedTask = {
  success: boolean | null;
  reward?: number | null;
  ending?: Ending;
  /** Steps of the trajectory. Default: as many as were judged. */
  length?: number;
  steps?: RecordedStep[];
  /** Tokens of its only call, 10 of them generated; null when the endpoint told none. Absent: no call. */
  tokens?: number | null;
  costMicroUsd?: number | null;
  /** Whether a success held on variants. Absent: not asked. */
  confirmed?: boolean;
  /** What the environment's audit says about a success. Absent: not asked. */
  auditFlags?: string[];
  /** Default `policy`. */
  origin?: 'policy' | 'imported';
};

/** Writes what a run found in one task straight into the store, without any workflow. */
export async function recordTask(store: Store, runId: string, taskId: string, task: RecordedTask): Promise<void> {
  const { findings, database, journal } = store;
  const { steps = [], success } = task;
  const trajectoryId = `trajectory of ${taskId}`;
  const nodeOf = (step: number) => `${taskId} before step ${step}`;
  await database.kysely
    .insertInto('nodes')
    .values(
      [1, ...steps.keys().map((index) => index + 2)].map((step) => ({
        id: nodeOf(step),
        parent_id: step === 1 ? null : nodeOf(step - 1),
        root_id: nodeOf(1),
        environment: 'doors',
        task_id: taskId,
        step: step - 1,
        messages: '[]',
        tools: null,
        format: null,
        action: null,
        state_key: nodeOf(step),
        created_at: 0,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await findings.addTrajectory({
    runId,
    id: trajectoryId,
    taskId,
    sample: 0,
    origin: task.origin ?? 'policy',
    model: 'test-model',
    rootId: nodeOf(1),
    leafId: nodeOf(1),
    steps: task.length ?? steps.length,
    environmentSteps: task.length ?? steps.length,
    ending: task.ending ?? 'submitted',
    reward: task.reward === undefined ? (success === null ? null : Number(success)) : task.reward,
    success,
    confirmed: task.confirmed ?? null,
    auditFlags: task.auditFlags ?? null,
    details: null,
  });
  for (const [index, step] of steps.entries()) {
    await recordStep(store, { runId, taskId, trajectoryId, step: index + 1, nodeId: nodeOf(index + 1) }, step);
  }
  if (task.tokens === undefined) return;
  await journal.write(
    runId,
    answer({
      key: `call of ${taskId}`,
      nodeId: nodeOf(1),
      promptTokens: task.tokens === null ? null : task.tokens - 10,
      completionTokens: task.tokens === null ? null : 10,
      costMicroUsd: task.costMicroUsd ?? null,
    }),
  );
}

type At = { runId: string; taskId: string; trajectoryId: string; step: number; nodeId: string };

const said = { role: 'assistant' as const, content: '' };
const unproven = { rule: 'none', posterior: null } as const;

async function recordStep({ findings }: Store, at: At, found: RecordedStep): Promise<void> {
  const { runId, trajectoryId, nodeId, step } = at;
  const {
    verdict = 'critical',
    alternatives = 1,
    verify = [],
    placebo,
    pairs = 0,
    flags = [],
    proof = unproven,
  } = found;
  const own = `own action, ${nodeId}`;
  const alternative = `alternative, ${nodeId}`;
  const candidate = {
    runId,
    nodeId,
    source: 'expert' as const,
    model: 'm',
    message: said,
    actions: [],
    canonical: null,
  };
  await findings.addCandidates([
    { ...candidate, id: own, position: -1 },
    ...Array.from({ length: alternatives }, (_, position) => ({
      ...candidate,
      id: `${alternative} ${position}`,
      position,
    })),
  ]);
  await findings.addStep({
    ...{ runId, trajectoryId, step, nodeId, verdict },
    ownId: own,
    branched: verdict === 'critical' ? [`${alternative} 0`] : [],
    placebo: placebo !== undefined,
  });
  const branch = (purpose: 'verify' | 'placebo', success: boolean | null, rollout: number): Branch => ({
    ...{ runId, trajectoryId, nodeId, purpose, rollout },
    id: `${purpose} ${rollout}, ${nodeId}`,
    candidateId: purpose === 'placebo' ? own : `${alternative} 0`,
    leafId: nodeId,
    steps: 1,
    environmentSteps: 1,
    seed: 1,
    ending: success === null ? 'model-fault' : 'submitted',
    reward: success === null ? null : Number(success),
    success,
    confirmed: null,
    auditFlags: null,
    details: null,
    compared: 0,
  });
  const branches = [
    ...verify.map((success, rollout) => branch('verify', success, rollout)),
    ...(placebo ?? []).map((success, rollout) => branch('placebo', success, rollout)),
  ];
  for (const row of branches) await findings.addBranch(row);
  const rows = Array.from(
    { length: pairs },
    (_, index): RecordedPair => ({
      ...{ runId, trajectoryId, nodeId, step },
      id: `pair ${index}, ${runId}, ${nodeId}`,
      taskId: at.taskId,
      group: 'one',
      chosenId: `${alternative} ${index}`,
      rejectedId: own,
      chosenLeaf: null,
      rejectedLeaf: null,
      flags,
      // What the views read of it.
      certificate: { verification: proof } as Certificate,
    }),
  );
  const kept = (await findings.pairs(runId)).filter((row) => row.trajectoryId === trajectoryId);
  await findings.replacePairs(runId, trajectoryId, [...kept, ...rows]);
}
