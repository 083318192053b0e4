// Layer: trainings at services: the steps that activities make, with a real store and a stand-in for the services over HTTP.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HostedJob } from '../../src/domain/improve/hosted-job.ts';
import { jobMark, nextLookMs } from '../../src/domain/improve/hosted-job.ts';
import { Endpoint } from '../../src/models/endpoint.ts';
import type { Store } from '../../src/store/store.ts';
import type { JobDialectName } from '../../src/training/jobs/dialects.ts';
import { cancelJob, type JobTraining, trainByJob } from '../../src/training/jobs/train-by-job.ts';
import { fineTuningJobs } from '../../src/training/trainers/fine-tuning-jobs.ts';
import { temporaryFolder, temporaryStore } from '../helpers/store.ts';
import { trainingSettings } from '../helpers/trainings.ts';
import { AzureStandIn } from './azure-stand-in.ts';
import { FireworksStandIn } from './fireworks-stand-in.ts';
import { JobsStandIn, jobKey } from './jobs-stand-in.ts';
import { spawnedStep } from './processes/spawned-step.ts';

const never = new AbortController().signal;
const keyVariable = 'CRUX_TEST_JOB_KEY';

beforeAll(() => {
  process.env[keyVariable] = jobKey;
});

type Given = {
  dialect?: JobDialectName;
  id?: string;
  store?: Store;
  options?: object;
  changes?: Partial<JobTraining>;
  rows?: string;
};

/** An improvement in its training, at a stand-in. */
async function training(service: JobsStandIn, given: Given = {}) {
  const { dialect = 'openai', id = 'better', rows = '{"a":1}\n{"a":2}\n' } = given;
  const store = given.store ?? (await temporaryStore());
  await store.improvements.create(id, {} as never);
  await store.improvements.beginPhase(id, 1, 'train');
  const folder = join(temporaryFolder(), 'round-1');
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'data', 'pairs.jsonl'), rows);
  const options = fineTuningJobs.schema.parse({
    ...{ kind: 'fineTuningJobs', endpoint: 'service', dialect, searchSeconds: 0.5, firstLookSeconds: 1 },
    ...given.options,
  });
  const log: string[] = [];
  const context = { store, endpoint: endpointOf(service), log: (_: unknown, words: string) => void log.push(words) };
  const job: JobTraining = {
    ...{ folder, settings: trainingSettings({ run: id }), continues: false, options, startedAt: 0, mostMicroUsd: null },
    ...given.changes,
  };
  return {
    ...{ store, folder, job, log, options },
    step: (looks = 0, signal = never) => trainByJob(context, job, looks, signal),
    cancel: () => cancelJob(context, { id, round: 1, loss: job.settings.loss, options }, never),
    known: async () => (await store.improvements.job(id, 1)) as HostedJob,
  };
}

function endpointOf(service: JobsStandIn): Endpoint {
  return new Endpoint('service', {
    keyHeader: service instanceof AzureStandIn ? 'api-key' : 'authorization',
    ...{ baseUrl: service.url, apiKeyEnv: keyVariable, provider: null, concurrency: 8, requestsPerMinute: null },
    ...{ tokensPerMinute: null, timeoutMs: 10_000, maxFaults: 3, logprobs: false },
  });
}

async function started<T extends JobsStandIn>(standIn: T): Promise<T> {
  await standIn.start();
  onTestFinished(() => standIn.stop());
  return standIn;
}

const service = () => started(new JobsStandIn());

/** Requests that sent rows. */
const uploads = (at: JobsStandIn) => at.requests.filter((line) => /^POST .*(?:\/files|[/:]upload)$/.test(line));

const standIns = { openai: JobsStandIn, azure: AzureStandIn, together: JobsStandIn, fireworks: FireworksStandIn };

