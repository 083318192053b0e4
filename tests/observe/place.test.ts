// Layer: pure core.
import { expect, it } from 'vitest';
import { branchWorkflowId, trajectoryWorkflowId } from '../../src/domain/run/workflow-ids.ts';
import { currentPlace } from '../../src/observe/current-place.ts';
import { placeOfWorkflow } from '../../src/observe/place.ts';
import { traceIdOf } from '../../src/observe/spans.ts';

const trajectory = trajectoryWorkflowId('run-1', 'task-2', 3);
const branch = branchWorkflowId(trajectory, { step: 4, candidateId: 'abcdef', purpose: 'verify', rollout: 0 });

it.each([
  ['run-1', { run: 'run-1' }],
  [trajectory, { run: 'run-1', task: 'task-2', sample: 3 }],
  [branch, { run: 'run-1', task: 'task-2', sample: 3 }],
  ['run-1/round-2/collect', { run: 'run-1/round-2/collect' }],
  ['run-1/round-2/collect/task-2/3', { run: 'run-1/round-2/collect', task: 'task-2', sample: 3 }],
  ['run-1/test/final/task-2/3', { run: 'run-1/test/final', task: 'task-2', sample: 3 }],
  ['run-1/round-2/3', { run: 'run-1', task: 'round-2', sample: 3 }],
  // Other work on a run, such as an audit.
  ['run-1/audit-2', { run: 'run-1' }],
  ['run-1/audit-2/x/y', { run: 'run-1' }],
  ['somebody else', { run: 'somebody else' }],
])('the workflow %s is at %o', (workflowId, place) => {
  expect(placeOfWorkflow(workflowId)).toEqual(place);
});

it('outside of activities there is no place', () => {
  expect(currentPlace()).toEqual({});
});

it('a trajectory and its branches are one trace, and others are other traces', () => {
  expect(traceIdOf(trajectory)).toMatch(/^[0-9a-f]{32}$/);
  expect(traceIdOf(branch)).toBe(traceIdOf(trajectory));
  const ids = ['run-1', trajectory, 'run-1/task-2/4', 'run-2/task-2/3'].map(traceIdOf);
  expect(new Set(ids).size).toBe(4);
});
