// Layer: activities in MockActivityEnvironment against scripted models over HTTP, in an environment whose treasure can be had by a trick.
import { describe, expect, it } from 'vitest';
import { taskText } from '../../src/cli/commands/show.ts';
import { summaryText } from '../../src/cli/terminal/summary.ts';
import type { BranchInput } from '../../src/domain/wire/branch.ts';
import type { AuditedTrajectory, EnvironmentDefinition } from '../../src/environments/contract.ts';
import { renderReport } from '../../src/report/index.ts';
import { importScope } from '../../src/store/findings.ts';
import { runSummary } from '../../src/views/run-summary.ts';
import { runView, taskView } from '../../src/views/run-view.ts';
import { goText } from './doors.ts';
import { explored, type Workplace, type WorkplaceOptions, workplace } from './workplace.ts';

type Audit = NonNullable<EnvironmentDefinition['audit']>;

/** Whoever came through the window is flagged. */
const noWindows: Audit = async (_task, { actions }) =>
  actions.some(({ action }) => action.arguments.door === 'window') ? ['window-climbed'] : [];

const audited = (audit: Audit, more: WorkplaceOptions = {}): WorkplaceOptions => ({
  ...more,
  doors: { audit, ...more.doors },
  run: { ...more.run, config: { auditSuccesses: true, ...more.run?.config } },
});

/** A branch through `door` after `left`, which the policy continues to the treasure. */
async function branched(options: WorkplaceOptions, door = 'window') {
  const place = await workplace({
    models: {
      expert: () => goText(door),
      policy: () => goText('treasure'),
      prm: (taken) => (taken === 'pit' ? 0.1 : 0.9),
    },
    options: { alternatives: 1 },
    ...options,
  });
  const { perform, activities, store } = place;
  const { id: trajectoryId, states } = await explored(place, ['left', 'pit']);
  const step = { runId: 'run-1', trajectoryId, step: 2 };
  await perform(activities.proposeAlternatives, step);
  const { nodeId, alternatives } = await perform(activities.judgeCandidates, step);
  const input: BranchInput = { ...step, nodeId, candidateId: alternatives[0]!, purpose: 'verify', rollout: 0 };
  const result = await perform(activities.rollOut, input);
  await perform(activities.recordPairs, { runId: 'run-1', trajectoryId });
  return { place, input, states, result, branch: (await store.findings.branches('run-1'))[0]! };
}

