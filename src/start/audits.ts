/** Starts audits: reference rollouts of the actions of a finished run. */
import type { Client } from '@temporalio/client';
import type { AuditSettings } from '../domain/run/audit.ts';
import { type CeilingChanges, changedCeilings } from '../domain/run/ceilings.ts';
import { askedModels } from '../domain/run/run-config.ts';
import { auditWorkflowId } from '../domain/run/workflow-ids.ts';
import type { AuditInput, AuditResult } from '../domain/wire/audit.ts';
import { CruxError } from '../errors.ts';
import { checkCeilings } from '../models/limits/ceiling-needs.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { taskQueue } from '../temporal/task-queues.ts';
import { statusOf } from '../temporal/workflow-status.ts';

export type AuditRequest = {
  /** Reference rollouts of each action, 1 to 10,000. Default 64. */
  rollouts?: number;
  /** Below 1 a seeded share, from 1 on a number of the pairs (and steps, under RRO). Default null: all. */
  sample?: number | null;
  /** New ceilings of the run: they apply to its audit too. */
  ceilings?: CeilingChanges;
};

export const usualAuditRollouts = 64;

/** A run with the settings of an audit that may be launched. */
export type AuditableRun = Run & { audit: AuditSettings };

/**
 * Checks the settings of an audit, and gives the run its new ceilings.
 * @throws CruxError `User.NotFound`; `User.Config` for a run that is in progress or cancelled, and for settings that make no sense
 */
export async function prepareAudit(store: Store, runId: string, request: AuditRequest = {}): Promise<AuditableRun> {
  const { rollouts = usualAuditRollouts, sample = null, ceilings = {} } = request;
  const run = await store.runs.get(runId);
  if (run.finishedAt === null) {
    throw new CruxError('User.Config', `Run ${runId} is ${run.state}: its pairs may still change.`, {
      remedy: `Wait for its end (crux watch ${runId}), then audit it.`,
    });
  }
  if (run.state === 'cancelled') {
    throw new CruxError('User.Config', `Run ${runId} is cancelled, and takes no more model calls.`);
  }
  if (!Number.isInteger(rollouts) || rollouts < 1 || rollouts > 10_000) {
    throw new CruxError('User.Config', `An audit needs from 1 to 10,000 rollouts of each action, not ${rollouts}.`);
  }
  if (sample !== null && !(sample > 0 && (sample < 1 || Number.isInteger(sample)))) {
    throw new CruxError('User.Config', `A sample is a share below 1 or a whole number of pairs, not ${sample}.`);
  }
  if (Object.keys(ceilings).length > 0) {
    const changed = changedCeilings(run.ceilings, ceilings);
    checkCeilings(askedModels(run.config), changed);
    await store.runs.setControl(runId, { ceilings: changed });
  }
  return { ...run, audit: { rollouts, sample } };
}

/**
 * Starts the audit, or joins the one in progress. It needs a worker. A complete audit ends at once. The last settings count: rollouts made under
 * earlier ones stay and are not paid for again.
 * @throws CruxError `User.Config` if one with other settings is in progress, which goes on
 */
export async function launchAudit(client: Client, store: Store, run: AuditableRun): Promise<AuditResult> {
  const settings = run.audit;
  await refuseOther(client, store, run);
  await store.findings.setAudit(run.id, settings);
  const { cruxEnvironment, cruxMethod, cruxRun, cruxStatus } = await import('../workflows/search-attributes.ts');
  const input: AuditInput = { runId: run.id, rollouts: settings.rollouts, parallel: run.config.parallel };
  const handle = await client.workflow.start('audit', {
    workflowId: auditWorkflowId(run.id),
    taskQueue: taskQueue(store.id),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `audit of ${run.id}: ${settings.rollouts} reference rollouts of each action`,
    typedSearchAttributes: [
      { key: cruxRun, value: run.id },
      { key: cruxMethod, value: run.method },
      { key: cruxEnvironment, value: run.environment },
      { key: cruxStatus, value: 'auditing' },
    ],
  });
  return (await handle.result()) as AuditResult;
}

/** What is in progress reads its settings page by page: with others it would leave actions out. */
async function refuseOther(client: Client, store: Store, { id, audit }: AuditableRun): Promise<void> {
  const known = await store.findings.audit(id);
  if (known === null || (known.rollouts === audit.rollouts && known.sample === audit.sample)) return;
  if ((await statusOf(client.workflow.getHandle(auditWorkflowId(id)))) !== 'RUNNING') return;
  const settings = `${known.rollouts} rollouts${known.sample === null ? '' : ` and a sample of ${known.sample}`}`;
  throw new CruxError('User.Config', `An audit of run ${id} with other settings is in progress (${settings}).`, {
    remedy: 'Give its settings to join it. Once it has ended, audit the run with yours: no rollout is paid for again.',
  });
}

/** Ends an audit that no worker works on. Its rollouts stay: launched again, it continues from there. */
export async function restAudit(client: Client, runId: string): Promise<void> {
  try {
    await client.workflow.getHandle(auditWorkflowId(runId)).terminate('Its command was stopped by Ctrl-C.');
  } catch (error) {
    if (!(error instanceof Error && error.name === 'WorkflowNotFoundError')) throw error;
  }
}