describe.each(['openai', 'azure', 'together', 'fireworks'] as const)('a training by a job of %s', (dialect) => {
  const service = () => started(new standIns[dialect]());
  /** Paths under which jobs are created. */
  const creation = {
    openai: '/fine_tuning/jobs',
    azure: '/fine_tuning/jobs',
    together: '/fine-tunes',
    fireworks: '/dpoJobs',
  };

  it('is created once, looked at until it is over, and ends with the name of the model', async () => {
    const at = await service();
    const { step, known, job } = await training(at, { dialect });
    expect(await step()).toEqual({ againMs: 1_000 });
    expect(at.files.map(({ content }) => content)).toEqual(['{"a":1}\n{"a":2}\n']);
    expect(at.jobs[0]).toMatchObject({ file: at.files[0]!.id, mark: (await known()).mark });
    expect(await step(1)).toEqual({ againMs: 2_000 });
    expect(await known()).toMatchObject({ id: at.jobs[0]!.id, progress: null });
    at.run(at.jobs[0]!, 3);
    await step(2);
    // Fireworks does not say how many steps there will be. Two rows are one step, and of three the third is the last.
    const total = dialect === 'fireworks' ? 3 : 9;
    expect(await known()).toMatchObject({
      status: at.jobs[0]!.status,
      progress: { step: 3, total, loss: 1 / 3, reached: 3 },
    });
    at.run(at.jobs[0]!, 9);
    const root = at.finish(at.jobs[0]!);
    expect(await step(3)).toMatchObject({
      trained: {
        ...{ root, hash: createHash('sha256').update(root).digest('hex') },
        ...{ steps: 9, seconds: 600, resumed: 0 },
        job: { id: at.jobs[0]!.id, costMicroUsd: dialect === 'together' ? 2_500_000 : null },
      },
    });
    expect(at.jobs).toHaveLength(1);
    expect(job.options.dialect).toBe(dialect);
  });

  it('whose creation was sent by a worker that was killed before it heard of it finds that job', async () => {
    const at = await service();
    at.lost.push('held');
    const own = await training(at, { dialect });
    const kill = spawnedStep({ store: own.store.address, endpoint: endpointOf(at).config, job: own.job });
    await at.created(1);
    await kill();
    expect(await own.known()).toMatchObject({ sent: expect.any(String), id: null });
    await own.step();
    expect(await own.known()).toMatchObject({ id: at.jobs[0]!.id });
    expect(at.jobs).toHaveLength(1);
  });

  it.skipIf(dialect === 'fireworks')('whose answer was lost looks for the job until the list has it', async () => {
    const at = await service();
    at.lost.push('after');
    const { step, known } = await training(at, { dialect, options: { searchSeconds: 3 } });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    at.hiding = 3;
    await step();
    expect(await known()).toMatchObject({ id: 'ftjob-1' });
    expect(at.jobs).toHaveLength(1);
    expect(at.requests.filter((line) => /^GET \/fine.(tuning.jobs|tunes)$/.test(line))).toHaveLength(5);
  });

  it('whose request was lost is created once the list was asked for a while', async () => {
    const at = await service();
    at.lost.push('before');
    const { step, known } = await training(at, { dialect, options: { searchSeconds: 0.2 } });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    await step();
    expect(await known()).toMatchObject({ id: at.jobs[0]!.id });
    expect(at.jobs).toHaveLength(1);
    expect(uploads(at)).toHaveLength(1);
  });

  it('that the service refuses for now is created when it says, without a search', async () => {
    const at = await service();
    const to = `POST ${creation[dialect]}`;
    const body = { error: { message: 'Rate limit reached.' } };
    at.refusals.push({ to, answer: { status: 429, headers: { 'retry-after': '7' }, body } });
    const { step, known } = await training(at, { dialect, options: { searchSeconds: 3_600 } });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.RateLimit', retryAfterMs: 7_000 });
    expect(await known()).toMatchObject({ sent: null, id: null });
    await step();
    expect(at.jobs).toHaveLength(1);
  });

  it('that failed says so in the words of the service, and is another job when it is started again', async () => {
    const at = await service();
    const { step, known } = await training(at, { dialect });
    await step();
    at.fail(at.jobs[0]!, 'Row 2 has no assistant message.');
    await expect(step(1)).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringMatching(/The job .*failed.*Row 2 has no assistant message/),
    });
    await step();
    expect(at.jobs).toHaveLength(2);
    const [failed, next] = at.jobs.map((job) => job.id);
    expect(await known()).toMatchObject({ id: next, over: [failed] });
  });

  it('that somebody else cancelled is a fault of the training', async () => {
    const at = await service();
    const { step } = await training(at, { dialect });
    await step();
    at.cancel(at.jobs[0]!);
    await expect(step(1)).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringContaining('was cancelled, and not by this improvement'),
    });
  });

  it('whose rows are there already does not send them again', async () => {
    const at = await service();
    await (await training(at, { dialect })).step();
    const other = await training(at, { dialect, id: 'other' });
    await other.step();
    expect(at.files).toHaveLength(1);
    const [one, two] = at.jobs;
    expect(one!.file).toBe(two!.file);
    expect(one!.mark).not.toBe(two!.mark);
  });

  it('that is cancelled is cancelled at the service, known or not, and once', async () => {
    const at = await service();
    const started = await training(at, { dialect });
    await started.step();
    await started.cancel();
    expect(at.jobs[0]!.status).toMatch(/cancelled$/i);
    at.lost.push('after');
    const unheard = await training(at, { dialect, id: 'unheard' });
    await expect(unheard.step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    await unheard.cancel();
    expect(at.jobs[1]!.status).toMatch(/cancelled$/i);
    expect(await unheard.known()).toMatchObject({ isCancelled: true });
    const requests = at.requests.length;
    await unheard.cancel();
    expect(at.requests).toHaveLength(requests);
  });

  it.skipIf(dialect === 'fireworks')(
    'that is cancelled before the list has it is looked for, and cancelled',
    async () => {
      const at = await service();
      at.lost.push('after');
      const { step, cancel, known } = await training(at, { dialect, options: { searchSeconds: 3 } });
      await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
      at.hiding = 3;
      await cancel();
      expect(at.jobs[0]!.status).toMatch(/cancelled$/i);
      expect(await known()).toMatchObject({ isCancelled: true });
    },
  );

  it('that is cancelled and never found is not called cancelled', async () => {
    const at = await service();
    at.lost.push('before');
    const { step, cancel, known, log } = await training(at, { dialect, options: { searchSeconds: 0.2 } });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    await cancel();
    expect(await known()).toMatchObject({ id: null, isCancelled: false });
    expect(log).toEqual(['the job to be cancelled is not in the list of its service']);
  });

  it('whose state is a word that nobody knows is awaited, and the log says the word once', async () => {
    const at = await service();
    const { step, known, log } = await training(at, { dialect });
    await step();
    at.jobs[0]!.status = 'reticulating';
    for (const look of [1, 2]) expect(await step(look)).toHaveProperty('againMs');
    expect(await known()).toMatchObject({ status: 'reticulating' });
    expect(log).toEqual(['the service says how its job stands']);
  });

  it('with a key that the service refuses ends with what helps, and without the key', async () => {
    process.env[keyVariable] = 'a-wrong-key-0987654321';
    onTestFinished(() => {
      process.env[keyVariable] = jobKey;
    });
    const { step } = await training(await service(), { dialect });
    const fault = await step().catch((error: Error) => error);
    expect(fault).toMatchObject({ kind: 'Model.Account', remedy: expect.stringContaining('Renew the key') });
    expect(String(fault)).not.toContain('wrong-key');
  });
});

