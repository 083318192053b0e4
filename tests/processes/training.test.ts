// Layer: kill-and-resume. Trainings with real supervisors, trainers and stores; trainers are short scripts, and no Temporal is there.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CancelledFailure } from '@temporalio/common';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folderNames } from '../../src/domain/improve/contract.ts';
import type { Store } from '../../src/store/store.ts';
import { identifyProcess, isRunning } from '../../src/temporal/process-identity.ts';
import { hashModel } from '../../src/training/model-hash.ts';
import { makeSmallDisk } from '../helpers/small-disk.ts';
import { temporaryStore } from '../helpers/store.ts';
import {
  forEver,
  hasModel,
  hyperparameters,
  learn,
  letGo,
  logOf,
  prepare,
  printedIn,
  script,
  stepsIn,
  trainerOf,
  trainIn,
  trainingFolder,
} from '../helpers/trainings.ts';

/** Hash of the learner's weights after ten steps, made without Crux. */
let undisturbed: string;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crux-learner-'));
  prepare(folder);
  execFileSync(process.execPath, [...learn.run.slice(1), folder]);
  undisturbed = (await hashModel(join(folder, 'model')))!.hash;
  rmSync(folder, { recursive: true });
});

const elasticReport = (words: string, exitLine: string) => {
  const report = readFileSync(join(import.meta.dirname, '../fixtures/elastic-report.txt'), 'utf8');
  return `${words}\n${report.replace('{exit line}', exitLine)}`;
};

const supervisorOf = async (store: Store, folder: string) => (await store.trainings.get(folder))!.process!;

const gone = (pid: number) => expect.poll(() => identifyProcess(pid)).toBeNull();

describe('a training', () => {
  it('ends with its model, and says its steps and how often it went on', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const result = await trainIn(store, folder).result;
    expect(result).toMatchObject({ root: join(folder, 'model'), steps: 10, resumed: 0 });
    expect(result.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(result.seconds).toBeGreaterThan(0);
    expect(printedIn(folder)).toEqual(['goes on from 0']);
  });

  it('that has ended is not done again: the same call returns the same', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const first = await trainIn(store, folder).result;
    expect(await trainIn(store, folder).result).toEqual(first);
    expect(printedIn(folder)).toHaveLength(1);
  });

  it('whose model was changed afterwards is refused, and one whose model was removed is done again', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const first = await trainIn(store, folder).result;
    writeFileSync(join(folder, 'model', 'weights.json'), '[]');
    await expect(trainIn(store, folder).result).rejects.toMatchObject({ kind: 'Train.NoModel' });
    rmSync(join(folder, 'model'), { recursive: true });
    expect(await trainIn(store, folder).result).toMatchObject({ hash: first.hash });
    expect(printedIn(folder)).toEqual(['goes on from 0', 'goes on from 8']);
  });
});

describe('whoever is killed, the weights are those of an undisturbed training', () => {
  it('a worker: the next one attaches, and nothing is done again', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const file = join(import.meta.dirname, '../training/processes/waiting-worker.ts');
    const worker = spawn(process.execPath, [file, store.location, JSON.stringify({ folder, trainer: learn })]);
    for await (const line of createInterface({ input: worker.stdout })) if (JSON.parse(line)?.step === 6) break;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    const next = trainIn(store, folder);
    await next.reached(6);
    letGo(folder);
    expect(await next.result).toMatchObject({ hash: undisturbed, resumed: 0 });
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('the trainer: it goes on from its checkpoint, and the log says so', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const training = trainIn(store, folder);
    await training.reached(6);
    process.kill(trainerOf(folder), 'SIGKILL');
    letGo(folder);
    expect(await training.result).toMatchObject({ hash: undisturbed, resumed: 1, steps: 10 });
    expect(printedIn(folder)).toEqual(['goes on from 0', 'goes on from 4']);
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5, 6, 5, 6, 7, 8, 9, 10]);
    expect(logOf(folder)).toContain('start 2 of the trainer again, after step 6: it was killed (SIGKILL)');
  });

  it('the supervisor: its trainer is ended before another one begins', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const training = trainIn(store, folder);
    await training.reached(6);
    const orphan = trainerOf(folder);
    process.kill((await supervisorOf(store, folder)).pid, 'SIGKILL');
    await gone(orphan);
    letGo(folder);
    expect(await training.result).toMatchObject({ hash: undisturbed, resumed: 1 });
    expect(printedIn(folder)).toEqual(['goes on from 0', 'goes on from 4']);
    expect(logOf(folder)).toContain('the trainer of the supervisor before was still at work, and was ended');
  });

  it('worker, supervisor and trainer together', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const first = trainIn(store, folder);
    await first.reached(6);
    first.cancel(new CancelledFailure('TIMED_OUT'));
    await expect(first.result).rejects.toThrow('TIMED_OUT');
    const [supervisor, trainer] = [(await supervisorOf(store, folder)).pid, trainerOf(folder)];
    process.kill(supervisor, 'SIGKILL');
    process.kill(trainer, 'SIGKILL');
    await gone(supervisor);
    letGo(folder);
    expect(await trainIn(store, folder).result).toMatchObject({ hash: undisturbed, resumed: 1 });
  });

  it("the activity's attempt, because Temporal lost sight of it: the training goes on, and the next attempt attaches", async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const first = trainIn(store, folder);
    await first.reached(6);
    first.cancel(new CancelledFailure('TIMED_OUT'));
    await expect(first.result).rejects.toThrow('TIMED_OUT');
    const trainer = trainerOf(folder);
    letGo(folder);
    expect(await trainIn(store, folder).result).toMatchObject({ hash: undisturbed, resumed: 0 });
    expect(trainerOf(folder)).toBe(trainer);
  });

  it('the worker stops: the training goes on', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const stopping = new AbortController();
    const first = trainIn(store, folder, learn, { stopping: stopping.signal });
    await first.reached(6);
    stopping.abort();
    await expect(first.result).rejects.toMatchObject({ type: 'Worker.Stopping' });
    letGo(folder);
    expect(await trainIn(store, folder).result).toMatchObject({ hash: undisturbed, resumed: 0 });
  });
});

