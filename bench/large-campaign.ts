/**
 * A campaign of 10,000 tasks on one worker, which is killed in the middle with everything else, after a pause:
 *
 *     node bench/large-campaign.ts [tasks]
 *
 * Prints for each tenth of the tasks how long it took and how much memory worker and Temporal server hold, then what the histories, the store
 * and the reading commands came to. The tasks are mazes of two steps at zero latency, mined by CSO where they fail.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookUpEmbeddedServer } from '../src/temporal/embedded-server.ts';
import { type Lab, type LabRun, until } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';
import type { WorkerProcess } from '../tests/helpers/worker-process.ts';
import { megabytes } from './throughput/processes.ts';

const tasks = Number(process.argv[2] ?? 10_000);
const runId = 'large';
process.env.CRUX_BENCH_TASKS = String(tasks);

await withLab({ stage: join(import.meta.dirname, 'stages/many-mazes.ts') }, async (lab, temporalHome) => {
  let worker = await lab.workApart();
  const { models } = lab.config();
  const policy = { ...models.policy, model: 'sim-policy@skill=0.95' };
  const startedAt = performance.now();
  const run = await lab.start({
    runId,
    environment: 'many-mazes',
    limit: tasks,
    options: { alternatives: 2 },
    config: { models: { ...models, policy } },
  });
  console.log(`started after ${seconds(startedAt)} s`);
  let isOver = false;
  const over = run.result().finally(() => {
    isOver = true;
  });
  console.log('tasks  seconds  worker MB  Temporal MB');
  let [shown, shownAt] = [0, performance.now()];
  let peakMb = 0;
  while (!isOver) {
    await sleep(500);
    const { done } = await lab.store.runs.countTasks(runId);
    peakMb = Math.max(peakMb, megabytes(worker.pid));
    if (done < shown + tasks / 10) continue;
    const temporal = await lookUpEmbeddedServer(temporalHome);
    console.log(
      [done, seconds(shownAt), megabytes(worker.pid), megabytes(temporal!.pid)]
        .map((value) => String(value).padStart(7))
        .join('  '),
    );
    if (shown < tasks / 2 && done >= tasks / 2) {
      worker = await pauseKillResume(lab, run, worker, temporalHome).catch((error: unknown) => {
        // What is torn down after it would hide it.
        console.error(error);
        throw error;
      });
    }
    [shown, shownAt] = [done, performance.now()];
  }
  console.log(`${JSON.stringify(await over)}\nall in ${seconds(startedAt)} s; most memory of the worker: ${peakMb} MB`);
  await showHistory(lab);
  showReading(lab);
});
process.exit();

/** @returns the new worker */
async function pauseKillResume(
  lab: Lab,
  run: LabRun,
  worker: WorkerProcess,
  temporalHome: string,
): Promise<WorkerProcess> {
  const pausedAt = performance.now();
  await run.pause();
  await until('no call is under way', () => lab.simulation.stats().inFlight === 0, 60_000);
  const pausedS = seconds(pausedAt);
  const { pid } = (await lookUpEmbeddedServer(temporalHome))!;
  const killedAt = performance.now();
  await worker.end('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await until(
    'the Temporal server serves again',
    async () => {
      const now = await lookUpEmbeddedServer(temporalHome);
      return now !== null && now.pid !== pid;
    },
    60_000,
  );
  const next = await lab.workApart();
  const readyS = seconds(killedAt);
  const { requests } = lab.simulation.stats();
  const resumedAt = performance.now();
  await run.resume();
  await until('the first call', () => lab.simulation.stats().requests > requests, 60_000);
  console.log(
    `paused in ${pausedS} s; worker and Temporal server killed, both back after ${readyS} s; first call ${seconds(resumedAt)} s after resume`,
  );
  return next;
}

async function showHistory(lab: Lab): Promise<void> {
  for (const type of ['campaign', 'trajectory']) {
    let [executions, mostEvents, mostBytes] = [0, 0, 0];
    for await (const { historyLength, historySize } of lab.client.workflow.list({
      query: `CruxRun = '${runId}' AND WorkflowType = '${type}'`,
    })) {
      executions++;
      mostEvents = Math.max(mostEvents, historyLength);
      mostBytes = Math.max(mostBytes, historySize ?? 0);
    }
    console.log(`${type}: ${executions} executions, at most ${mostEvents} events and ${mostBytes} bytes each`);
  }
}

/** What a user waits for at this size. */
function showReading(lab: Lab): void {
  const files = readdirSync(lab.home).filter((name) => name.startsWith('crux.db'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(lab.home, name)).size, 0);
  console.log(`store: ${Math.round(bytes / 2 ** 20)} MB`);
  const door = join(import.meta.dirname, '../bin/crux.js');
  for (const given of [
    ['status', runId],
    ['show', runId],
    ['show', runId, '--task', 'maze-7-0'],
    ['gc', runId],
  ]) {
    const startedAt = performance.now();
    execFileSync(process.execPath, [door, ...given, '--home', lab.home], { stdio: 'ignore' });
    console.log(`crux ${given.join(' ')}: ${seconds(startedAt)} s`);
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