describe.each(['azure', 'fireworks'] as const)(
  'a service that reads the rows before it takes a job (%s)',
  (dialect) => {
    const [waiting, read] = dialect === 'azure' ? ['pending', 'processed'] : ['UPLOADING', 'READY'];

    it('is asked again later, is sent them once, and then has one job', async () => {
      const at = await started(new standIns[dialect]());
      at.uploaded = waiting!;
      const { step, known } = await training(at, { dialect });
      expect(await step()).toEqual({ againMs: 1_000 });
      expect(await step(1)).toEqual({ againMs: 2_000 });
      expect(await known()).toMatchObject({ sent: null, id: null, file: expect.stringContaining(at.files[0]!.id) });
      expect(at.jobs).toEqual([]);
      at.files[0]!.status = read!;
      await step(2);
      expect(at.jobs).toHaveLength(1);
      expect(uploads(at)).toHaveLength(1);
    });

    it('is sent them again if it lost them', async () => {
      const at = await started(new standIns[dialect]());
      at.uploaded = waiting!;
      const { step } = await training(at, { dialect });
      await step();
      at.files.pop();
      await expect(step(1)).rejects.toMatchObject({ kind: 'Model.Rejected' });
      at.uploaded = read!;
      await step(1);
      expect(at.jobs).toHaveLength(1);
    });
  },
);

