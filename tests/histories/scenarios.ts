/** What is recorded, by name: one scenario for each method, and what does not depend on the method. A new method gets one here. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MethodName } from '../../src/domain/methods/index.ts';
import { auditWorkflowId } from '../../src/domain/run/workflow-ids.ts';
import { launchAudit, prepareAudit } from '../../src/start/audits.ts';
import { importScope } from '../../src/store/findings.ts';
import { type LabRequest, until } from '../helpers/lab.ts';
import { type Improving, startImprovement } from '../helpers/skill-models.ts';
import type { Recorder } from './recorder.ts';

type Scenario = (recorder: Recorder) => Promise<void>;

const failed = 'maze-1-3';
const succeeded = 'maze-1-0';

/** An evaluation comes before the methods that give something to learn from: on that nothing may be tested afterwards. */
const methods: { [name in MethodName]: Scenario } = {
  evaluate,
  cso,
  rro,
  'step-dpo': stepDpo,
  anchor,
  ipr,
  eto,
  rft,
  sft,
};

export const scenarios: { [name: string]: Scenario } = { campaign, slots, ...methods, branch, audit, faults, improve };

async function campaign(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const plain = await lab.start({ taskIds: [succeeded, failed] });
  await plain.result();
  await recorder.keep('campaign-finished', plain.id);
  await recorder.keep('trajectory-succeeded', `${plain.id}/${succeeded}/0`);

  const cancelled = await lab.start({ taskIds: [failed], config: { run: { parallel: 1 } } });
  await until('it is mined', async () => (await lab.store.findings.steps(cancelled.id)).length > 0);
  await cancelled.cancel();
  await cancelled.result();
  await recorder.keep('campaign-cancelled', cancelled.id);
  await recorder.keep('trajectory-cancelled', `${cancelled.id}/${failed}/0`);

  const poor = await lab.start({ taskIds: [succeeded, failed], ceilings: { calls: 10 } });
  await poor.pause();
  await poor.resume();
  await poor.result();
  await recorder.keep('campaign-out-of-budget', poor.id);
  await recorder.keep('trajectory-out-of-budget', `${poor.id}/${failed}/0`);

  const many = await lab.start({ limit: 4, config: { run: { window: 2 } }, limits: { historyLimit: 30 } });
  await many.result();
  const executions = await recorder.executionsOf(many.id);
  await recorder.keep('campaign-continued', many.id, executions[0]);
  await recorder.keep('campaign-after-continuing', many.id, executions.at(-1));

  const busy = await lab.start({
    limit: 4,
    samples: 6,
    config: { run: { window: 4 } },
    options: { verify: false },
    limits: { historyLimit: 30 },
  });
  await busy.result();
  const [, second] = await recorder.executionsOf(busy.id);
  await recorder.keep('campaign-continued-while-busy', busy.id, second);
}

async function cso(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const plain = await lab.start({ taskIds: [failed] });
  await plain.result();
  await recorder.keep('trajectory-mined', `${plain.id}/${failed}/0`);

  const sound = await lab.start({ taskIds: [failed], preset: 'sound', options: { branchesPerStep: 1 } });
  await sound.result();
  await recorder.keep('trajectory-sound', `${sound.id}/${failed}/0`);

  const [recorded] = (await lab.store.findings.trajectories(plain.id)).filter(({ taskId: id }) => id === failed);
  await lab.store.findings.addTrajectory({ ...recorded!, runId: importScope('maze'), origin: 'imported' });
  const imported = await lab.start({ trajectories: 'imported', options: { verify: false } });
  await imported.result();
  await recorder.keep('trajectory-imported', `${imported.id}/${failed}/0`);

  // So many rollouts are planned that the steps are mined in two parts.
  const verification = { ...lab.verification(), rollouts: 64, baselineRollouts: 64 };
  const long = await lab.start({
    environment: 'long-maze',
    granularity: 'step',
    options: { alternatives: 1, verify: false, verification },
    config: { run: { window: 1 } },
    limits: { historyLimit: 40 },
  });
  await long.result();
  const workflowId = `${long.id}/${await recorder.firstTask('long-maze')}/0`;
  const executions = await recorder.executionsOf(workflowId);
  await recorder.keep('trajectory-continued-exploring', workflowId, executions[1]);
  await recorder.keep('trajectory-continued-mining', workflowId, executions.at(-1));
}