describe('two calls for one folder', () => {
  it('share one trainer, and get the same result', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const both = [trainIn(store, folder), trainIn(store, folder)];
    const [one, other] = await Promise.all(both.map(({ result }) => result));
    expect(one!.hash).toBe(other!.hash);
    expect(printedIn(folder)).toEqual(['goes on from 0']);
  });

  it('get the same fault', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const broken = script(`console.log('no such setting'); process.exit(1)`);
    const both = [trainIn(store, folder, broken), trainIn(store, folder, broken)];
    const ends = await Promise.allSettled(both.map(({ result }) => result));
    expect(ends).toMatchObject([{ reason: { kind: 'Train.Failed' } }, { reason: { kind: 'Train.Failed' } }]);
  });
});

describe('a cancelled training', () => {
  it('ends with its trainer and all that this one started', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const child = `require('node:child_process').spawn(process.execPath, ['-e', '${forEver}'], { stdio: 'ignore' })`;
    const code = `fs.writeFileSync(folder + '/child', String(${child}.pid)); emit({ step: 1, total: 2 }); ${forEver}`;
    const training = trainIn(store, folder, script(code));
    await training.reached(1);
    training.cancel(new Error('not wanted'));
    await expect(training.result).rejects.toThrow('not wanted');
    await gone(trainerOf(folder));
    await gone(Number(readFileSync(join(folder, 'child'), 'utf8')));
    expect(logOf(folder)).toContain('the trainer is told to end (SIGTERM): cancelled');
  });

  it('ends also if its trainer ignores SIGTERM', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    const code = `process.on('SIGTERM', () => console.log('not me')); emit({ step: 1, total: 2 }); ${forEver}`;
    const training = trainIn(store, folder, script(code), { times: { graceMs: 300 } });
    await training.reached(1);
    training.cancel(new Error('not wanted'));
    await expect(training.result).rejects.toThrow('not wanted');
    await gone(trainerOf(folder));
    expect(printedIn(folder)).toEqual(['not me']);
    expect(logOf(folder)).toContain('the trainer did not end within 0.3 s of SIGTERM: SIGKILL');
  });

  it('goes on from its checkpoint if it is wanted after all', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder({ waitAt: 7 });
    const training = trainIn(store, folder);
    await training.reached(6);
    training.cancel();
    await expect(training.result).rejects.toMatchObject({ name: 'AbortError' });
    letGo(folder);
    expect(await trainIn(store, folder).result).toMatchObject({ hash: undisturbed });
    expect(printedIn(folder)).toEqual(['goes on from 0', 'goes on from 4']);
  });
});

