import type { Lab } from '../../tests/helpers/lab.ts';
import { type Turn, timed } from './figures.ts';

/** Trajectories of mazes that are explored call by call, each step an activity, and nothing else. */
export function trajectories(lab: Lab, count: number): Promise<Turn> {
  const { models } = lab.config();
  // What succeeds is not mined.
  const policy = { ...models.policy!, model: 'sim-policy@skill=1' };
  return timed(async () => {
    const run = await lab.start({
      environment: 'many-mazes',
      limit: count,
      options: { calibrationRate: 0 },
      config: { models: { ...models, policy }, run: { window: count, parallel: count } },
    });
    await run.result();
    return (await lab.store.findings.trajectories(run.id)).reduce((sum, { steps }) => sum + steps, 0);
  });
}