async function evaluate(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const request: LabRequest = { method: 'evaluate', split: 'train', taskIds: [failed], samples: 2 };
  const watched = await lab.start({ ...request, granularity: 'step' });
  await watched.result();
  await recorder.keep('evaluate-explored', `${watched.id}/${failed}/1`);
}

/** Campaigns whose tasks slots play. */
async function slots(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const request: LabRequest = { method: 'evaluate', split: 'train', taskIds: [succeeded, failed], samples: 4 };
  const plain = await lab.start(request);
  await plain.result();
  await recorder.keep('slots-finished', plain.id);

  const cancelled = await lab.start(request);
  await until('some answers', async () => (await lab.countAnswers(cancelled.id)) > 3);
  await cancelled.cancel();
  await cancelled.result();
  await recorder.keep('slots-cancelled', cancelled.id);

  const poor = await lab.start({ ...request, ceilings: { calls: 10 } });
  await poor.pause();
  await poor.resume();
  await poor.result();
  await recorder.keep('slots-out-of-budget', poor.id);

  const long = await lab.start({
    ...request,
    samples: 8,
    config: { run: { window: 1 } },
    limits: { historyLimit: 26, settleEveryMs: 50 },
  });
  await long.result();
  const executions = await recorder.executionsOf(long.id);
  await recorder.keep('slots-continued', long.id, executions[0]);
  await recorder.keep('slots-after-continuing', long.id, executions.at(-1));
}

async function rro(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const rising = await lab.start({ method: 'rro', taskIds: [failed], options: { reestimateRate: 1 } });
  await rising.result();
  await recorder.keep('rro-rising', `${rising.id}/${failed}/0`);

  const sound = await lab.start({
    method: 'rro',
    taskIds: [failed],
    preset: 'sound',
    options: { draws: 2, valueRollouts: 2, exploration: 'fixed' },
  });
  await sound.result();
  await recorder.keep('rro-fixed-and-proven', `${sound.id}/${failed}/0`);

  const stopped = await lab.start({ method: 'rro', taskIds: [failed], options: { valueStopping: 'cannot-rise' } });
  await stopped.result();
  await recorder.keep('rro-values-stopped', `${stopped.id}/${failed}/0`);

  const long = await lab.start({
    method: 'rro',
    environment: 'long-maze',
    limit: 1,
    granularity: 'step',
    options: { draws: 2, valueRollouts: 1 },
    limits: { historyLimit: 120 },
  });
  await long.result();
  const workflowId = `${long.id}/${await recorder.firstTask('long-maze')}/0`;
  const executions = await recorder.executionsOf(workflowId);
  await recorder.keep('rro-continued', workflowId, executions[0]);
  await recorder.keep('rro-after-continuing', workflowId, executions[1]);
}

async function stepDpo(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const plain = await lab.start({ method: 'step-dpo', taskIds: [failed] });
  await plain.result();
  await recorder.keep('step-dpo-ranked', `${plain.id}/${failed}/0`);

  const judged = await lab.start({
    method: 'step-dpo',
    taskIds: [failed],
    preset: 'sound',
    options: { select: 'first-error', resamples: 8, reestimateRate: 1 },
  });
  await judged.result();
  await recorder.keep('step-dpo-first-error', `${judged.id}/${failed}/0`);

  const long = await lab.start({
    method: 'step-dpo',
    environment: 'long-maze',
    limit: 1,
    limits: { historyLimit: 60 },
  });
  await long.result();
  const workflowId = `${long.id}/${await recorder.firstTask('long-maze')}/0`;
  await recorder.keep('step-dpo-after-continuing', workflowId, (await recorder.executionsOf(workflowId)).at(-1));
}

async function ipr(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const run = await lab.start({ method: 'ipr', taskIds: [failed], options: { valueRollouts: 2, reestimateRate: 1 } });
  await run.result();
  await recorder.keep('ipr-contrasted', `${run.id}/${failed}/0`);

  const long = await lab.start({
    method: 'ipr',
    environment: 'long-maze',
    limit: 1,
    granularity: 'step',
    options: { valueRollouts: 1 },
    limits: { historyLimit: 120 },
  });
  await long.result();
  const workflowId = `${long.id}/${await recorder.firstTask('long-maze')}/0`;
  const executions = await recorder.executionsOf(workflowId);
  await recorder.keep('ipr-continued', workflowId, executions[0]);
  await recorder.keep('ipr-after-continuing', workflowId, executions.at(-1));
}

