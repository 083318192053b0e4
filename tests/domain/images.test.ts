// Layer: pure core, and an environment with a real store.

import { describe, expect, it } from 'vitest';
import { checkEnvironment } from '../../src/environments/check.ts';
import { readOpening } from '../../src/environments/opening.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { importTrajectories } from '../../src/imports/recorded-trajectories.ts';
import { readCompletion } from '../../src/models/answers/completion.ts';
import { doors, go } from '../activities/doors.ts';
import { temporaryStore } from '../helpers/store.ts';

const parts = [
  { type: 'text', text: 'Look.' },
  { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
];
const image = parts as unknown as string;
const sentence = /holds an image: Crux reads and writes text only\./;
const never = new AbortController().signal;

describe('an image', () => {
  it('in the opening of a task is refused, and check-env says so', async () => {
    const { environment } = doors({ briefing: async () => ({ system: 'Find it.', user: image }) });
    const [task] = await environment.tasks();
    await expect(readOpening(environment, task!)).rejects.toThrow(sentence);
    const checks = await checkEnvironment(environment, 1);
    expect(checks.find(({ check }) => check === 'opening messages')).toMatchObject({
      ok: false,
      detail: expect.stringMatching(sentence),
    });
  });

  it('in an observation is a fault of the environment, and nothing is stored', async () => {
    const { environment } = doors({ step: () => ({ observation: image, done: false }) });
    const store = await temporaryStore();
    const cache = new SessionCache(store.tree, new EnvironmentRegistry([environment]));
    const root = await store.tree.addRoot({
      environment: environment.name,
      version: environment.version,
      taskId: 'task-1',
      messages: [{ role: 'user', content: 'Two doors.' }],
      tools: [],
      format: 'react',
    });
    await expect(cache.step(root, go('left'), never)).rejects.toThrow(sentence);
    expect(await store.database.kysely.selectFrom('transitions').selectAll().execute()).toEqual([]);
  });

  it('in a recorded trajectory ends the import before anything of that step is taken', async () => {
    const { environment, stepped } = doors();
    const recorded = { source: 'runs.jsonl', taskId: 'task-1', model: 'm', format: 'react' as const, reward: 0 };
    const steps = [{ assistant: { role: 'assistant' as const, content: 'Left.' }, observation: image }];
    const importing = importTrajectories(await temporaryStore(), environment, [{ ...recorded, steps }], () => null);
    await expect(importing).rejects.toThrow(/^The observation of a recorded step of task task-1 holds an image/);
    expect(stepped).toBe(0);
  });

  it('in an answer makes it one that cannot be read', () => {
    const body = JSON.stringify({
      choices: [{ message: { role: 'assistant', content: parts }, finish_reason: 'stop' }],
    });
    expect(readCompletion(body, 1, [])).toMatchObject({
      unusable: 'form',
      words: 'its content has an image, and Crux reads text only',
    });
  });
});