describe('a trainer', () => {
  /** Ends as torch's launcher of several processes does (torch 2.15, recorded). */
  const launched = (words: string, exitLine: string) =>
    `console.error(${JSON.stringify(elasticReport(words, exitLine))}); process.exit(1)`;
  const endOf = async (code: string, changes = {}) => {
    const folder = trainingFolder({}, changes);
    const fault = await trainIn(await temporaryStore(), folder, script(code)).result.catch((error) => error);
    expect(fault.message).toContain(join(folder, 'log.txt'));
    return { ...fault, message: fault.message as string, folder };
  };

  it('that writes a loss of NaN is ended', async () => {
    const code = `fs.writeFileSync(folder + '/metrics.jsonl', '{"step": 1, "total": 9, "loss": 0.7}\\n{"step": 2, "total": 9, "loss": NaN}\\n'); ${forEver}`;
    const fault = await endOf(code);
    expect(fault).toMatchObject({ kind: 'Train.Diverged' });
    expect(fault.message).toContain('the loss is NaN at step 2');
    await gone(trainerOf(fault.folder));
  });

  it('whose chosen sides become improbable is ended, and says so again if it is asked again', async () => {
    const code = `emit({ step: 1, total: 9, loss: 0.7, 'logps/chosen': -30 }); emit({ step: 2, total: 9, loss: 0.6, 'logps/chosen': -50.5 }); ${forEver}`;
    const store = await temporaryStore();
    const folder = trainingFolder();
    const fault = await trainIn(store, folder, script(code)).result.catch((error) => error);
    expect(fault).toMatchObject({ kind: 'Train.Collapsed', message: expect.stringContaining('20.5 nats') });
    await expect(trainIn(store, folder, script(code)).result).rejects.toMatchObject({ kind: 'Train.Collapsed' });
    expect(logOf(folder).match(/start \d+ of the trainer/g)).toHaveLength(1);
  });

  it.each([
    ['exits 0 without a model', '', 'Train.NoModel', 'left no model'],
    ['exits 0 with an empty model', `fs.mkdirSync(folder + '/model')`, 'Train.NoModel', 'left no model'],
    ['exits 137', 'process.exit(137)', 'Train.OutOfMemory', 'died 3 times before its first step'],
    [
      'says that CUDA is out of memory',
      `console.error('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate'); process.exit(1)`,
      'Train.OutOfMemory',
      'CUDA out of memory',
    ],
    ['is out of memory by its own code', 'process.exit(8)', 'Train.OutOfMemory', 'exit code 8'],
    [
      'finds the disk full',
      `console.error('OSError: [Errno 28] No space left on device'); process.exit(1)`,
      'Disk.Full',
      'No space left',
    ],
    [
      'crashes three times',
      `process.kill(process.pid, 'SIGSEGV'); ${forEver}`,
      'Train.Failed',
      'died 3 times before its first step: it ended by SIGSEGV',
    ],
    ['drops rows', 'process.exit(4)', 'Train.RowsDropped', 'the 2 rows'],
    ['does not find the base', 'process.exit(3)', 'User.NotFound', 'a-model'],
    ['has a fault', `console.error('KeyError: prompt'); process.exit(1)`, 'Train.Failed', 'KeyError: prompt'],
  ])('that %s ends with a typed fault', async (_, code, kind, words) => {
    const fault = await endOf(code);
    expect(fault).toMatchObject({ kind, message: expect.stringContaining(words) });
    expect(fault.remedy).not.toBe('');
  });

  it('whose processes are launched by another program ends as the first of them that failed, in its words', async () => {
    const fault = await endOf(launched('crux_train: stopped: 1 of 2 rows', 'exitcode  : 4 (pid: 31240) '));
    expect(fault).toMatchObject({ kind: 'Train.RowsDropped' });
    expect(fault.message).toContain('crux_train: stopped: 1 of 2 rows');
  });

  it('one of whose launched processes is killed goes on', async () => {
    const folder = trainingFolder();
    const model = `fs.mkdirSync(folder + '/model'); fs.writeFileSync(folder + '/model/w', '1'); process.exit(0);`;
    const code = `if (fs.existsSync(folder + '/again')) { ${model} } fs.writeFileSync(folder + '/again', '');
      ${launched('', 'exitcode  : -9 (pid: 4986)  (SIGKILL)')}`;
    expect(await trainIn(await temporaryStore(), folder, script(code)).result).toMatchObject({ resumed: 1 });
    expect(logOf(folder)).toContain('start 2 of the trainer again, after step 0: it was killed (SIGKILL)');
  });

  it('that is not there is named', async () => {
    const training = trainIn(await temporaryStore(), trainingFolder(), { kind: 'command', run: ['no-such-trainer'] });
    await expect(training.result).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringContaining('no-such-trainer could not be started'),
    });
  });

  it('that failed is started again when it is asked again', async () => {
    const store = await temporaryStore();
    const folder = trainingFolder();
    await expect(trainIn(store, folder, script('process.exit(1)')).result).rejects.toMatchObject({
      kind: 'Train.Failed',
    });
    expect(await trainIn(store, folder).result).toMatchObject({ resumed: 0 });
  });

  it('that prints a gigabyte loses only the middle of it', { timeout: 120_000 }, async () => {
    const folder = trainingFolder();
    const flood =
      'echo the beginning; yes "$(printf %079d)" | head -c 1073741824; echo the end; mkdir "$1/model"; echo 1 > "$1/model/w"';
    const trainer = { kind: 'command', run: ['sh', '-c', flood, 'sh'] };
    await trainIn(await temporaryStore(), folder, trainer).result;
    const log = logOf(folder);
    expect(log.length).toBeLessThan(4_000_000);
    expect(log).toContain('the beginning');
    expect(log).toContain('the end');
    expect(Number(/\[crux: (\d+) bytes were left out here\]/.exec(log)![1])).toBeGreaterThan(2 ** 30 - 4_000_000);
  });

  it('gets no key of Crux, and what it prints of the secrets of its environment is not quoted', async () => {
    process.env.EXPERT_KEY = 'sk-expert-000000';
    process.env.OTHER_TOKEN = 'other-token-1111';
    try {
      const folder = trainingFolder();
      const code = `console.log(process.env.EXPERT_KEY, process.env.OTHER_TOKEN); process.exit(1)`;
      const endpoints = { expert: { apiKeyEnv: 'EXPERT_KEY' } };
      const fault = await trainIn(await temporaryStore(), folder, script(code), { endpoints }).result.catch(
        (error) => error,
      );
      expect(fault.message).toContain('undefined [key]');
      expect(logOf(folder)).not.toContain('sk-expert');
    } finally {
      delete process.env.EXPERT_KEY;
      delete process.env.OTHER_TOKEN;
    }
  });
});

