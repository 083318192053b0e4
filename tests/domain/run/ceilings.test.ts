// Layer: pure core.
import { expect, it } from 'vitest';
import { stopOfFault } from '../../../src/domain/fault-ending.ts';
import { ceilingsFrom, changedCeilings, isLimited, retunedCeilings } from '../../../src/domain/run/ceilings.ts';
import { scopeOfCall, streamOf } from '../../../src/domain/stream.ts';

const none = { calls: null, tokens: null, costMicroUsd: null, rollouts: null };

it('has no ceiling where none is named', () => {
  expect(ceilingsFrom({})).toEqual({ ...none, task: none, step: none });
  expect(ceilingsFrom({ calls: undefined, task: { tokens: 5 } })).toEqual({
    ...none,
    task: { ...none, tokens: 5 },
    step: none,
  });
});

it('changes only what is named, at every level', () => {
  const known = ceilingsFrom({ calls: 5, tokens: 7, task: { calls: 3, rollouts: 2 } });
  const changed = changedCeilings(known, { calls: null, task: { calls: 4 }, step: { rollouts: 1 } });
  expect(changed).toEqual(ceilingsFrom({ tokens: 7, task: { calls: 4, rollouts: 2 }, step: { rollouts: 1 } }));
});

it('retunes the ceilings of the run as a whole, and those of tasks and steps where they are named', () => {
  const known = ceilingsFrom({ calls: 5, tokens: 7, task: { calls: 3 }, step: { calls: 2 } });
  expect(retunedCeilings(known, { calls: 9 })).toEqual(
    ceilingsFrom({ calls: 9, task: { calls: 3 }, step: { calls: 2 } }),
  );
  expect(retunedCeilings(known, { task: { calls: null } })).toEqual(ceilingsFrom({ step: { calls: 2 } }));
});

it('asks only for the units that count', () => {
  expect(isLimited({ ...none, rollouts: 1 }, ['calls', 'tokens'])).toBe(false);
  expect(isLimited({ ...none, rollouts: 1 }, ['rollouts'])).toBe(true);
});

it.each([
  ['Run.Budget', 'budget'],
  ['Task.Budget', 'task-budget'],
  ['Step.Budget', 'step-budget'],
  ['Run.Cancelled', 'cancelled'],
  ['Model.Exhausted', 'fault'],
  ['Defect', null],
])('a task that came to %s was stopped by %s', (kind, reason) => {
  expect(stopOfFault(kind)).toBe(reason);
});

it.each([
  ['explore', 'sample-0', null],
  ['demonstrate', 'sample-0', null],
  ['propose', 'sample-0/draw-2', 'here'],
  ['score', '', 'here'],
  ['verify', streamOf({ nodeId: 'origin', candidateId: 'c', rollout: 3 }), 'origin'],
  ['calibrate', '', 'here'],
  ['calibrate', streamOf({ nodeId: 'origin', candidateId: 'c', rollout: 0 }), 'origin'],
  ['value', streamOf({ nodeId: 'origin', candidateId: '', rollout: 0 }), 'origin'],
])('a call to %s in the stream "%s" counts for the step at %s', (purpose, stream, step) => {
  expect(scopeOfCall('run-1', 'task-1', { nodeId: 'here', purpose, stream })).toEqual({
    runId: 'run-1',
    taskId: 'task-1',
    stepId: step,
  });
});

it('counts what an audit measures for the run alone', () => {
  const call = {
    nodeId: 'here',
    purpose: 'reference',
    stream: streamOf({ nodeId: 'here', candidateId: 'c', rollout: 0 }),
  };
  expect(scopeOfCall('run-1', 'task-1', call)).toEqual({ runId: 'run-1', taskId: null, stepId: null });
});
