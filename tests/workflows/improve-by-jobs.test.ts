// Layer: improvements whose trainings are jobs of a service, against a real Temporal server and a stand-in for the service over HTTP.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { CruxConfigInput } from '../../src/config/config.ts';
import { resultOf } from '../../src/domain/improve/rounds.ts';
import type { ImproveResult } from '../../src/domain/wire/improve.ts';
import { deployed, fineTuningJobs, fireworks, hosted } from '../../src/index.ts';
import { renderImprovement } from '../../src/report/index.ts';
import { retuneImprovement } from '../../src/start/improvement-ceilings.ts';
import { launchImprovement, prepareImprovement } from '../../src/start/improvements.ts';
import { improvementView } from '../../src/views/improvement.ts';
import { improvementPlace } from '../../src/views/improvement-place.ts';
import { Lab, until } from '../helpers/lab.ts';
import { AzureStandIn } from '../training/azure-stand-in.ts';
import { FireworksStandIn } from '../training/fireworks-stand-in.ts';
import { JobsStandIn, jobKey } from '../training/jobs-stand-in.ts';

let lab: Lab;
const service = new JobsStandIn();
const azure = new AzureStandIn();
const fireworksService = new FireworksStandIn();
let changes: Partial<CruxConfigInput>;

beforeAll(async () => {
  process.env.CRUX_TEST_JOB_KEY = jobKey;
  lab = await Lab.open({ address: inject('temporal').address });
  for (const standIn of [service, azure, fireworksService]) {
    await standIn.start();
    standIn.upstream = lab.simulation.url;
  }
  const { models, endpoints } = lab.config();
  const apiKeyEnv = 'CRUX_TEST_JOB_KEY';
  changes = {
    endpoints: {
      ...endpoints,
      service: { baseUrl: service.url, apiKeyEnv },
      azure: { baseUrl: azure.url, apiKeyEnv, keyHeader: 'api-key' },
      fireworks: { baseUrl: fireworksService.inferenceUrl, apiKeyEnv },
      account: { baseUrl: fireworksService.url, apiKeyEnv },
    },
    models: {
      ...models,
      policy: { ...models.policy, endpoint: 'service', model: 'base', trainedOn: ['none'] },
    } as never,
    improve: {
      ...{ base: 'base', rounds: 1, minPairs: 1, server: hosted() },
      trainer: fineTuningJobs({
        ...{ endpoint: 'service', dialect: 'openai', price: 25, firstLookSeconds: 0.05, longestLookSeconds: 0.1 },
      }),
    },
  };
  await lab.work(changes, ['workflow', 'agent', 'train']);
});
afterAll(async () => {
  await lab.close();
  for (const standIn of [service, azure, fireworksService]) await standIn.stop();
});

async function start(id: string, others: Partial<CruxConfigInput> = {}) {
  const config = lab.config({ ...changes, ...others });
  const improvement = await prepareImprovement(config, lab.store, { id, environment: 'maze' });
  await launchImprovement(lab.client, lab.store, improvement);
  return lab.client.workflow.getHandle(id);
}

async function progress(id: string): Promise<string | null> {
  return (await improvementPlace(lab.store, await lab.store.improvements.get(id))).progress;
}

it('an improvement trains by a job of a service, shows how far it is, and evaluates the model that the service names', async () => {
  const id = `jobs-${lab.store.id}`;
  const handle = await start(id);
  await service.created(1);
  await until('the job is waiting', async () => (await progress(id)) === 'validating_files');
  const job = service.jobs[0]!;
  service.run(job, 2);
  await until('two steps are told', async () => (await progress(id)) === 'running, step 2/9, loss 0.500');
  const name = service.finish(job);
  const result = (await handle.result()) as ImproveResult;
  expect(result).toMatchObject({ state: 'finished', rounds: 1, policy: name, policyRound: 1, fault: null });
  const records = await lab.store.improvements.phases(id);
  const trained = resultOf(records, 1, 'train')!;
  expect(trained).toMatchObject({ root: name, job: { id: job.id, costMicroUsd: 12_500_000 } });
  // What the service does not take is not claimed to have been used.
  expect(Object.keys(trained.hyperparameters)).toEqual(['beta', 'epochs', 'batchSize']);
  expect(resultOf(records, 1, 'serve')).toMatchObject({ name, root: name, canary: { verdict: 'named' } });
  const rows = readFileSync(join(lab.home, `improve/${id}/round-1/data/pairs.jsonl`), 'utf8');
  expect(service.files.map(({ content }) => content)).toEqual([rows]);
  const view = await improvementView(lab.store, id);
  // The simulated models have no prices, so the whole costs an unknown sum; the job's own is known.
  expect(view.costMicroUsd).toBeNull();
  expect(renderImprovement(view)).toContain(`${job.id}, $12.50`);
  // Nothing waited in an activity: each look was one of its own.
  const { events } = await handle.fetchHistory();
  expect(events!.filter(({ timerStartedEventAttributes: timer }) => timer).length).toBeGreaterThan(1);
  const places = [
    JSON.stringify(events),
    readFileSync(join(lab.home, 'crux.db'), 'latin1'),
    readFileSync(join(lab.home, 'crux.db-wal'), 'latin1'),
  ];
  for (const place of places) expect(place).not.toContain(jobKey);
});

