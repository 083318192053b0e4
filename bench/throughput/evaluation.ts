import type { Lab } from '../../tests/helpers/lab.ts';
import { type Turn, timed } from './figures.ts';

/** An evaluation of a policy without fault: every trajectory is explored, all at once, and nothing else is done. */
export function evaluation(lab: Lab, count: number, seed: number): Promise<Turn> {
  const { models } = lab.config();
  const policy = { ...models.policy!, model: 'sim-policy@skill=1' };
  return timed(async () => {
    const run = await lab.start({
      method: 'evaluate',
      split: 'train',
      environment: 'many-mazes',
      limit: count,
      seed,
      config: { models: { ...models, policy }, run: { window: count } },
    });
    await run.result();
    return (await lab.store.findings.trajectories(run.id)).reduce((sum, { steps }) => sum + steps, 0);
  });
}
