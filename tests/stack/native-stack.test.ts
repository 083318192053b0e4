// Layer: the production stack of docker-compose.yml without Docker: PostgreSQL, the real Temporal server, workers from the image's files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { connectionTo } from '../helpers/connection.ts';
import { buildNatively } from '../helpers/dockerfile.ts';
import { until } from '../helpers/lab.ts';
import { postgresPrograms } from '../helpers/postgres.ts';
import { stackPrograms } from './binaries.ts';
import { NativeStack, type StackWorker } from './native-stack.ts';

const startedAt = Date.now();
const report = (line: string) => console.error(`[stack ${Math.round((Date.now() - startedAt) / 1000)} s] ${line}`);
const postgres = postgresPrograms();
const programs = postgres === null ? null : await stackPrograms(report);

describe.skipIf(postgres === null || programs === null)('the stack', () => {
  let images: string;
  let stack: NativeStack;
  let client: Client;

  beforeAll(async () => {
    images = mkdtempSync(join(tmpdir(), 'crux-image-'));
    const image = buildNatively(images, report);
    report('the image is built');
    stack = await NativeStack.start({ image, programs: programs!, postgresPrograms: postgres!, report });
    client = new Client({ connection: await connectionTo(stack.address) });
  });
  afterAll(async () => {
    await client?.connection.close();
    await stack?.stop();
    if (images) rmSync(images, { recursive: true, force: true });
  });

  /** A worker whose home holds the data set, as each machine must have it, and nothing of any other worker. */
  async function work(service: string, home: string, variables?: { [name: string]: string }): Promise<StackWorker> {
    await writeDemoDataset(stack.path(home, '.crux/demo/dataset'));
    return stack.work(service, home, variables);
  }

  async function run(id: string): Promise<void> {
    await writeDemoDataset(stack.path('home-of-commands', '.crux/demo/dataset'));
    await stack.command('run', 'cso', '--run-id', id, '--preset', 'sound', '--detach');
  }

  /** The pairs as they are exported, all in all. */
  async function pairsOf(id: string): Promise<string> {
    await stack.command('export', id, '--format', 'trl', '--out', id, '--force');
    return readFileSync(stack.path('home-of-commands', id, 'pairs.jsonl'), 'utf8');
  }

  /** Branches that a worker is at, by workflow and activity. */
  async function branchesAt(id: string, worker: StackWorker): Promise<string[]> {
    const found = [];
    const query = `CruxRun = '${id}' AND WorkflowType = 'trajectory' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId } of client.workflow.list({ query })) {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      for (const { activityType, activityId, lastWorkerIdentity } of raw.pendingActivities ?? []) {
        if (activityType?.name === 'rollOut' && lastWorkerIdentity === worker.identity)
          found.push(`${workflowId} ${activityId}`);
      }
    }
    return found;
  }

  /** Who finished each branch of a run. */
  async function finishersOf(id: string): Promise<Map<string, string | null | undefined>> {
    const finishers = new Map<string, string | null | undefined>();
    const query = `CruxRun = '${id}' AND WorkflowType = 'trajectory'`;
    for await (const { workflowId, runId } of client.workflow.list({ query })) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const ids = new Map<string, string>();
      for (const event of events ?? []) {
        const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: done } = event;
        if (scheduled) ids.set(String(event.eventId), `${workflowId} ${scheduled.activityId}`);
        if (done) finishers.set(ids.get(String(done.scheduledEventId))!, done.identity);
      }
    }
    return finishers;
  }

  test('workers that were killed cost no pair: others finish what they began', async () => {
    const workflows = await work('workflow-worker', 'home-1');
    const first = await work('agent-worker', 'home-2');
    const second = await work('agent-worker', 'home-3');
    report('three workers are ready');
    await run('undisturbed');
    const undisturbed = await stack.command<RunSummary>('watch', 'undisturbed');
    expect(undisturbed).toMatchObject({ state: 'finished', tasks: { total: 16, done: 16 } });
    expect(undisturbed.pairs.total).toBeGreaterThan(0);
    report(`a whole run: ${undisturbed.pairs.total} pairs`);

    await run('disturbed');
    let begun: string[] = [];
    const beginsBranches = async () => {
      begun = await branchesAt('disturbed', first);
      return begun.length > 2;
    };
    await until('the first agent is at branches', beginsBranches, 60_000);
    await first.kill();
    await workflows.kill();
    report('an agent and the workflow worker are killed');
    await work('workflow-worker', 'home-4');
    const disturbed = await stack.command<RunSummary>('watch', 'disturbed');
    expect(disturbed).toMatchObject({ state: 'finished', tasks: { total: 16, done: 16 } });
    report('the run is finished all the same');
    const finishers = await finishersOf('disturbed');
    expect(begun.filter((branch) => finishers.get(branch) === second.identity).length).toBeGreaterThan(0);
    expect(await pairsOf('disturbed')).toBe(await pairsOf('undisturbed'));
  });

  test('a new build takes over once it is made current', async () => {
    const build = { TEMPORAL_DEPLOYMENT_NAME: 'crux', TEMPORAL_WORKER_BUILD_ID: 'next' };
    await work('workflow-worker', 'home-5', build);
    const agent = await work('agent-worker', 'home-6', build);
    type Shown = { builds: { buildId: string; status: string }[] };
    const { builds } = await stack.command<Shown>('deployment', 'crux', '--set-current', 'next');
    expect(builds).toMatchObject([{ buildId: 'next', status: 'current' }]);
    await run('deployed');
    expect(await stack.command('watch', 'deployed')).toMatchObject({ state: 'finished' });
    report('a run by the new build is finished');
    expect(new Set((await finishersOf('deployed')).values())).toEqual(new Set([agent.identity]));
    expect(await pairsOf('deployed')).toBe(await pairsOf('undisturbed'));
  });
});