it('an improvement that is cancelled cancels its job', async () => {
  const id = `cancelled-${lab.store.id}`;
  const handle = await start(id);
  await service.created(2);
  await until('the job is known', async () => (await progress(id)) !== null);
  await handle.executeUpdate('cancel');
  expect(await handle.result()).toMatchObject({ state: 'cancelled' });
  expect(service.jobs[1]!.status).toBe('cancelled');
  expect((await improvementView(lab.store, id)).notes.join()).not.toContain('was not cancelled');
});

it('an improvement whose job failed ends with the words of the service, and goes on with another job', async () => {
  const id = `failed-${lab.store.id}`;
  const first = await start(id);
  await service.created(3);
  service.fail(service.jobs[2]!, 'The file has too few rows.');
  expect(await first.result()).toMatchObject({
    state: 'failed',
    fault: { kind: 'Train.Failed', message: expect.stringContaining('The file has too few rows.') },
  });
  const second = await start(id);
  await service.created(4);
  service.finish(service.jobs[3]!);
  expect(await second.result()).toMatchObject({ state: 'finished', policyRound: 1 });
});

it('an improvement whose job cannot be cancelled says that it may go on', async () => {
  const id = `uncancelled-${lab.store.id}`;
  const handle = await start(id);
  await service.created(5);
  await until('the job is known', async () => (await progress(id)) !== null);
  const job = service.jobs[4]!;
  const body = { error: { message: 'You have no permission to cancel jobs.' } };
  service.refusals.push({ to: `POST /fine_tuning/jobs/${job.id}/cancel`, answer: { status: 401, body } });
  await handle.executeUpdate('cancel');
  expect(await handle.result()).toMatchObject({ state: 'cancelled' });
  expect((await improvementView(lab.store, id)).notes).toContain(
    `The job ${job.id} was not cancelled with the improvement: cancel it at its service.`,
  );
});

it('an improvement that a ceiling of the whole ended goes on once it is raised, and the same start leaves the new one', async () => {
  const id = `ceiling-${lab.store.id}`;
  const { run } = lab.config(changes);
  const few = { run: { ...run, ceilings: { calls: 20 } } };
  expect(await (await start(id, few)).result()).toMatchObject({ state: 'budget' });
  const raised = await retuneImprovement({ store: lab.store, client: lab.client }, id, { calls: 5_000 });
  expect(raised).toMatchObject({ calls: 5_000 });
  const jobs = service.jobs.length;
  const handle = await start(id, few);
  await service.created(jobs + 1);
  service.finish(service.jobs[jobs]!);
  expect(await handle.result()).toMatchObject({ state: 'finished', policyRound: 1 });
  expect((await lab.store.improvements.get(id)).settings.ceilings).toMatchObject({ calls: 5_000 });
});

/** The same at another service. */
function at(endpoint: string, improve: Partial<NonNullable<CruxConfigInput['improve']>>): Partial<CruxConfigInput> {
  const policy = { ...changes.models!.policy, endpoint } as NonNullable<CruxConfigInput['models']>['policy'];
  return { models: { ...changes.models!, policy }, improve: { ...changes.improve!, ...improve } };
}

const deployment = 'accounts/acme/deployments/one';
const quick = { firstLookSeconds: 0.05, longestLookSeconds: 0.1 };

