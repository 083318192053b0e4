// Layer: audits of whole runs on a real Temporal server, with simulated models over HTTP and a real store; the truth is known exactly.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditWorkflowId } from '../../src/domain/run/workflow-ids.ts';
import type { AuditInput, AuditResult } from '../../src/domain/wire/audit.ts';
import { exactValues, mazePolicy } from '../../src/simulation/maze-world.ts';
import { createMazes } from '../../src/simulation/mazes.ts';
import { type AuditRequest, launchAudit, prepareAudit } from '../../src/start/audits.ts';
import { taskQueue } from '../../src/temporal/task-queues.ts';
import { auditView } from '../../src/views/audit.ts';
import { compareRuns } from '../../src/views/comparison.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { Lab, type LabRequest, outcomeOf } from '../helpers/lab.ts';

let lab: Lab;
let cso: string;

const mined: LabRequest = { limit: 6, options: { verification: { placeboRate: 1 } } };

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  await lab.work();
  const run = await lab.start(mined);
  await run.result();
  cso = run.id;
});
afterAll(() => lab.close());

const requests = () => lab.simulation.stats().requests;

async function audit(runId: string, request: AuditRequest): Promise<AuditResult> {
  return launchAudit(lab.client, lab.store, await prepareAudit(lab.store, runId, request));
}

/** Everything of an audit that must not depend on how it was made. */
async function outcomeOfAudit(runId: string) {
  const { runId: _, ...view } = (await auditView(lab.store, runId))!;
  return {
    ...view,
    ledger: view.ledger.map(({ role, purpose, calls, promptTokens, completionTokens }) => ({
      role,
      purpose,
      calls,
      promptTokens,
      completionTokens,
    })),
  };
}

/** The true value of the door that a candidate takes, for the policy of the lab. */
async function exactValue(nodeId: string, candidateId: string): Promise<number> {
  const state = await lab.store.tree.state(nodeId);
  const maze = createMazes({ seed: 1, count: 10, tiedShare: 0.25 }).find(({ id }) => id === state.taskId)!;
  const candidate = await lab.store.findings.candidate(cso, candidateId);
  const taken = [...state.actions, ...candidate.actions].map((action) => String(action.arguments.door));
  const room = taken.reduce(
    (name, door) => maze.rooms.get(name)!.doors.find((other) => other.label === door)!.to,
    maze.start,
  );
  return exactValues(maze, mazePolicy(maze, 1, 0.4)).get(room)!;
}

