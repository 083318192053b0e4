// Layer: the command as a user calls it, as a process of its own, over a store written by hand. No Temporal server.

import { mkdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sealed } from '../../src/sealed-text.ts';
import { openStore } from '../../src/store/store.ts';
import { positionAfter } from '../../src/store/tree.ts';
import { type Project, temporaryProject } from '../end-to-end/crux.ts';
import { say } from '../export/pair-builder.ts';
import { addRun, taskResult } from '../helpers/store.ts';

const clear = '\u001b[2J\u001b]52;c;cm0gLXJm\u0007\u009b31m\u202e';

/** Markup that no escaping sees before the seal is opened. */
const hidden = sealed('<form action="https://nowhere.invalid">', 'canary');

/** A run whose task, model, action, observation and fault write escape sequences. */
async function hostileProject(): Promise<Project> {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    await addRun(store, { id: 'run-1', taskIds: ['a1'] });
    const root = await store.tree.addRoot({
      environment: 'doors',
      version: '1',
      taskId: 'a1',
      messages: [{ role: 'user', content: `Open the door. ${clear}` }],
      tools: [],
      format: 'react',
    });
    const leaf = await store.tree.addStep({
      parent: root,
      assistant: say(`Action: open[left${clear}]`),
      observation: [{ role: 'user', content: `Observation: ${clear} ${hidden}` }],
      reached: positionAfter(root, { tool: 'open', arguments: { door: clear } }, { key: 'left', tools: null }),
    });
    await store.findings.addTrajectory({
      ...{ runId: 'run-1', id: 'trajectory', taskId: 'a1', sample: 0, origin: 'policy', model: `m${clear}` },
      ...{ rootId: root.id, leafId: leaf.id, steps: 1, environmentSteps: 1, ending: 'submitted' },
      ...{ reward: 0, success: false, confirmed: null, auditFlags: null, details: null },
    });
    const fault = `The server said ${clear}`;
    await store.runs.finishTask('run-1', 0, taskResult({ ending: 'model-fault', fault }));
    await store.runs.finish('run-1', 'finished');
  } finally {
    await store.close();
  }
  return project;
}

/** All that a terminal would obey in it, new lines and tabs aside. */
function obeyed(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  return text.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/g) ?? [];
}

test.each<{ what: string; args: string[] }>([
  { what: 'a task', args: ['show', 'run-1', '--task', 'a1'] },
  { what: 'a task in JSON', args: ['show', 'run-1', '--task', 'a1', '--json'] },
  { what: 'a run', args: ['show', 'run-1'] },
  { what: 'a run in JSON', args: ['show', 'run-1', '--json'] },
  { what: 'an error', args: ['show', 'run-1', '--task', `none${clear}`] },
  { what: 'an error in JSON', args: ['status', `none${clear}`, '--json'] },
  { what: 'the status', args: ['status'] },
])('$what gives the terminal nothing to obey', async ({ what, args }) => {
  const project = await hostileProject();
  const { stdout, stderr } = await project.crux(...args);
  expect(obeyed(stdout + stderr)).toEqual([]);
  if (what === 'a task') expect(stdout).toContain('open[left⟦U+001B⟧[2J');
  if (what === 'a task in JSON') expect(JSON.parse(stdout).title).toContain(clear);
  if (what === 'a run') expect(stdout).toContain('The server said ⟦U+001B⟧[2J');
});

test('a text that a model wrote as if it were sealed becomes no markup of the report', async () => {
  const project = await hostileProject();
  const page = async (...how: string[]) => {
    const { file } = await project.json<{ file: string }>('report', 'run-1', ...how);
    return readFileSync(file, 'utf8');
  };
  for (const html of [await page(), await page('--unseal')]) {
    expect(html).not.toContain('<form');
    expect(obeyed(html)).toEqual([]);
  }
  expect(await page('--unseal')).toContain('&lt;form action=');
});
