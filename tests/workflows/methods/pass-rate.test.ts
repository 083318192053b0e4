// Layer: runs with several samples a task, without a Temporal server, with simulated models over HTTP.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { methodOptions } from '../../../src/config/methods/index.ts';
import { DirectLab } from '../../helpers/direct-lab.ts';

let lab: DirectLab;

beforeAll(async () => {
  lab = await DirectLab.open();
});
afterAll(() => lab.close());

it('tasks whose samples succeed more often than maxPassRate are not mined, and all others are', async () => {
  const { findings } = lab.store;
  const options = { ...methodOptions('cso', lab.config(), 'published'), maxPassRate: 0.3 };
  const run = await lab.start({ samples: 4, limit: 24, options });
  expect((await run.result()).state).toBe('finished');
  const trajectories = await findings.trajectories(run.id);
  const mined = new Set((await findings.steps(run.id)).map(({ trajectoryId }) => trajectoryId));
  const tasks = [...Map.groupBy(trajectories, ({ taskId }) => taskId).values()];
  const passRate = (rows: typeof trajectories) => rows.filter(({ success }) => success).length / rows.length;
  for (const rows of tasks) {
    for (const row of rows) expect(mined.has(row.id)).toBe(row.success === false && passRate(rows) <= 0.3);
  }
  // The mazes have tasks of both kinds.
  const failed = tasks.filter((rows) => rows.some(({ success }) => success === false)).map(passRate);
  expect(failed.some((rate) => rate > 0.3)).toBe(true);
  expect(failed.some((rate) => rate <= 0.3)).toBe(true);
});

it('with both limits only the tasks between them are mined', async () => {
  const { findings } = lab.store;
  const options = { ...methodOptions('cso', lab.config(), 'published'), minPassRate: 0.2, maxPassRate: 0.6 };
  const run = await lab.start({ samples: 4, limit: 24, options });
  expect((await run.result()).state).toBe('finished');
  const mined = new Set((await findings.steps(run.id)).map(({ trajectoryId }) => trajectoryId));
  const tasks = [...Map.groupBy(await findings.trajectories(run.id), ({ taskId }) => taskId).values()];
  const rates = tasks.map((rows) => ({ rows, rate: rows.filter(({ success }) => success).length / rows.length }));
  for (const { rows, rate } of rates) {
    for (const row of rows) expect(mined.has(row.id)).toBe(row.success === false && rate >= 0.2 && rate <= 0.6);
  }
  expect(rates.some(({ rate }) => rate < 0.2)).toBe(true);
  expect(mined.size).toBeGreaterThan(0);
});

it.each(['minPassRate', 'maxPassRate'])('%s without several samples a task is refused', async (limit) => {
  const options = { ...methodOptions('cso', lab.config(), 'published'), [limit]: 0.5 };
  await expect(lab.start({ options })).rejects.toMatchObject({
    kind: 'User.Config',
    message: expect.stringContaining(limit),
  });
});