describe('an audit of CSO', () => {
  it('rolls both sides of every pair out, in streams of its own, and leaves the run as it is', async () => {
    const [before, outcome, keys] = [
      await runSummary(lab.store, cso),
      await outcomeOf(lab.store, cso),
      await lab.journaledKeys(cso),
    ];
    expect(before.audit).toBeNull();
    expect(await audit(cso, { rollouts: 64 })).toMatchObject({ state: 'finished' });

    const view = (await auditView(lab.store, cso))!;
    const pairs = await lab.store.findings.pairs(cso);
    expect(view.pairs).toMatchObject({ total: pairs.length, audited: pairs.length });
    expect(view.judged.every(({ chosen, rejected }) => chosen.n === 64 && rejected.n === 64)).toBe(true);
    const answers = await lab.store.database.kysely
      .selectFrom('answers')
      .select(['key', 'purpose'])
      .where('run_id', '=', cso)
      .execute();
    const added = answers.filter(({ key }) => !keys.has(key));
    expect(added.length).toBeGreaterThan(100);
    expect(new Set(added.map(({ purpose }) => purpose))).toEqual(new Set(['reference']));

    const { audit: audited, ...after } = await runSummary(lab.store, cso);
    expect({ ...after, audit: null }).toEqual(before);
    expect(audited!.quality).toEqual(view.quality);
    expect(await outcomeOf(lab.store, cso)).toBe(outcome);
  });

  it('comes to the true values of both sides', async () => {
    const { judged } = (await auditView(lab.store, cso))!;
    const pairs = new Map((await lab.store.findings.pairs(cso)).map((pair) => [pair.id, pair]));
    expect(judged.length).toBeGreaterThan(3);
    for (const { pairId, chosen, rejected } of judged) {
      const pair = pairs.get(pairId)!;
      for (const [id, { mean }] of [
        [pair.chosenId, chosen],
        [pair.rejectedId, rejected],
      ] as const) {
        const truth = await exactValue(pair.nodeId, id);
        // Four standard errors of 64 rollouts; seeds are fixed.
        expect(Math.abs(mean - truth)).toBeLessThanOrEqual(4 * Math.sqrt((truth * (1 - truth)) / 64) + 1e-9);
      }
    }
  });

  it('asks no model again when it is repeated, and only for what is new when it grows', async () => {
    const expected = await outcomeOfAudit(cso);
    const before = requests();
    expect(await audit(cso, { rollouts: 64 })).toMatchObject({ state: 'finished' });
    expect(requests()).toBe(before);
    expect(await outcomeOfAudit(cso)).toEqual(expected);

    expect(await audit(cso, { rollouts: 8 })).toMatchObject({ state: 'finished' });
    expect(requests()).toBe(before);
    const fewer = (await auditView(lab.store, cso))!;
    expect(fewer.judged.every(({ chosen }) => chosen.n === 8)).toBe(true);
    await audit(cso, { rollouts: 64 });
    expect(await outcomeOfAudit(cso)).toEqual(expected);
  });

  it('takes a seeded sample of the pairs', async () => {
    await audit(cso, { rollouts: 64, sample: 3 });
    expect((await auditView(lab.store, cso))!.pairs).toMatchObject({ sampled: 3, audited: 3 });
    await audit(cso, { rollouts: 64, sample: 0.5 });
    const { pairs } = (await auditView(lab.store, cso))!;
    expect(pairs.sampled).toBeGreaterThan(0);
    expect(pairs.sampled).toBeLessThan(pairs.total);
    await audit(cso, { rollouts: 64 });
  });

  it('comes to the same in a run of its own, through a ceiling and continued as new after every page', async () => {
    const again = await lab.start(mined);
    await again.result();
    const calls = await lab.countAnswers(again.id);
    expect(await audit(again.id, { ceilings: { calls: calls + 50 } })).toMatchObject({ state: 'budget' });
    expect(await lab.countAnswers(again.id)).toBe(calls + 50);
    await prepareAudit(lab.store, again.id, { ceilings: { calls: null } });
    const input: AuditInput = { runId: again.id, rollouts: 64, parallel: 3, historyLimit: 20 };
    const workflowId = auditWorkflowId(again.id);
    await lab.client.workflow.start('audit', { workflowId, taskQueue: taskQueue(lab.store.id), args: [input] });
    expect(await lab.client.workflow.getHandle(workflowId).result()).toMatchObject({ state: 'finished' });
    expect(await outcomeOfAudit(again.id)).toEqual(await outcomeOfAudit(cso));
  });

  it('stands in comparisons', async () => {
    const other = await lab.start({ limit: 2 });
    await other.result();
    const { runs } = await compareRuns(lab.store, [cso, other.id]);
    expect(runs.map(({ audit: audited }) => audited?.quality ?? null)).toEqual([
      (await auditView(lab.store, cso))!.quality,
      null,
    ]);
  });
});

describe('an audit of RRO', () => {
  it('rolls out what steps went on with too, whether they gave a pair or not', async () => {
    const run = await lab.start({ method: 'rro', limit: 2 });
    await run.result();
    expect(await audit(run.id, { rollouts: 32 })).toMatchObject({ state: 'finished' });
    const { accepted, pairs } = (await auditView(lab.store, run.id))!;
    const steps = await lab.store.findings.steps(run.id);
    expect(accepted!.steps).toBe(steps.length);
    expect(pairs.audited).toBe(pairs.total);
    expect(pairs.total).toBeLessThan(steps.length);
    // Values by which actions are selected overrate them.
    expect(accepted!.overrated.value).toBeCloseTo(accepted!.estimate - accepted!.reference.value, 12);
    expect(accepted!.overrated.value).toBeGreaterThan(0);
  });
});

describe('an audit of Step-DPO', () => {
  it('rolls out pairs that nothing has verified', async () => {
    const run = await lab.start({ method: 'step-dpo', limit: 3 });
    await run.result();
    expect(await audit(run.id, { rollouts: 16, sample: 5 })).toMatchObject({ state: 'finished' });
    expect((await auditView(lab.store, run.id))!.pairs.audited).toBe(5);
  });
});

describe('a run that cannot be audited', () => {
  it('is one that is under way, or cancelled, or unknown, or asked for nonsense', async () => {
    const run = await lab.start({ limit: 2 });
    await expect(prepareAudit(lab.store, run.id)).rejects.toMatchObject({ kind: 'User.Config' });
    await run.cancel();
    await run.result();
    await expect(prepareAudit(lab.store, run.id)).rejects.toMatchObject({ kind: 'User.Config' });
    await expect(prepareAudit(lab.store, 'nobody')).rejects.toMatchObject({ kind: 'User.NotFound' });
    for (const request of [{ rollouts: 0 }, { sample: 1.5 }, { sample: 0 }]) {
      await expect(prepareAudit(lab.store, cso, request)).rejects.toMatchObject({ kind: 'User.Config' });
    }
  });
});
