// Layer: whole improvements against a real Temporal server, simulated models over HTTP, a real store; a trainer and a server that are small scripts.
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { improvementText } from '../../src/cli/terminal/improvement.ts';
import type { CruxConfigInput } from '../../src/config/config.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { decisionText } from '../../src/report/improvement-text.ts';
import { renderImprovement } from '../../src/report/index.ts';
import { steerImprovement } from '../../src/start/steer-improvement.ts';
import { improvementView } from '../../src/views/improvement.ts';
import { Lab, until } from '../helpers/lab.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';
import {
  type Improving,
  improvingConfig,
  type SkillModels,
  skillModels,
  startImprovement,
  type TrainingPlan,
} from '../helpers/skill-models.ts';
import { makeSmallDisk } from '../helpers/small-disk.ts';

let lab: Lab;
let models: SkillModels;

beforeAll(async () => {
  lab = await Lab.open({ address: inject('temporal').address });
  models = await skillModels(lab.home, lab.simulation.url);
  await lab.work({ ...improvingConfig(lab, models), environments: environments() }, ['workflow', 'agent', 'train']);
});
afterAll(() => lab.close());

/** Whether the mazes are out of reach. */
let isAway = false;

function environments(): Environment[] {
  return mazeEnvironments().map((own) => ({
    ...own,
    open: (...args) => (isAway ? Promise.reject(new Error('the mazes are away')) : own.open(...args)),
  }));
}

type Changes = NonNullable<Improving['changes']>;

const start = (name: string, changes: Changes = {}, plan: TrainingPlan = {}, config: Partial<CruxConfigInput> = {}) =>
  startImprovement(lab, models, name, { changes, plan, config });

const folderOf = (id: string, round: number) => join(lab.home, 'improve', id, `round-${round}`);
const phasesOf = async (id: string) =>
  (await lab.store.improvements.phases(id)).map(({ round, phase }) => `${round} ${phase}`);
const ofRound = (round: number) =>
  ['collect', 'export', 'train', 'serve', 'evaluate', 'decide'].map((phase) => `${round} ${phase}`);
const groupsOf = async (runId: string) => (await lab.store.runs.tasks(runId)).map(({ group }) => group);
const decisionsOf = async (id: string) =>
  (await improvementView(lab.store, id)).history.flatMap(({ decision }) => (decision === null ? [] : [decision]));