describe('a success of a branch', () => {
  it('that the audit flags is stored as the environment gave it, with its flags, and is no pair', async () => {
    const { place, branch, result } = await branched(audited(noWindows));
    expect(result).toMatchObject({ success: true, reward: 1, auditFlags: ['window-climbed'] });
    expect(branch).toMatchObject({ success: true, reward: 1, confirmed: null, auditFlags: ['window-climbed'] });
    expect(await place.store.findings.pairs('run-1')).toEqual([]);
  });

  it('that it does not flag is a pair, and the certificate says that it was audited', async () => {
    const { place, branch, result } = await branched(audited(noWindows), 'right');
    expect(branch.auditFlags).toEqual([]);
    // Nothing goes through histories where there is nothing to say.
    expect(result).not.toHaveProperty('auditFlags');
    const [pair] = await place.store.findings.pairs('run-1');
    expect(pair!.certificate.verification.audited).toBe(true);
  });

  it('is shown to the audit whole: every action with all that was observed, reward and details', async () => {
    const seen: AuditedTrajectory[] = [];
    const long = 'A long corridor. '.repeat(20);
    await branched(
      audited(
        async ({ id }, trajectory) => {
          expect(id).toBe('task-1');
          seen.push(trajectory);
          return [];
        },
        {
          run: { config: { observationLimit: 60 } },
          doors: {
            step: (way) =>
              way.at(-1) === 'treasure'
                ? { observation: 'The treasure.', done: true, reward: 1, details: { coins: 7 } }
                : way.at(-1) === 'left'
                  ? { observation: long, done: false }
                  : undefined,
          },
        },
      ),
      'right',
    );
    const action = (door: string) => ({ tool: 'go', arguments: { door } });
    expect(seen).toEqual([
      {
        actions: [
          { action: action('left'), observation: long },
          { action: action('right'), observation: 'A room behind left, right.' },
          { action: action('treasure'), observation: 'The treasure.' },
        ],
        reward: 1,
        details: { coins: 7 },
      },
    ]);
  });

  it.each<[string, WorkplaceOptions]>([
    ['in a run that began before there were audits', { doors: { audit: noWindows } }],
    ['if the environment has none', { run: { config: { auditSuccesses: true } } }],
  ])('is not audited %s: that is unknown, and it counts as before', async (_when, options) => {
    const { place, branch } = await branched(options);
    expect(branch).toMatchObject({ success: true, auditFlags: null });
    const [pair] = await place.store.findings.pairs('run-1');
    expect(pair!.certificate.verification.audited).toBeNull();
    expect((await runSummary(place.store, 'run-1')).auditedSuccesses).toBeNull();
  });

  it('has no outcome if its audit breaks: that is a fault of the environment', async () => {
    const { place, branch } = await branched(audited(async () => ['Tests edited!']));
    expect(branch).toMatchObject({ ending: 'environment-fault', success: null, reward: null, auditFlags: null });
    expect(branch.details!.fault).toContain(
      'failed at the audit of a success in task-1: its audit gave the flag "Tests edited!"',
    );
    expect(await place.store.findings.pairs('run-1')).toEqual([]);
  });

  it('may be flagged and a coincidence too: it is then counted as flagged, and both are stored', async () => {
    const confirm = async () => ({ confirmed: false, reason: 'only on these doors' });
    const { place, branch } = await branched(audited(noWindows, { doors: { confirm } }));
    expect(branch).toMatchObject({ confirmed: false, auditFlags: ['window-climbed'] });
    expect(branch.details).toEqual({ coincidental: 'only on these doors' });
    const { branches, unpaired } = await runSummary(place.store, 'run-1');
    expect(branches.verify).toEqual({ total: 1, succeeded: 0, faulted: 0, coincidental: 0, flagged: 1 });
    expect(unpaired!.steps.without).toEqual({ flagged: 1 });
  });

  it('at a limit is audited too, also of a branch that goes call by call', async () => {
    const options = audited(noWindows, {
      models: {
        expert: () => goText('window'),
        policy: () => goText('on'),
        prm: (door) => (door === 'pit' ? 0.1 : 0.9),
      },
      run: { config: { stepLimit: 3 } },
      doors: { outcome: () => ({ reward: 1 }) },
    });
    const { place, input, branch } = await branched(options);
    expect(branch).toMatchObject({ ending: 'step-limit', success: true, auditFlags: ['window-climbed'] });
    const ended = { leafId: branch.leafId, ending: 'step-limit' as const, reward: 0, success: false, fault: null };
    const again = await place.perform(place.activities.recordBranch, { ...input, rollout: 1, compared: 1, ...ended });
    expect(again).toMatchObject({ success: true, auditFlags: ['window-climbed'] });
  });
});

describe('a success of a trajectory', () => {
  const trajectories = ({ store }: Workplace) => store.findings.trajectories('run-1');

  it('is audited, a failure is not', async () => {
    let asked = 0;
    const place = await workplace(
      audited(async (...given) => {
        asked++;
        return noWindows(...given);
      }),
    );
    await explored(place, ['pit']);
    expect(asked).toBe(0);
    expect(await trajectories(place)).toMatchObject([{ success: false, auditFlags: null }]);
    const other = await workplace(audited(noWindows));
    await explored(other, ['window', 'treasure']);
    expect(await trajectories(other)).toMatchObject([{ success: true, reward: 1, auditFlags: ['window-climbed'] }]);
    expect((await runSummary(other.store, 'run-1')).endings).toEqual({ flagged: 1 });
  });

  it('is not recorded if its audit breaks', async () => {
    const place = await workplace(audited(async () => Promise.reject(new Error('the auditor is away'))));
    await expect(explored(place, ['treasure'])).rejects.toMatchObject({ type: 'Environment.Fault' });
    expect(await trajectories(place)).toEqual([]);
  });

  it('that was recorded elsewhere is audited when a run takes it up', async () => {
    const place = await workplace(audited(noWindows));
    const { id } = await explored(place, ['window', 'treasure']);
    const [row] = await trajectories(place);
    await place.store.findings.addTrajectory({
      ...row!,
      runId: importScope('doors'),
      origin: 'imported',
      auditFlags: null,
    });
    await place.store.runs.create({ ...place.run, id: 'other' }, [
      { position: 0, taskId: 'task-1', sample: 0, importedId: id, group: 'all' },
    ]);
    const { imported } = await place.perform(place.activities.openTask, { runId: 'other', position: 0 });
    expect(imported).toMatchObject({ success: true, auditFlags: ['window-climbed'] });
    expect(await place.store.findings.trajectories('other')).toMatchObject([{ auditFlags: ['window-climbed'] }]);
  });

  it('counts as none where a task is skipped that the policy mostly solves', async () => {
    const place = await workplace(audited(noWindows));
    await explored(place, ['window', 'treasure']);
    expect(await place.perform(place.activities.passRate, { runId: 'run-1', position: 0 })).toBe(0);
  });
});

