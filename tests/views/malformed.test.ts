// Layer: views on a store, and what a user reads of them.
import { expect, it } from 'vitest';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import type { Branch } from '../../src/domain/branch.ts';
import { malformedText } from '../../src/domain/malformed.ts';
import type { Trajectory } from '../../src/domain/trajectory.ts';
import { malformedMessages } from '../../src/views/malformed.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { addRun, temporaryStore } from '../helpers/store.ts';

const trajectory = (changes: Partial<Trajectory>) => ({ origin: 'policy', ...changes }) as Trajectory;
const branch = (changes: Partial<Branch>) => ({ candidateId: 'c', ...changes }) as Branch;

it('counts what the policy wrote itself, as far as it was kept', () => {
  const trajectories = [
    trajectory({ steps: 4, environmentSteps: 1 }),
    trajectory({ steps: 9, environmentSteps: 0, origin: 'imported' }),
    trajectory({ steps: 9, environmentSteps: null }),
  ];
  // Three messages of the policy after the alternative, one of them malformed; two from the state itself.
  const branches = [
    branch({ steps: 4, environmentSteps: 3 }),
    branch({ candidateId: '', steps: 2, environmentSteps: 2 }),
  ];
  expect(malformedMessages(trajectories, branches)).toEqual({ count: 4, of: 9 });
});

it('is warned of above a fifth, and said without a word more below', () => {
  expect(malformedText({ count: 2, of: 10 })).toBe('2 of 10 (20.0 %)');
  expect(malformedText({ count: 3, of: 10 })).toMatch(/^3 of 10 \(30\.0 %\): warning: .*`crux doctor`/);
});

it('stands in the summary of a run whose policy writes no actions', async () => {
  const store = await temporaryStore();
  const run = await addRun(store);
  await store.findings.addTrajectory({
    runId: run.id,
    id: 't',
    taskId: 'task-1',
    sample: 0,
    origin: 'policy',
    model: 'm',
    rootId: 'root',
    leafId: 'leaf',
    steps: 8,
    environmentSteps: 1,
    ending: 'step-limit',
    reward: 0,
    success: false,
    confirmed: null,
    auditFlags: null,
    details: null,
  });
  const text = summaryText(await runSummary(store, run.id));
  expect(text).toMatch(/Malformed messages +7 of 8 \(87\.5 %\): warning/);
});
