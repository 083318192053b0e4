/**
 * A trajectory of 1,000 steps, call by call, and Step-DPO's mining of every one of them:
 *
 *     node bench/long-trajectory.ts [steps]
 *
 * Prints what each hundred steps took, how much history a step leaves, the largest event, and how often the workflow continued as new.
 */
import { join } from 'node:path';
import type { Lab } from '../tests/helpers/lab.ts';
import { withLab } from '../tests/helpers/with-lab.ts';

const steps = Number(process.argv[2] ?? 1_000);
process.env.CRUX_BENCH_STEPS = String(steps);

await withLab({ stage: join(import.meta.dirname, 'stages/long-maze.ts') }, async (lab) => {
  await lab.work();
  const { models } = lab.config();
  const run = await lab.start({
    method: 'step-dpo',
    environment: 'long-maze',
    limit: 1,
    options: { alternatives: 1 },
    config: { models: { ...models, policy: { ...models.policy, model: 'sim-policy@skill=0.4' } } },
  });
  const startedAt = performance.now();
  const mine = minutesOf(lab, run.id, startedAt);
  const result = await run.result();
  const totalS = (performance.now() - startedAt) / 1000;
  const hundreds = await mine();
  console.log(`${JSON.stringify(result)}\n${steps} steps explored and mined in ${totalS.toFixed(1)} s`);
  console.log(`seconds for each hundred steps, explored: ${differences(hundreds.explored)}`);
  console.log(`seconds for each hundred steps, mined: ${differences(hundreds.mined)}`);
  await showHistory(lab, run.id);
  console.log(
    `memory: ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB, with worker and simulated models in one process`,
  );
});
process.exit();

/** Looks when each hundred of steps was explored and judged. */
function minutesOf(lab: Lab, runId: string, startedAt: number) {
  const explored: number[] = [];
  const mined: number[] = [];
  let isOver = false;
  const count = async (table: 'nodes' | 'steps') => {
    const query = lab.store.database.kysely.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'));
    return Number(
      (await (table === 'steps' ? query.where('run_id', '=', runId) : query).executeTakeFirstOrThrow()).count,
    );
  };
  const looking = (async () => {
    while (!isOver) {
      const seconds = (performance.now() - startedAt) / 1000;
      const [nodes, judged] = [await count('nodes'), await count('steps')];
      while (explored.length < Math.floor((nodes - 1) / 100)) explored.push(seconds);
      while (mined.length < Math.floor(judged / 100)) mined.push(seconds);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return async () => {
    isOver = true;
    await looking;
    return { explored, mined };
  };
}

function differences(times: number[]): string {
  return times.map((time, index) => (time - (times[index - 1] ?? 0)).toFixed(1)).join(' ');
}

/** Of all executions of the trajectory's workflow together. */
async function showHistory(lab: Lab, runId: string): Promise<void> {
  let [bytes, events, largest, executions] = [0, 0, 0, 0];
  const query = `CruxRun = '${runId}' AND WorkflowType = 'trajectory'`;
  for await (const { workflowId, runId: execution } of lab.client.workflow.list({ query })) {
    const handle = lab.client.workflow.getHandle(workflowId, execution);
    const { historySize, historyLength } = await handle.describe();
    bytes += historySize ?? 0;
    events += historyLength;
    executions++;
    for (const event of (await handle.fetchHistory()).events ?? [])
      largest = Math.max(largest, JSON.stringify(event).length);
  }
  console.log(`history: ${bytes} bytes, ${Math.round(bytes / steps)} a step explored and mined, ${events} events`);
  console.log(`largest event: ${largest} characters as JSON; executions: ${executions}`);
}