it('an improvement at Azure waits until its model is deployed under the name that it says, and asks it by that name', async () => {
  const id = `azure-${lab.store.id}`;
  const missing: string[] = [];
  azure.uploaded = 'pending';
  azure.deployments.set('base', 'base');
  azure.whenMissing = (name) => {
    missing.push(name);
    azure.deployments.set(name, azure.jobs[0]!.model!);
  };
  const trainer = fineTuningJobs({ endpoint: 'azure', dialect: 'azure', ...quick });
  const handle = await start(id, at('azure', { trainer, server: deployed({ startSeconds: 60 }) }));
  await until('the rows are there', async () => (await progress(id)) === 'the service reads the rows');
  azure.files[0]!.status = 'processed';
  await azure.created(1);
  const model = azure.finish(azure.jobs[0]!);
  const result = (await handle.result()) as ImproveResult;
  expect(missing).toHaveLength(1);
  expect(missing[0]).toMatch(new RegExp(`^crux-${id.slice(0, 40)}-r1-[0-9a-f]{8}$`));
  expect(result).toMatchObject({ state: 'finished', policy: missing[0], policyRound: 1 });
  const served = resultOf(await lab.store.improvements.phases(id), 1, 'serve');
  expect(served).toMatchObject({ name: missing[0], root: model, canary: { verdict: 'named' } });
});

it('an improvement at Fireworks loads its adapter into the deployment, and asks it there', async () => {
  const id = `fireworks-${lab.store.id}`;
  const trainer = fineTuningJobs({ endpoint: 'account', dialect: 'fireworks', ...quick });
  const server = fireworks({ endpoint: 'account', deployment, startSeconds: 60 });
  const handle = await start(id, at('fireworks', { trainer, server, training: { beta: 0.1 } }));
  await fireworksService.created(1);
  const model = fireworksService.finish(fireworksService.jobs[0]!);
  expect(await handle.result()).toMatchObject({ state: 'finished', policy: model, policyRound: 1 });
  expect([...fireworksService.loaded]).toEqual([[model, deployment]]);
});

it.each<[Partial<CruxConfigInput['improve']>, RegExp]>([
  [{ server: { kind: 'vllm' } } as never, /leaves its model with the service, where the server vllm does not find it/],
  [
    { trainer: fineTuningJobs({ endpoint: 'azure', dialect: 'azure' }) },
    /fineTuningJobs \(azure\) leaves its model with the service, where the server hosted does not answer with it/,
  ],
  [
    {
      trainer: fineTuningJobs({ endpoint: 'service', dialect: 'fireworks' }),
      ...{ training: { beta: 0.1 }, server: fireworks({ endpoint: 'account', deployment }) },
    },
    /endpoints.service.baseUrl does not lead to the jobs of the dialect fireworks/,
  ],
  [
    {
      trainer: fineTuningJobs({ endpoint: 'account', dialect: 'fireworks' }),
      server: fireworks({ endpoint: 'account', deployment }),
    },
    /takes a β below 0.5, not 0.5, which cso has unless you give another/,
  ],
  [
    {
      trainer: fineTuningJobs({ endpoint: 'account', dialect: 'fireworks' }),
      ...{ training: { beta: 0.1 }, server: fireworks({ endpoint: 'nowhere', deployment }) },
    },
    /improve.server.endpoint is "nowhere", which `endpoints` does not have/,
  ],
  [{ training: { lora: null, maxLength: 512 } }, /takes no improve.training.maxLength, improve.training.lora/],
  [{ training: { epochs: 1.5 } }, /takes whole epochs, not 1.5/],
  [
    { trainer: fineTuningJobs({ endpoint: 'nowhere', dialect: 'openai' }) },
    /"nowhere", which `endpoints` does not have/,
  ],
  [
    { trainer: fineTuningJobs({ endpoint: 'service', dialect: 'together', learningRateMultiplier: 2 }) },
    /no learningRateMultiplier/,
  ],
  [{ method: 'eto' }, /takes pairs of single messages; those of eto have several/],
])('what a service cannot do is refused before anything is recorded: %j', async (improve, words) => {
  const config = lab.config({ ...changes, improve: { ...changes.improve!, ...improve } });
  const id = `refused-${lab.store.id}`;
  await expect(prepareImprovement(config, lab.store, { id, environment: 'maze' })).rejects.toThrow(words);
  expect(await lab.store.improvements.find(id)).toBeNull();
});
