import type { Granularity } from '../../src/domain/run/run-config.ts';
import type { Lab } from '../../tests/helpers/lab.ts';
import { type Turn, timed } from './figures.ts';

export type Mining = { method: 'rro' | 'ipr'; granularity: Granularity; tasks: number; seed: number };

/** A turn counts tasks in place of steps. */
export type MiningTurn = Turn & {
  /** Of the history of each task's workflow, on average. */
  events: number;
};

/** A run that mines all its tasks at once. */
export async function mining(lab: Lab, { method, granularity, tasks, seed }: Mining): Promise<MiningTurn> {
  const { models } = lab.config();
  const request = { method, environment: 'many-mazes', limit: tasks, seed, granularity };
  let runId = '';
  const turn = await timed(async () => {
    const run = await lab.start({ ...request, config: { models, run: { window: tasks } } });
    runId = run.id;
    return (await run.result()).done;
  });
  return { ...turn, events: await meanEvents(lab, runId) };
}

async function meanEvents(lab: Lab, runId: string): Promise<number> {
  const lengths: number[] = [];
  const query = `CruxRun = "${runId}" AND WorkflowType = "trajectory"`;
  for await (const { historyLength = 0 } of lab.client.workflow.list({ query })) lengths.push(historyLength);
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
}
