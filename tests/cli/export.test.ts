// Layer: the command as a user calls it, as a process of its own, over a store written by hand. No Temporal server.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/store.ts';
import { type Project, temporaryProject } from '../end-to-end/crux.ts';
import { say } from '../export/pair-builder.ts';
import { recordTask } from '../helpers/recorded-run.ts';
import { addRun } from '../helpers/store.ts';

/** Two examples of one task in a run, of which one is scripted. */
async function addExamples(store: Store, runId: string): Promise<void> {
  const root = await store.tree.addRoot({
    environment: 'doors',
    version: '1',
    taskId: 'a1',
    messages: [{ role: 'user', content: 'Open the door.' }],
    tools: [],
    format: 'react',
  });
  for (const [origin, content] of [
    ['expert', 'Action: open[left]'],
    ['scripted', 'Action: open[right]'],
  ] as const) {
    const leaf = await store.tree.addStep({
      parent: root,
      assistant: say(content),
      observation: [{ role: 'user', content: 'Observation: open' }],
      action: { tool: 'open', arguments: { door: content } },
      stateKey: content,
    });
    await store.findings.replaceExamples(runId, origin, [
      {
        run_id: runId,
        id: leaf.id,
        trajectory_id: origin,
        task_id: 'a1',
        task_group: 'a',
        leaf_id: leaf.id,
        origin,
        model: 'm',
        reward: 1,
        success: 1,
        confirmed: null,
      },
    ]);
  }
}

/** `imitate` has two examples, `prefer` two pairs, `empty` nothing. */
async function projectWithRuns(): Promise<Project> {
  const project = temporaryProject();
  mkdirSync(project.home);
  const store = await openStore(project.path('.crux', 'crux.db'));
  try {
    for (const id of ['imitate', 'prefer', 'empty']) await addRun(store, { id, taskIds: ['a1', 'a2'] });
    await addExamples(store, 'imitate');
    for (const taskId of ['a1', 'a2'])
      await recordTask(store, 'prefer', taskId, { success: false, steps: [{ verify: [true], pairs: 1 }] });
  } finally {
    await store.close();
  }
  return project;
}

test('examples are exported with their sources, whose they are, and a warning of those from the gold answer', async () => {
  const project = await projectWithRuns();
  const { code, stdout, stderr } = await project.crux('export', 'imitate', '--format', 'agentgym', '--out', 'sft');
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('agentgym: 2 rows of 2 examples (1 tasks in 1 groups), 0 left out');
  expect(stdout).toMatch(/warning +1 +example\/oracle: 1 of 2 trajectories were written from the gold answer/);
  expect(stdout).toContain('flags: oracle 1 (50 %), origin-expert 1 (50 %), origin-scripted 1 (50 %)');
  const lines = (name: string) =>
    readFileSync(project.path('sft', name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const values = lines('examples.jsonl').map(({ conversations }) => conversations[1].value);
  expect(values.sort()).toEqual(['Action: open[left]', 'Action: open[right]']);
  const origins = lines('sources.jsonl').map(({ origin, group }) => `${origin} ${group}`);
  expect(origins.sort()).toEqual(['expert a', 'scripted a']);
});

test.each([
  ['imitate', 'trl', /has no pairs, which the format trl is made of.*It has 2 examples \(for trl-sft, /s],
  ['prefer', 'trl-sft', /has no examples, which the format trl-sft is made of.*It has 2 pairs \(for trl, kto, /s],
  ['prefer', 'prm', /has no actions, which the format prm is made of.*It has 2 pairs/s],
  ['empty', 'prm', /has no actions.*Nothing can be exported from it yet/s],
  ['prefer', 'parquet', /Unknown export format "parquet".*trl-sft.*openai-prm/s],
])('what run %s has is said when it has nothing for %s, and nothing is written', async (run, format, message) => {
  const project = await projectWithRuns();
  const { code, stderr } = await project.crux('export', run, '--format', format, '--out', 'rows');
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  expect(existsSync(project.path('rows'))).toBe(false);
});

test('a run without anything gives an empty export that says so', async () => {
  const project = await projectWithRuns();
  const { code, stdout } = await project.crux('export', 'empty', '--format', 'trl', '--out', 'rows');
  expect(code).toBe(0);
  expect(stdout).toContain('pair/no-rows');
});
