// Layer: activities in MockActivityEnvironment against scripted models over HTTP, and what views and terminal say of their answers.
import { expect, it } from 'vitest';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { taskView } from '../../src/views/run-view.ts';
import { goText } from '../activities/doors.ts';
import { explored, workplace } from '../activities/workplace.ts';
import type { Reply } from '../helpers/model-endpoint.ts';
import { runConfig } from '../helpers/store.ts';

const { models } = runConfig();
const apart = { ...models, policy: { ...models.policy, reasoning: 'apart' as const } };

/** One trajectory of the policy, whose every turn is asked for. */
async function played(replies: Reply[]) {
  const place = await workplace({
    models: { policy: (_, number) => replies[number]! },
    run: { config: { models: apart } },
  });
  const { activities, perform, store } = place;
  const opened = await perform(activities.openTask, { runId: 'run-1', position: 0 });
  let nodeId = opened.rootId;
  let last: { reward: number | null; success: boolean | null } = { reward: 0, success: false };
  for (const _ of replies) {
    const taken = await perform(activities.takeTurn, {
      runId: 'run-1',
      nodeId,
      purpose: 'explore',
      stream: 'sample-0',
    });
    if (taken.kind !== 'step') throw new Error('The turn ended the trajectory.');
    nodeId = taken.nodeId;
    last = taken;
  }
  const { reward, success } = last;
  await perform(activities.recordTrajectory, {
    ...{ runId: 'run-1', position: 0, leafId: nodeId, ending: 'step-limit', fault: null },
    ...{ reward: reward ?? 0, success: success ?? false },
  });
  return store;
}

it('a step shows the action that was executed, and what was thought apart from it', async () => {
  const store = await played([
    { content: `<think>I could do this:\n${goText('pit')}\nbut no.</think>\n${goText('left', 'Left.')}` },
    { content: goText('left', 'Again.'), message: { reasoning_content: 'Nothing better.' } },
  ]);
  const [first, second] = (await taskView(store, 'run-1', 'task-1'))!.trajectories[0]!.steps;
  expect(first).toMatchObject({
    thought: 'Left.',
    action: expect.stringContaining('"left"'),
    executed: expect.stringContaining('"left"'),
    reasoning: expect.stringContaining('but no.'),
  });
  expect(JSON.stringify([first!.action, first!.executed])).not.toContain('pit');
  expect(second!.reasoning).toBe('Nothing better.');
});

it('of a message that seems to do something else the executed action is shown', async () => {
  const content = `Action: jump\nThought: no\n${goText('left')}`;
  const store = await played([{ content }]);
  const [step] = (await taskView(store, 'run-1', 'task-1'))!.trajectories[0]!.steps;
  expect(step!.executed).toMatch(/left/);
});

it('a message without an action is shown as one, counted, and warned of where there are many', async () => {
  const store = await played([{ content: 'Hello there.' }, { content: goText('left') }, { content: 'Hm, hm.' }]);
  const [first] = (await taskView(store, 'run-1', 'task-1'))!.trajectories[0]!.steps;
  expect(first).toMatchObject({ action: 'Hello there.', executed: null });
  expect(summaryText(await runSummary(store, 'run-1'))).toMatch(/2 of 3 \(66\.7 %\): warning/);
});

it('a summary names paid answers of no use, and the name under which a server knows a model', async () => {
  const store = await played([{ content: goText('left'), model: 'org/test-model' }]);
  await store.unusable.add({
    ...{ runId: 'run-1', taskId: 'task-1', stepId: null, key: 'k', role: 'prm', purpose: 'score', model: 'test-prm' },
    ...{ servedModel: null, reason: 'wordless', words: 'Nothing.', isBilled: true, at: 1 },
    ...{ promptTokens: 1_200, completionTokens: 90, costMicroUsd: 10_000 },
  });
  const text = summaryText(await runSummary(store, 'run-1'));
  expect(text).toMatch(/served as\s+policy test-model as org\/test-model/);
  expect(text).toContain('Paid and of no use: prm score 1 without words (1,200 prompt, 90 generated, $0.01');
});

it('a trajectory from before reasoning was told apart shows its messages as ever', async () => {
  const place = await workplace();
  await explored(place, ['left', 'pit']);
  const [first] = (await taskView(place.store, 'run-1', 'task-1'))!.trajectories[0]!.steps;
  expect(first).toMatchObject({ reasoning: null, executed: first!.action });
});