async function eto(recorder: Recorder): Promise<void> {
  await recordOne(recorder, 'eto', 'eto-contrasted');
}

async function anchor(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const run = await lab.start({ method: 'anchor', taskIds: [failed], options: { reestimateRate: 1 } });
  await run.result();
  for (const sample of [0, 1, 2, 3]) await recorder.keep(`anchor-sample-${sample}`, `${run.id}/${failed}/${sample}`);

  const sound = await lab.start({ method: 'anchor', taskIds: [failed], preset: 'sound', samples: 4 });
  await sound.result();
  for (const sample of [0, 1, 2, 3]) await recorder.keep(`anchor-proven-${sample}`, `${sound.id}/${failed}/${sample}`);
}

async function rft(recorder: Recorder): Promise<void> {
  await recordOne(recorder, 'rft', 'rft-sampled', { granularity: 'step' });
}

async function sft(recorder: Recorder): Promise<void> {
  await recordOne(recorder, 'sft', 'sft-demonstrated', { granularity: 'step' });
}

/** One trajectory of a method, with all defaults but those given. */
async function recordOne(
  recorder: Recorder,
  method: MethodName,
  name: string,
  request: LabRequest = {},
): Promise<void> {
  const run = await recorder.lab.start({ method, taskIds: [failed], ...request });
  await run.result();
  await recorder.keep(name, `${run.id}/${failed}/0`);
}

/** Branches as workflows of their own, which methods share. */
async function branch(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const call = await lab.start({ taskIds: [failed], granularity: 'step' });
  await call.result();
  await recorder.keep('trajectory-with-branches', `${call.id}/${failed}/0`);
  await recorder.keep('branch', (await recorder.branchesOf(call))[0]!);

  const long = await lab.start({
    environment: 'long-maze',
    limit: 1,
    granularity: 'step',
    options: { alternatives: 2, branchesPerStep: 1 },
    limits: { historyLimit: 60 },
  });
  await long.result();
  for (const id of await recorder.branchesOf(long)) {
    const executions = await recorder.executionsOf(id);
    if (executions.length < 2) continue;
    await recorder.keep('branch-continued', id, executions[0]);
    await recorder.keep('branch-after-continuing', id, executions[1]);
    break;
  }
}

async function audit(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const run = await lab.start({ taskIds: [failed] });
  await run.result();
  await launchAudit(lab.client, lab.store, await prepareAudit(lab.store, run.id, { rollouts: 20 }));
  await recorder.keep('audit', auditWorkflowId(run.id));
}

async function faults(recorder: Recorder): Promise<void> {
  const { lab } = recorder;
  const broken = await lab.start({ environment: 'brittle-maze', taskIds: ['maze-1-1'] });
  await broken.result();
  await recorder.keep('trajectory-environment-fault', `${broken.id}/maze-1-1/0`);
}

/** Improvements: whole ones, one that a fault stopped and that was taken up, and one that was cancelled in a training. */
async function improve(recorder: Recorder): Promise<void> {
  const { lab, models } = recorder;
  const start = (name: string, how: Improving) => startImprovement(lab, models, name, how);

  const whole = await start('whole', { changes: { warmStart: 'sft', rounds: 2 }, plan: { 1: 'diverge' } });
  await whole.result();
  await recorder.keep('improve-finished', whole.id);

  const failing: Improving = { changes: { rounds: 1, test: null }, plan: { 1: 'fail' } };
  const failed = await start('failing', failing);
  await failed.result();
  const [before] = await recorder.executionsOf(failed.id);
  await recorder.keep('improve-failed', failed.id, before);
  writeFileSync(join(lab.home, 'improve', failed.id, 'round-1', 'mended'), '');
  await (await start('failing', failing)).result();
  await recorder.keep('improve-taken-up', failed.id);

  const cancelled = await start('cancelled', { changes: { rounds: 1 }, plan: { 1: 'wait' } });
  const folder = join(lab.home, 'improve', cancelled.id, 'round-1');
  await until('a training', async () => (await lab.store.trainings.get(folder))?.progress?.step === 2);
  await cancelled.handle.executeUpdate('pause');
  await cancelled.handle.executeUpdate('resume');
  await cancelled.handle.executeUpdate('cancel');
  await cancelled.result();
  await recorder.keep('improve-cancelled', cancelled.id);
}
