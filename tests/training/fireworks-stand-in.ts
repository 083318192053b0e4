/** A stand-in for Fireworks: data sets and jobs with ids of the client's choice, figures in a file elsewhere, and adapters that are loaded into a deployment. */
import type { IncomingMessage } from 'node:http';
import { type Answer, formOf, JobsStandIn, jobKey, type Stored } from './jobs-stand-in.ts';

const account = 'accounts/acme';

export class FireworksStandIn extends JobsStandIn {
  protected override readonly root = `/v1/${account}`;
  /** Adapters and the deployments that have them. */
  readonly loaded = new Map<string, string>();
  override uploaded = 'READY';

  /** Where models are asked. */
  get inferenceUrl(): string {
    return `${this.origin}/inference/v1`;
  }

  override run(job: Stored, steps: number): void {
    super.run(job, steps);
    job.status = 'JOB_STATE_RUNNING';
  }

  override finish(job: Stored): string {
    job.status = 'JOB_STATE_COMPLETED';
    job.model = `${account}/models/${job.id}`;
    return job.model;
  }

  override fail(job: Stored, words: string): void {
    job.status = 'JOB_STATE_FAILED';
    job.error = words;
  }

  override cancel(job: Stored): void {
    job.status = 'JOB_STATE_CANCELLED';
  }

  protected override keyIn(headers: IncomingMessage['headers']): string | undefined {
    // An address that is signed needs no key, and must not be given one.
    return headers.authorization === undefined ? jobKey : super.keyIn(headers);
  }

  protected override weightsOf(name: string): string | null {
    return this.loaded.has(name) ? name : null;
  }

  protected override notThere(): object {
    return { code: 'NOT_FOUND', message: 'Model not found, inaccessible, and/or not deployed' };
  }

  protected override async route(
    line: string,
    query: URLSearchParams,
    body: Buffer,
    headers: IncomingMessage['headers'],
  ): Promise<Answer | 'cut' | 'held'> {
    const signed = this.jobs.find(({ id }) => line === `GET /bucket/${id}/metrics.jsonl`);
    if (signed) return this.#figures(signed, query, headers);
    if (headers.authorization === undefined) return refusal(401, 'UNAUTHENTICATED', 'No key.');
    if (line === 'POST /inference/v1/chat/completions') return this.chat(JSON.parse(body.toString()), headers);
    if (line === 'POST /deployedModels') return this.#load(JSON.parse(body.toString()));
    if (line === 'POST /datasets') return this.#createDataset(JSON.parse(body.toString()));
    const [, datasetId, upload] = /^\w+ \/datasets\/([\w-]+)(:upload)?$/.exec(line) ?? [];
    const dataset = this.files.find(({ id }) => id === datasetId);
    if (datasetId !== undefined && !dataset) return refusal(404, 'NOT_FOUND', 'dataset not found');
    if (dataset && upload) {
      dataset.content = await ((await formOf(body, headers)).get('file') as File).text();
      dataset.status = this.uploaded;
      return { status: 200, body: {} };
    }
    if (dataset) return { status: 200, body: datasetOf(dataset) };
    const [, kind, id, action] =
      /^\w+ \/(dpoJobs|supervisedFineTuningJobs)(?:\/([\w-]+)(?::(\w+))?)?$/.exec(line) ?? [];
    if (kind !== undefined && id === undefined) return this.#createJob(kind, query, JSON.parse(body.toString()));
    const job = this.jobs.find((own) => own.id === id && kindOf(own) === kind);
    if (!job) return refusal(404, 'NOT_FOUND', `job ${id} not found`);
    if (action === 'cancel') this.cancel(job);
    if (action === 'getMetricsFileEndpoint') return { status: 200, body: { signedUrl: this.#signedUrl(job) } };
    return { status: 200, body: this.told(job) };
  }

  #createDataset({ datasetId, dataset }: { datasetId: string; dataset: { exampleCount: string } }): Answer {
    if (this.files.some(({ id }) => id === datasetId)) return refusal(409, 'ALREADY_EXISTS', 'dataset already exists');
    const created = {
      id: datasetId,
      filename: '',
      bytes: Number(dataset.exampleCount),
      content: '',
      status: 'UPLOADING',
    };
    this.files.push(created);
    return { status: 200, body: datasetOf(created) };
  }

  #createJob(kind: string, query: URLSearchParams, body: { [member: string]: unknown }): Answer | 'cut' | 'held' {
    const id = query.get(kind === 'dpoJobs' ? 'dpoJobId' : 'supervisedFineTuningJobId')!;
    if (this.jobs.some((own) => own.id === id)) return refusal(409, 'ALREADY_EXISTS', 'job already exists');
    const file = String(body.dataset).slice(`${account}/datasets/`.length);
    return this.added({ id, body, file, mark: id, status: 'JOB_STATE_CREATING' });
  }

  #load({ model, deployment }: { model: string; deployment: string }): Answer {
    if (!this.jobs.some((own) => own.model === model)) return refusal(404, 'NOT_FOUND', `model ${model} not found`);
    if (this.loaded.has(model)) return refusal(409, 'ALREADY_EXISTS', 'already deployed');
    this.loaded.set(model, deployment);
    return { status: 200, body: { name: `${account}/deployedModels/x`, model, deployment, state: 'DEPLOYING' } };
  }

  #signedUrl(job: Stored): string {
    return `${this.origin}/bucket/${job.id}/metrics.jsonl?signature=abc`;
  }

  #figures({ events }: Stored, query: URLSearchParams, headers: IncomingMessage['headers']): Answer {
    if (query.get('signature') !== 'abc' || headers.authorization !== undefined) return { status: 403, body: '' };
    const lines = events.map(({ step, loss }) => JSON.stringify({ step, 'train/step': step, 'train/loss': loss }));
    return { status: 200, body: null, text: lines.join('\n') };
  }

  protected override told(job: Stored): { id: string; [member: string]: unknown } {
    const { id, body, status, error, model } = job;
    const isOver = !/CREATING|RUNNING/.test(status);
    const kind = kindOf(job);
    return {
      ...{ ...body, id },
      ...{ name: `${account}/${kind}/${id}`, state: status, createTime: '2026-01-01T00:00:00Z' },
      ...{ status: { code: error === null ? 'OK' : 'INVALID_ARGUMENT', message: error ?? '' } },
      completedTime: isOver ? '2026-01-01T00:10:00Z' : null,
      ...(kind === 'dpoJobs'
        ? { trainingConfig: { ...(body.trainingConfig as object), outputModel: model ?? '' } }
        : {
            ...{ outputModel: model ?? '', metricsFileSignedUrl: this.#signedUrl(job) },
            estimatedCost: { currencyCode: 'USD', units: '2', nanos: 500_000_000 },
          }),
    };
  }
}

function kindOf({ body }: Stored): string {
  return 'trainingConfig' in body ? 'dpoJobs' : 'supervisedFineTuningJobs';
}

function datasetOf({ id, bytes, status }: { id: string; bytes: number; status: string }) {
  return {
    name: `${account}/datasets/${id}`,
    state: status,
    exampleCount: String(bytes),
    status: { code: 'OK', message: '' },
  };
}

function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message, status: code } } };
}
