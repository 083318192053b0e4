// Layer: the command as a user calls it, as a process of its own. No Temporal server.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { temporaryProject } from '../end-to-end/crux.ts';

const config = `import { commandServer, defineConfig, defineEnvironment } from 'crux-rl';

const doors = defineEnvironment({
  name: 'doors',
  version: '1',
  tools: [],
  tasks: async () => [{ id: 'a1', split: 'train', group: 'a', title: 'a1', difficulty: null }],
  briefing: async () => ({ system: '', user: '' }),
  open: async () => ({ step: async () => ({ observation: '', done: true, reward: 1 }) }),
});
const role = { endpoint: 'models', model: 'm' };
export default defineConfig({
  environments: [doors],
  endpoints: { models: { baseUrl: 'http://127.0.0.1:2/v1' } },
  models: { policy: role, expert: role, prm: role },
  improve: { base: '.', trainer: { kind: 'command', run: ['train'] }, server: commandServer({ start: ['serve', '{model}', '{name}', '{port}'] }) },
});
`;

test('a run that nobody could work on is refused before it is recorded', async () => {
  const project = temporaryProject();
  project.write('crux.config.ts', config);
  const { code, stderr } = await project.crux('run', 'cso', '--run-id', 'alone', '--detach');
  expect(code).toBe(2);
  expect(stderr).toContain('No worker with the environment doors is running. Start one with `crux up`');
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    expect(await store.runs.find('alone')).toBeNull();
  } finally {
    await store.close();
  }
});

test('an improvement is refused before it is recorded if nobody could train for it', async () => {
  const project = temporaryProject();
  project.write('crux.config.ts', config);
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    const worker = { host: 'elsewhere', process: null, endpoints: [], startedAt: null, command: 'crux worker' };
    await store.workers.announce({ id: 'w', roles: ['workflow', 'agent'], environments: ['doors'], ...worker });
    const { code, stderr } = await project.crux('improve', '--run-id', 'alone', '--detach');
    expect(code).toBe(2);
    expect(stderr).toContain('No worker with the role train is running');
    expect(stderr).toContain('crux worker --roles train');
    expect(await store.improvements.find('alone')).toBeNull();
  } finally {
    await store.close();
  }
});