describe('an improvement', () => {
  it('collects, trains, serves, evaluates and decides, round after round, and tests once', async () => {
    const { id, result } = await start('whole');
    const ended = await result();
    expect(ended).toMatchObject({ state: 'finished', rounds: 2, start: 'base', policyRound: 2, fault: null });
    expect(await phasesOf(id)).toEqual(['0 evaluate', ...ofRound(1), ...ofRound(2), '0 test-start', '0 test-final']);
    const view = await improvementView(lab.store, id);
    // Each training adds 0.2 to the skill, and the simulated policy shows it.
    expect(view.test!.final.success.value!).toBeGreaterThan(view.test!.start.success.value!);
    expect(view.policy.name).toBe(ended.policy);
    expect(view.trainedOn).toEqual([
      ...[0, 1, 2].map((round) => `${id}/round-${round}/evaluate`),
      `${id}/round-2/collect`,
      `${id}/round-1/collect`,
      'none',
    ]);
    expect(renderImprovement(view)).toContain('On the test tasks');
    // The server that was started for it has ended.
    await expect(fetch(`${models.endpoint.baseUrl}/models`)).rejects.toThrow();
  });

  it('learns nothing from the tasks that decide, or from those of the test', async () => {
    const id = 'skill-whole';
    const learned = new Set([
      ...(await groupsOf(`${id}/round-1/collect`)),
      ...(await groupsOf(`${id}/round-2/collect`)),
    ]);
    const held = [...(await groupsOf(`${id}/round-0/evaluate`)), ...(await groupsOf(`${id}/test/final`))];
    expect(held.length).toBeGreaterThan(2);
    expect(held.filter((group) => learned.has(group))).toEqual([]);
  });

  it('that is finished shows what came of it and does nothing when it is given again', async () => {
    const before = lab.simulation.stats().requests;
    await start('whole');
    expect(lab.simulation.stats().requests).toBe(before);
    await expect(start('whole', { minPairs: 2 })).rejects.toThrow(
      /exists with other settings: minRows is 1 there and 2 now/,
    );
  });

  it('of an earlier version, which did not have a setting, goes on if that setting is off now', async () => {
    const settings = (await lab.store.improvements.get('skill-whole')).settings;
    const begunWithout = (sides: 'coin' | undefined) =>
      lab.store.database.kysely
        .updateTable('improvements')
        .set({ settings: JSON.stringify({ ...settings, export: { ...settings.export, sides } }) })
        .where('id', '=', 'skill-whole')
        .execute();
    await begunWithout(undefined);
    await expect(start('whole')).resolves.toMatchObject({ id: 'skill-whole' });
    await begunWithout('coin');
    await expect(start('whole')).rejects.toThrow(/export.sides is "coin" there and null now/);
    await begunWithout(settings.export.sides ?? undefined);
  });

  it('keeps the policy after a training that diverged, and goes on with the next round', async () => {
    const { id, result } = await start('diverging', {}, { 1: 'diverge' });
    expect(await result()).toMatchObject({ state: 'finished', policyRound: 2 });
    expect(await decisionsOf(id)).toMatchObject([
      { isPromoted: false, reason: 'training-ended', fault: { kind: 'Train.Diverged' } },
      { isPromoted: true, reason: 'always' },
    ]);
  });

  it('trains nothing on too few pairs, ends after two such rounds, and tests the policy once', async () => {
    const { id, result } = await start('few', { minPairs: 1_000, rounds: 5 });
    expect(await result()).toMatchObject({ state: 'finished', rounds: 2, policy: 'base', policyRound: 0 });
    expect(await decisionsOf(id)).toMatchObject([{ reason: 'few-pairs' }, { reason: 'few-pairs' }]);
    const { test } = await improvementView(lab.store, id);
    expect(test!.comparison.difference).toBe(0);
    // The same model on the same tasks is paid for once.
    expect((await lab.store.runs.spentUnder(`${id}/test/`, `${id}/test/start`)).calls).toBe(0);
  });

  it('whose method finds no pairs at all trains nothing, and is no fault', async () => {
    // No action scores below 0; actions that were rolled out for calibration are no pairs.
    const { id, result } = await start('none', { rounds: 1 }, {}, { cso: { gammaLow: 0, calibrationRate: 1 } });
    expect(await result()).toMatchObject({ state: 'finished', fault: null, policy: 'base' });
    expect(await decisionsOf(id)).toMatchObject([{ reason: 'few-pairs' }]);
    expect((await lab.store.findings.branches(`${id}/round-1/collect`)).length).toBeGreaterThan(0);
  });

  it('has a method of its own for each round, each with its own number of tasks and trajectories', async () => {
    const { id, result } = await start('several', {
      method: ['rro', 'cso'],
      collect: { limit: { rro: 3, cso: 5 }, samples: { cso: 2 } },
    });
    expect(await result()).toMatchObject({ state: 'finished', fault: null, rounds: 2 });
    const runs = await Promise.all([1, 2].map((round) => lab.store.runs.get(`${id}/round-${round}/collect`)));
    expect(runs.map(({ method }) => method)).toEqual(['rro', 'cso']);
    const tasks = await Promise.all(runs.map((run) => lab.store.runs.tasks(run.id)));
    expect(tasks.map((own) => [own.length, new Set(own.map(({ taskId }) => taskId)).size])).toEqual([
      [3, 3],
      [10, 5],
    ]);
    expect((await improvementView(lab.store, id)).method).toBe('rro, cso');
    await expect(start('together', { method: ['rro', 'cso'], data: 'all' })).rejects.toThrow(/several methods/);
  });

  it('whose second round finds no pairs ends well, and tests the model of its first round', async () => {
    const second = { method: ['rro', 'cso'] } satisfies Changes;
    const { id, result } = await start('dry', second, {}, { cso: { gammaLow: 0 } });
    expect(await result()).toMatchObject({ state: 'finished', fault: null, rounds: 2, policyRound: 1 });
    expect(await decisionsOf(id)).toMatchObject([
      { isPromoted: true, reason: 'always' },
      { isPromoted: false, reason: 'few-pairs' },
    ]);
    const view = await improvementView(lab.store, id);
    const [first, last] = await Promise.all(
      ['start', 'final'].map((which) => lab.store.runs.get(`${id}/test/${which}`)),
    );
    expect([first, last].map((run) => run!.config.models.policy.model)).toEqual(['base', view.policy.name]);
    expect(view.history[1]!.served!.name).toBe(view.policy.name);
  });

  it('with two validation tasks keeps the policy for want of groups, and collects anew in each round', async () => {
    const { id, result } = await start('two', { promote: 'better' });
    expect(await result()).toMatchObject({ state: 'finished', rounds: 2, policy: 'base', policyRound: 0 });
    const decisions = await decisionsOf(id);
    expect(decisions).toMatchObject(
      [1, 2].map(() => ({ isPromoted: false, reason: 'few-groups', tasksToDecide: null })),
    );
    expect(decisionText(decisions[0]!)).toBe('kept the policy: too few groups to decide (2, and 5 are needed)');
    const seeds = [1, 2].map(async (round) => {
      const answers = lab.store.database.kysely.selectFrom('answers').select('seed').orderBy('seed');
      return (await answers.where('run_id', '=', `${id}/round-${round}/collect`).execute()).map(({ seed }) => seed);
    });
    const [first, second] = await Promise.all(seeds);
    expect(first!.filter((seed) => second!.includes(seed))).toEqual([]);
    const trained = [1, 2].map((round) => JSON.parse(readFileSync(join(folderOf(id, round), 'settings.json'), 'utf8')));
    expect(trained[1].seed).not.toBe(trained[0].seed);
  });

  it('whose environment was away ends with what was lost, and the same command tries that again', async () => {
    isAway = true;
    const first = await start('away', { rounds: 1 });
    // Which phase is the first to open a maze depends on the states that are known from the tests before.
    const lost =
      /8 of 8 trajectories of skill-away\/\S+ were lost to faults \(environment-fault 8\).*the mazes are away/;
    expect(await first.result()).toMatchObject({
      state: 'failed',
      fault: { kind: 'Run.Broken', message: expect.stringMatching(lost) },
    });
    isAway = false;
    expect(await (await start('away', { rounds: 1 })).result()).toMatchObject({ state: 'finished', policyRound: 1 });
    const { history } = await improvementView(lab.store, first.id);
    expect(history[0]!.evaluated!.outcomes).toEqual({ tasks: 2, of: 2, missing: {} });
  });

  it('that a fault stopped keeps what was paid for, and goes on from there', async () => {
    const { id, result } = await start('failing', { rounds: 1 }, { 1: 'fail' });
    expect(await result()).toMatchObject({ state: 'failed', fault: { kind: 'Train.Failed' } });
    const { fault, state } = await lab.store.improvements.get(id);
    expect({ state, words: fault!.message }).toMatchObject({
      state: 'failed',
      words: expect.stringMatching(/log\.txt[\s\S]*the plan says that this fails/),
    });
    const collected = await lab.countAnswers(`${id}/round-1/collect`);
    writeFileSync(join(folderOf(id, 1), 'mended'), '');
    const again = await start('failing', { rounds: 1 }, { 1: 'fail' });
    expect(await again.result()).toMatchObject({ state: 'finished', policyRound: 1 });
    expect(await lab.countAnswers(`${id}/round-1/collect`)).toBe(collected);
    expect(await phasesOf(id)).toEqual(['0 evaluate', ...ofRound(1), '0 test-start', '0 test-final']);
  });

  it('whose training ran out of memory goes on with other settings of its trainings, and shows them', async () => {
    const { id, result } = await start('mended', { rounds: 1 }, { 1: 'memory' });
    expect(await result()).toMatchObject({ state: 'failed', fault: { kind: 'Train.OutOfMemory' } });
    const collected = await lab.countAnswers(`${id}/round-1/collect`);
    const mended = { rounds: 1, training: { batchSize: 2 } };
    await expect(start('mended', mended, {}, { run: { seed: 7 } })).rejects.toThrow(/other settings: seed is/);
    expect((await lab.store.improvements.get(id)).settings.changes).toBeUndefined();
    const again = await start('mended', mended);
    expect(await again.result()).toMatchObject({ state: 'finished', policyRound: 1 });
    expect(await lab.countAnswers(`${id}/round-1/collect`)).toBe(collected);
    const view = await improvementView(lab.store, id);
    const since = { round: 1, phase: 'train' };
    expect(view.changes).toMatchObject([
      { path: 'hyperparameters.dpo.batchSize', wanted: 2, since },
      { path: 'trainer.run', since },
    ]);
    expect(view.history.find(({ round }) => round === 1)!.trained).toMatchObject({
      hyperparameters: { batchSize: 2 },
      trainer: { run: expect.arrayContaining(['{}']) },
    });
    for (const text of [renderImprovement(view), improvementText(view)])
      expect(text).toMatch(/hyperparameters\.dpo\.batchSize was not set, is 2 from the training of round 1 on/);
    // It is over now, and its settings with it.
    await expect(start('mended', { ...mended, training: { batchSize: 4 } })).rejects.toThrow(/other settings/);
  });

  it('whose disk is full ends with that, pays nothing again, and goes on once there is room', async ({ skip }) => {
    const disk = makeSmallDisk(8);
    onTestFinished(() => disk.remove());
    if (!disk.isOwn || !existsSync('/dev/full')) return skip('no disk can be filled here');
    const again = () => start('full', { rounds: 1 }, { 1: 'fill' });
    mkdirSync(join(lab.home, 'improve'), { recursive: true });
    symlinkSync(disk.folder, join(lab.home, 'improve', 'skill-full'));
    const makeRoom = disk.fill();
    const { id, result } = await again();
    // The export finds no room.
    expect(await result()).toMatchObject({
      ...{ state: 'failed', policy: 'base' },
      fault: { kind: 'Disk.Full', message: expect.stringMatching(/is full \(ENOSPC[\s\S]*Free some space/) },
    });
    expect((await phasesOf(id)).at(-1)).toBe('1 export');
    const collected = await lab.countAnswers(`${id}/round-1/collect`);
    makeRoom();
    // The trainer finds none.
    expect(await (await again()).result()).toMatchObject({ state: 'failed', fault: { kind: 'Disk.Full' } });
    expect(readFileSync(join(folderOf(id, 1), 'log.txt'), 'utf8').match(/start \d+ of the trainer/g)).toHaveLength(1);
    writeFileSync(join(folderOf(id, 1), 'mended'), '');
    expect(await (await again()).result()).toMatchObject({ state: 'finished', policyRound: 1 });
    expect(await lab.countAnswers(`${id}/round-1/collect`)).toBe(collected);
  });

  it.each([
    ['template', { kind: 'Serve.NotTheModel', message: expect.stringMatching(/the server "answer:/) }],
    ['nothing', { kind: 'Train.NoModel' }],
  ] as const)(
    'whose first round shows %s ends, keeps policy and data, and goes on once it is mended',
    async (what, fault) => {
      const { id, result } = await start(what, { rounds: 1 }, { 1: what });
      expect(await result()).toMatchObject({ state: 'failed', fault, policy: 'base', policyRound: 0 });
      const collected = await lab.countAnswers(`${id}/round-1/collect`);
      expect(collected).toBeGreaterThan(0);
      expect(await lab.store.runs.find(`${id}/round-1/evaluate`)).toBeNull();
      writeFileSync(join(folderOf(id, 1), 'mended'), '');
      const again = await start(what, { rounds: 1 }, { 1: what });
      expect(await again.result()).toMatchObject({ state: 'finished', fault: null, policyRound: 1 });
      expect(await lab.countAnswers(`${id}/round-1/collect`)).toBe(collected);
      const [, round] = (await improvementView(lab.store, id)).history;
      expect(round!.served!.canary).toMatchObject({ template: what === 'template' ? 'same' : 'not-compared' });
    },
  );

  it('whose port is taken says by whom, and goes on once it is free', async () => {
    const other = createServer().listen(Number(new URL(models.endpoint.baseUrl).port), '127.0.0.1');
    await once(other, 'listening');
    const { id, result } = await start('taken', { rounds: 1 });
    expect(await result()).toMatchObject({
      state: 'failed',
      fault: { kind: 'Serve.PortTaken', message: expect.stringContaining(String(process.pid)) },
    });
    expect(await phasesOf(id)).toEqual([]);
    other.close();
    await once(other, 'close');
    const again = await start('taken', { rounds: 1 });
    expect(await again.result()).toMatchObject({ state: 'finished', fault: null });
  });

  it('cancelled in a training ends the trainer and the server, and keeps what was found', async () => {
    const { id, handle, result } = await start('cancelled', { rounds: 1 }, { 1: 'wait' });
    const training = () => lab.store.trainings.get(folderOf(id, 1));
    await until('a training in progress', async () => (await training())?.progress?.step === 2);
    await handle.executeUpdate('cancel');
    expect(await result()).toMatchObject({ state: 'cancelled', policy: 'base' });
    expect(await training()).toMatchObject({ state: expect.not.stringMatching('running') });
    expect(existsSync(join(folderOf(id, 1), 'model'))).toBe(false);
    expect((await lab.store.findings.pairs(`${id}/round-1/collect`)).length).toBeGreaterThan(0);
    expect(await start('cancelled', { rounds: 1 }, { 1: 'wait' })).toBeTruthy();
    expect((await lab.store.improvements.get(id)).state).toBe('cancelled');
  });

  it('cancelled while no worker lives ends the trainer all the same', async () => {
    const { id, handle } = await start('left', { rounds: 1 }, { 1: 'wait' });
    const training = () => lab.store.trainings.get(folderOf(id, 1));
    await until('a training in progress', async () => (await training())?.progress?.step === 2);
    await handle.terminate('for the test');
    expect(await steerImprovement({ store: lab.store, client: null }, id, 'cancelled')).toBe(true);
    await until('the end of the trainer', async () => (await training())?.state !== 'running');
    expect(await training()).toMatchObject({ exit: { stop: 'cancelled' } });
  });

  it('paused in a training begins no phase after it before it is resumed', async () => {
    const { id, handle, result } = await start('paused', { rounds: 1 }, { 1: 'wait' });
    await until(
      'a training in progress',
      async () => (await lab.store.trainings.get(folderOf(id, 1)))?.progress?.step === 2,
    );
    await handle.executeUpdate('pause');
    writeFileSync(join(folderOf(id, 1), 'go'), '');
    await until('the training is over', async () =>
      (await lab.store.improvements.phases(id)).some(({ phase, result: made }) => phase === 'train' && made !== null),
    );
    expect(await handle.query('progress')).toMatchObject({ state: 'paused' });
    expect((await phasesOf(id)).at(-1)).toBe('1 train');
    await steerImprovement({ store: lab.store, client: lab.client }, id, 'running');
    expect(await result()).toMatchObject({ state: 'finished', policyRound: 1 });
  });

  it('that reached a ceiling of the whole goes on when it is raised', async () => {
    const ceilings = (calls: number) => ({ run: { ceilings: { calls } } });
    const first = await start('ceiling', { rounds: 1 }, {}, ceilings(60));
    expect(await first.result()).toMatchObject({ state: 'budget' });
    const spent = async () => (await lab.store.runs.spentUnder(`${first.id}/`, '')).calls;
    expect(await spent()).toBeLessThanOrEqual(60);
    const second = await start('ceiling', { rounds: 1 }, {}, ceilings(5_000));
    expect(await second.result()).toMatchObject({ state: 'finished' });
    expect(await spent()).toBeGreaterThan(60);
  });
});

it('a warm start makes the policy that the first round begins with', async () => {
  const { id, result } = await start('warm', { rounds: 1, warmStart: 'sft' });
  const ended = await result();
  expect(ended).toMatchObject({ state: 'finished', fault: null, start: expect.stringMatching(/^crux-skill-warm-r0-/) });
  expect((await phasesOf(id)).slice(0, 5)).toEqual(ofRound(0).slice(0, 5));
  const settings = JSON.parse(readFileSync(join(folderOf(id, 1), 'settings.json'), 'utf8'));
  expect(settings.base.from).toBe(join(folderOf(id, 0), 'model'));
});

it.each([
  [{ validation: { limit: 1 }, rounds: 0 }, /improve\.rounds/],
  [{ server: { kind: 'commando' } }, /improve\.server/],
  [{ trainer: { kind: 'trl', pythn: 'x' } }, /improve\.trainer/],
  [{ base: './nowhere' }, /There is no model .*nowhere to begin with/],
  [{ trainer: { kind: 'trl' }, export: { format: 'llama-factory' } }, /trl does not take the format llama-factory/],
] as [object, RegExp][])('%o is refused before anything is recorded', async (changes, words) => {
  await expect(start('refused', changes as Changes)).rejects.toThrow(words);
  expect(await lab.store.improvements.find('skill-refused')).toBeNull();
});