it('a training whose folder finds no room before the trainer starts is a full disk, and begins once there is room', async ({
  skip,
}) => {
  const disk = makeSmallDisk(1);
  onTestFinished(() => disk.remove());
  if (!disk.isOwn) return skip('no file system can be mounted here');
  const store = await temporaryStore();
  const folder = join(disk.folder, 'round-1');
  prepare(folder);
  const makeRoom = disk.fill();
  await expect(trainIn(store, folder).result).rejects.toMatchObject({
    kind: 'Disk.Full',
    remedy: expect.stringContaining('space'),
  });
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  makeRoom();
  expect(await trainIn(store, folder).result).toMatchObject({ hash: undisturbed, resumed: 0 });
  expect(printedIn(folder)).toEqual(['goes on from 0']);
});

it('a base or rows that are not there are named before anything starts', async () => {
  const store = await temporaryStore();
  const folder = trainingFolder({}, { base: { from: '/no/such/model' } });
  await expect(trainIn(store, folder).result).rejects.toMatchObject({
    kind: 'User.NotFound',
    message: expect.stringContaining('/no/such/model'),
  });
  const empty = trainingFolder({}, { data: { file: 'data/none.jsonl', format: 'trl', rows: 2 } });
  await expect(trainIn(store, empty).result).rejects.toMatchObject({ kind: 'User.NotFound' });
  expect(existsSync(join(folder, folderNames.log))).toBe(false);
});

it('a supervisor goes on while the store is locked, and records the end later', async () => {
  const store = await temporaryStore();
  const folder = trainingFolder({ waitAt: 7 });
  const training = trainIn(store, folder);
  await training.reached(6);
  const file = join(import.meta.dirname, '../training/processes/lock-store.ts');
  const lock = spawn(process.execPath, [file, store.location]);
  await once(createInterface({ input: lock.stdout }), 'line');
  letGo(folder);
  await expect.poll(() => hasModel(folder)).toBe(true);
  await gone(trainerOf(folder));
  lock.kill('SIGKILL');
  expect(await training.result).toMatchObject({ hash: undisturbed, resumed: 0 });
});

it('a supervisor whose terminal is closed, and whose folder is removed, ends with its trainer', async () => {
  const store = await temporaryStore();
  const folder = trainingFolder({ waitAt: 7 });
  const training = trainIn(store, folder);
  await training.reached(6);
  const supervisor = await supervisorOf(store, folder);
  const trainer = trainerOf(folder);
  process.kill(supervisor.pid, 'SIGHUP');
  training.cancel(new CancelledFailure('TIMED_OUT'));
  await expect(training.result).rejects.toThrow();
  expect(isRunning(supervisor)).toBe(true);
  rmSync(folder, { recursive: true });
  await gone(trainer);
  await gone(supervisor.pid);
});

it('a training with a collapse of null is not watched for one', async () => {
  const folder = trainingFolder({}, { hyperparameters: { ...hyperparameters, collapse: null } });
  const code = `emit({ step: 1, total: 2, 'logps/chosen': -30 }); emit({ step: 2, total: 2, 'logps/chosen': -500 });
    fs.mkdirSync(folder + '/model'); fs.writeFileSync(folder + '/model/w', '1')`;
  expect(await trainIn(await temporaryStore(), folder, script(code)).result).toMatchObject({ steps: 2 });
});