it('a draw of RRO that is flagged is no equal of an honest one, although both end the task with one reward', async () => {
  const doors = (said: string) =>
    workplace(
      audited(async (_task, { actions }) => (actions[0]!.action.arguments.door === 'Treasure' ? ['shouted'] : []), {
        models: { policy: () => goText(said) },
        run: { config: { sameBy: 'state' } },
      }),
    );
  const drawn = async (said: string) => {
    const { perform, activities } = await doors(said);
    const { rootId: nodeId } = await perform(activities.openTask, { runId: 'run-1', position: 0 });
    return perform(activities.drawAction, { runId: 'run-1', nodeId, sample: 0, draw: 0 });
  };
  const [honest, flagged] = [await drawn('treasure'), await drawn('Treasure')];
  expect(honest).toMatchObject({ ending: 'submitted', reward: 1, success: true });
  expect(honest).not.toHaveProperty('auditFlags');
  expect(flagged).toMatchObject({ ending: 'submitted', reward: 1, success: true, auditFlags: ['shouted'] });
  expect(flagged.equality).not.toBe(honest.equality);
});

describe('what a reader sees', () => {
  it('of a run: how many successes were audited, and the flags; why there is no pair', async () => {
    const { place } = await branched(audited(noWindows));
    const text = summaryText(await runSummary(place.store, 'run-1'));
    expect(text).toMatch(/^Branches +1: verify 0\/1 succeeded \(1 flagged\)$/m);
    expect(text).toMatch(/^Successes +1 audited, 1 flagged: window-climbed 1$/m);
    expect(text).toMatch(/^Steps without a pair +1 of 1: flagged 1$/m);
    const page = renderReport(await runView(place.store, 'run-1'));
    expect(page).toContain('1 audited, 1 flagged: window-climbed 1');
    expect(page).toContain('verify: flagged success (window-climbed), submitted after');
    const honest = await branched(audited(noWindows), 'right');
    const other = summaryText(await runSummary(honest.place.store, 'run-1'));
    expect(other).toMatch(/^Successes +1 audited, none flagged$/m);
    expect(renderReport(await runView(honest.place.store, 'run-1'))).toContain('successes audited; restored by');
  });

  it('of a task: the flags of its trajectory and of each branch', async () => {
    const { place } = await branched(audited(noWindows));
    const task = (await taskView(place.store, 'run-1', 'task-1'))!;
    expect(taskText(task)).toContain('[flagged success (window-climbed), submitted after 1 more step]');
    expect(task.trajectories[0]!.steps[1]!.alternatives[0]).toMatchObject({
      verdict: 'undecided',
      branches: [{ success: true, auditFlags: ['window-climbed'] }],
    });
    const own = await workplace(audited(noWindows));
    await explored(own, ['window', 'treasure']);
    const shown = taskText((await taskView(own.store, 'run-1', 'task-1'))!);
    expect(shown).toMatch(/^⚑ submitted, reward 1.00, 2 steps, flagged: window-climbed$/m);
    const page = renderReport(await runView(own.store, 'run-1'));
    expect(page).toContain('<span class="tag unsure">submitted, flagged success (window-climbed)</span>');
    expect(page).toContain('submitted, flagged success</td>');
  });
});