describe('a training by a job of azure', () => {
  it('whose rows the service refuses says so, and sends them again', async () => {
    const at = await started(new AzureStandIn());
    at.uploaded = 'pending';
    const { step } = await training(at, { dialect: 'azure' });
    await step();
    at.files[0]!.status = 'error';
    await expect(step(1)).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringContaining('file-1, error'),
    });
    at.uploaded = 'processed';
    await step(1);
    expect(at.jobs[0]!.file).toBe('file-2');
  });
});

describe('a training by a job of together', () => {
  it('that ended for what the user gave has failed', async () => {
    const at = await service();
    const { step } = await training(at, { dialect: 'together' });
    await step();
    at.fail(at.jobs[0]!, 'The rows are too long.');
    at.jobs[0]!.status = 'user_error';
    await expect(step(1)).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringMatching(/failed \(user_error\).*too long/),
    });
  });
});

describe('a training by a job of fireworks', () => {
  it('whose request is sent twice has one job', async () => {
    const at = await started(new FireworksStandIn());
    at.lost.push('after');
    const { step, known } = await training(at, { dialect: 'fireworks', options: { searchSeconds: 3_600 } });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    // Sent in the same moment by an attempt that was taken for dead.
    at.refusals.push({
      to: `GET /dpoJobs/${at.jobs[0]!.id}`,
      answer: { status: 404, body: { error: { message: 'job not found' } } },
    });
    await expect(step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    await step();
    expect(at.jobs).toHaveLength(1);
    expect(await known()).toMatchObject({ id: at.jobs[0]!.id });
  });

  it('has its figures from an address that is not given the key', async () => {
    const at = await started(new FireworksStandIn());
    const settings = trainingSettings({ loss: 'sft', reference: null });
    const { step, log } = await training(at, { dialect: 'fireworks', changes: { settings }, id: 'improve-1' });
    await step();
    at.run(at.jobs[0]!, 2);
    at.finish(at.jobs[0]!);
    expect(await step(1)).toMatchObject({
      trained: { root: `accounts/acme/models/${at.jobs[0]!.id}`, steps: 2, job: { costMicroUsd: 2_500_000 } },
    });
    expect(log).toEqual([]);
  });
});

describe('a training by a job', () => {
  it('of which two workers take the same step is created once', async () => {
    const at = await service();
    const { step, known } = await training(at);
    const both = await Promise.allSettled([step(), step()]);
    for (const { status, reason } of both as PromiseRejectedResult[]) {
      if (status === 'rejected') expect(reason).toMatchObject({ kind: 'Run.Waiting' });
    }
    await step(1);
    expect(at.jobs).toHaveLength(1);
    expect(await known()).toMatchObject({ id: 'ftjob-1' });
  });

  it('keeps its curve from all pages of events, thinned, while looks read the newest page', async () => {
    const at = await service();
    at.pageSize = 20;
    const { step } = await training(at);
    await step();
    at.run(at.jobs[0]!, 250);
    const pages = () => at.requests.filter((line) => line.endsWith('/events')).length;
    await step(1);
    expect(pages()).toBe(1);
    at.finish(at.jobs[0]!);
    const result = await step(2);
    expect(pages()).toBe(1 + 13);
    const { curve } = (result as { trained: { curve: { step: number }[] } }).trained;
    expect([curve[0]!.step, curve.at(-1)!.step, curve.length]).toEqual([1, 250, 200]);
    expect(curve[0]).toEqual({ step: 1, total: 250, loss: 1, train_mean_token_accuracy: 0.5 });
  });

  it('is found among the pages of a long list', async () => {
    const at = await service();
    at.lost.push('after');
    const own = await training(at);
    await expect(own.step()).rejects.toMatchObject({ kind: 'Model.Transport' });
    at.pageSize = 2;
    for (const id of ['b', 'c', 'd', 'e', 'f']) await (await training(at, { id })).step();
    await own.step();
    expect(await own.known()).toMatchObject({ id: 'ftjob-1' });
    expect(at.jobs).toHaveLength(6);
  });

  it('goes on without figures if the service tells none', async () => {
    const at = await service();
    const { step, log } = await training(at);
    await step();
    at.run(at.jobs[0]!, 3);
    at.finish(at.jobs[0]!);
    at.refusals.push({ to: 'GET /fine_tuning/jobs/ftjob-1/events', answer: { status: 500, body: {} } });
    // Two rows, a batch of 8, one epoch.
    expect(await step(1)).toMatchObject({ trained: { steps: 1, curve: [] } });
    expect(log).toEqual(['the service does not tell how far its job is']);
  });

  it('that the service does not know any more is looked for in its list before another one is created', async () => {
    const at = await service();
    const { step, known } = await training(at);
    await step();
    at.refusals.push({
      to: 'GET /fine_tuning/jobs/ftjob-1',
      answer: { status: 404, body: { error: { message: 'Could not find it' } } },
    });
    await expect(step(1)).rejects.toMatchObject({
      kind: 'Train.Failed',
      message: expect.stringContaining('Could not find it'),
    });
    await step();
    expect(await known()).toMatchObject({ id: 'ftjob-1' });
    expect(at.jobs).toHaveLength(1);
  });

  it('at a server that is no such service says so', async () => {
    const at = await service();
    at.refusals.push({ to: 'GET /fine_tuning/jobs', answer: { status: 200, body: { hello: 1 } } });
    await expect((await training(at)).step()).rejects.toMatchObject({
      kind: 'Model.Setup',
      remedy: expect.stringContaining('dialect'),
    });
    expect(at.jobs).toEqual([]);
  });

  it('costs what the service says, else its tokens by the price of the configuration', async () => {
    const at = await service();
    const { step } = await training(at, { options: { price: 25 } });
    await step();
    at.finish(at.jobs[0]!);
    // 0.5 million tokens at 25 dollars a million.
    expect(await step(1)).toMatchObject({ trained: { job: { costMicroUsd: 12_500_000 } } });
  });

  it.each([
    [
      { estimated_total_price: 90, allowed_to_proceed: false, user_limit: 5 },
      'Model.Account',
      /cost \$90, and the account may spend \$5/,
    ],
    [{ estimated_total_price: 3.5, allowed_to_proceed: true }, 'Run.Budget', /would cost \$3.50; \$2.00 are left/],
  ])('that costs too much is not created: %j', async (price, kind, message) => {
    const at = await service();
    at.price = price;
    const { step } = await training(at, { dialect: 'together', changes: { mostMicroUsd: 2e6 } });
    await expect(step()).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(at.jobs).toEqual([]);
  });
});

describe('the request for a job', () => {
  const hyperparameters = {
    ...trainingSettings().hyperparameters,
    beta: 0.5,
    epochs: 2,
    learningRate: 1e-6,
    warmup: 0.1,
  };

  it('of OpenAI has what its API takes', async () => {
    const at = await service();
    const settings = trainingSettings({ hyperparameters, run: 'Better_1', round: 1 });
    const options = { learningRateMultiplier: 0.5 };
    const own = await training(at, { id: 'Better_1', options, changes: { settings } });
    await own.step();
    const { mark } = await own.known();
    expect(mark).toMatch(/^crux-better-1-r1-[0-9a-f]{8}$/);
    expect(at.jobs[0]!.body).toEqual({
      ...{ model: 'a-model', training_file: 'file-1', suffix: mark, seed: 1 },
      metadata: { crux_run: 'Better_1', crux_round: '1', crux_training: mark },
      method: {
        type: 'dpo',
        dpo: { hyperparameters: { beta: 0.5, n_epochs: 2, batch_size: 8, learning_rate_multiplier: 0.5 } },
      },
    });
    const sft = trainingSettings({ loss: 'sft', reference: null, hyperparameters, run: 'sft' });
    await (await training(at, { id: 'sft', changes: { settings: sft } })).step();
    expect(at.jobs[1]!.body.method).toEqual({
      type: 'supervised',
      supervised: { hyperparameters: { n_epochs: 2, batch_size: 8 } },
    });
  });

  it('of Together has what its API takes, and continues a model that a job made', async () => {
    const at = await service();
    const settings = trainingSettings({ hyperparameters: { ...hyperparameters, lora: { rank: 8, alpha: 16 } } });
    const own = await training(at, { dialect: 'together', id: 'improve-1', changes: { settings, continues: true } });
    await own.step();
    expect(at.jobs[0]!.body).toEqual({
      ...{ from_checkpoint: 'a-model', training_file: 'file-1', suffix: (await own.known()).mark, random_seed: 1 },
      ...{ n_epochs: 2, batch_size: 8, learning_rate: 1e-6, warmup_ratio: 0.1 },
      training_method: { method: 'dpo', dpo_beta: 0.5, rpo_alpha: 1 },
      training_type: { type: 'Lora', lora_r: 8, lora_alpha: 16, lora_trainable_modules: 'all-linear' },
    });
    const sft = trainingSettings({ loss: 'sft', reference: null, run: 'sft' });
    await (await training(at, { dialect: 'together', id: 'sft', changes: { settings: sft } })).step();
    expect(at.jobs[1]!.body).toMatchObject({
      ...{ model: 'a-model', training_method: { method: 'sft', train_on_inputs: 'auto' } },
      training_type: { type: 'Full' },
    });
  });

  it('of Fireworks has what its API takes, and continues an adapter that a job made', async () => {
    const at = await started(new FireworksStandIn());
    const rows = { ...trainingSettings().data, rows: 80 };
    const settings = trainingSettings({ hyperparameters: { ...hyperparameters, beta: 0.4 }, data: rows });
    const own = await training(at, { dialect: 'fireworks', id: 'improve-1', changes: { settings, continues: true } });
    await own.step();
    const dataset = `accounts/acme/datasets/${at.files[0]!.id}`;
    expect(at.files[0]!.id).toMatch(/^crux-[0-9a-f]{32}$/);
    // 80 rows in batches of 8, twice: 20 steps, of which a tenth is warm-up.
    const steps = { learningRate: 1e-6, epochs: 2, batchSizeSamples: 8, learningRateWarmupSteps: 2 };
    expect(at.jobs[0]!.body).toEqual({
      dataset,
      trainingConfig: { warmStartFrom: 'a-model', ...steps },
      lossConfig: { method: 'DPO', dpo: { beta: 0.4 } },
    });
    const sft = trainingSettings({ loss: 'sft', reference: null, hyperparameters, run: 'sft', data: rows });
    await (await training(at, { dialect: 'fireworks', id: 'sft', changes: { settings: sft } })).step();
    expect(at.jobs[1]!.body).toEqual({ dataset, baseModel: 'a-model', ...steps, evalAutoCarveout: false });
  });
});

it('a mark has at most 40 small letters, digits and hyphens', () => {
  expect(jobMark('An.Improvement_with-a-long-name', 50, 'abcdef0123')).toBe('crux-an-improvement-with--r50-abcdef01');
  expect(jobMark('a'.repeat(80), 50, 'abcdef0123').length).toBeLessThanOrEqual(40);
});

it('a job is looked at after 30 s, and later each time, up to 5 minutes', () => {
  expect([0, 1, 2, 3, 4, 90].map((looks) => nextLookMs(looks, 30_000, 300_000) / 1000)).toEqual([
    30, 60, 120, 240, 300, 300,
  ]);
});
