/**
 * Jobs of Fireworks, below `https://api.fireworks.ai/v1/accounts/<account>`. We choose the ids of its data sets and jobs, so nothing is made twice. It
 * trains adapters; one answers once it is loaded into a deployment (see the server `fireworks`).
 * Sources: https://docs.fireworks.ai/fine-tuning/fine-tuning-via-api, …/fine-tuning/dpo-fine-tuning, …/fine-tuning/fine-tuning-models,
 * …/api-reference/{create,get}-dpo-job, …/api-reference/{create,get}-supervised-fine-tuning-job, …/api-reference/{create,get}-dataset;
 * fw-ai-external/python-sdk: src/fireworks/types/{dpo_job,supervised_fine_tuning_job,dpo_job_get_metrics_file_endpoint_response}.py,
 * src/fireworks/types/shared/training_config.py, src/fireworks/types/shared_params/{dpo_config,reinforcement_learning_loss_config}.py.
 */
import { openAsBlob } from 'node:fs';
import { z } from 'zod';
import type { Loss } from '../../domain/improve/contract.ts';
import { CruxError } from '../../errors.ts';
import { readJsonBody } from '../../models/answers/json-body.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { isUnknownThere } from '../../models/endpoint-fault.ts';
import type {
  Estimate,
  Job,
  JobDialect,
  JobFile,
  JobMetrics,
  JobName,
  JobOrder,
  JobRequest,
  JobService,
} from './dialect.ts';
import { ofTraining, sentForm, unreadable } from './exchange.ts';

/** Where jobs are, and the name of the query that gives one its id. */
const places = {
  dpo: { jobs: '/dpoJobs', id: 'dpoJobId' },
  sft: { jobs: '/supervisedFineTuningJobs', id: 'supervisedFineTuningJobId' },
} as const satisfies { [loss in Loss]: { jobs: string; id: string } };

/** Above it `:upload` takes no file. */
const mostBytes = 150_000_000;

const ofAll = ['learningRate', 'epochs', 'batchSize', 'warmup'] as const;

export const fireworks: JobDialect = {
  takes: { dpo: [...ofAll, 'beta'], sft: ofAll },
  hasMultiplier: false,
  leastBatch: 1,
  trainsAdapters: true,
  betaBelow: 0.5,
  address: { form: /\/v1\/accounts\/[^/]+\/*$/, example: 'https://api.fireworks.ai/v1/accounts/<account>' },
  takesIds: true,
  servedBy: ['fireworks'],
  service: (endpoint, loss) => new FireworksJobs(endpoint, loss),

  request(order) {
    const { loss, hyperparameters } = order.settings;
    const dataset = { dataset: order.file };
    // Without a method a preference job is no DPO. Without `evalAutoCarveout: false` some rows are kept for an evaluation, and not trained on.
    return loss === 'dpo'
      ? {
          ...dataset,
          trainingConfig: trainingOf(order),
          lossConfig: { method: 'DPO', dpo: { beta: hyperparameters.beta } },
        }
      : { ...dataset, ...trainingOf(order), evalAutoCarveout: false };
  },
};

function trainingOf({ settings, continues }: JobOrder): JobRequest {
  const { base, data } = settings;
  const { learningRate, epochs, batchSize, warmup } = settings.hyperparameters;
  const steps = Math.ceil(data.rows / batchSize) * epochs;
  return {
    ...(continues ? { warmStartFrom: base.from } : { baseModel: base.from }),
    learningRate,
    epochs,
    batchSizeSamples: batchSize,
    learningRateWarmupSteps: Math.round(warmup * steps),
  };
}

const statusSchema = z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish();

const jobSchema = z.object({
  name: z.string(),
  state: z.string(),
  status: statusSchema,
  createTime: z.string().nullish(),
  completedTime: z.string().nullish(),
  outputModel: z.string().nullish(),
  trainingConfig: z.object({ outputModel: z.string().nullish() }).nullish(),
  estimatedCost: z
    .object({ currencyCode: z.string().nullish(), units: z.string().nullish(), nanos: z.number().nullish() })
    .nullish(),
  metricsFileSignedUrl: z.string().nullish(),
});

const ends: { [state: string]: Job['end'] } = {
  JOB_STATE_COMPLETED: 'succeeded',
  JOB_STATE_EARLY_STOPPED: 'succeeded',
  JOB_STATE_FAILED: 'failed',
  JOB_STATE_EXPIRED: 'failed',
  JOB_STATE_CANCELLED: 'cancelled',
  JOB_STATE_DELETING: 'cancelled',
  JOB_STATE_DELETING_CLEANING_UP: 'cancelled',
  JOB_STATE_DELETED: 'cancelled',
};

const datasetSchema = z.object({ name: z.string(), state: z.string().nullish(), status: statusSchema });

class FireworksJobs implements JobService {
  readonly #endpoint: Endpoint;
  readonly #loss: Loss;

  constructor(endpoint: Endpoint, loss: Loss) {
    this.#endpoint = endpoint;
    this.#loss = loss;
  }

  async upload(path: string, { hash, rows }: { hash: string; rows: number }, signal: AbortSignal): Promise<JobFile> {
    const blob = await openAsBlob(path);
    if (blob.size > mostBytes) {
      throw new CruxError('User.Config', `Fireworks takes up to 150 MB of rows in one file, and ${path} has more.`, {
        remedy: 'Train on fewer rows: lower improve.collect.limit.',
      });
    }
    const id = `crux-${hash.slice(0, 32)}`;
    const known = await this.#unlessUnknown(() => this.file(id, signal));
    if (known?.isReady) return known;
    if (known === null) {
      const dataset = { userUploaded: {}, exampleCount: String(rows) };
      await this.#endpoint.post('/datasets', { datasetId: id, dataset }, signal);
    }
    const form = new FormData();
    form.set('file', blob, `${id}.jsonl`);
    await sentForm(this.#endpoint, `/datasets/${id}:upload`, form, signal);
    return this.file(id, signal);
  }

  async file(id: string, signal: AbortSignal): Promise<JobFile> {
    const { data } = datasetSchema.safeParse(await this.#endpoint.get(`/datasets/${lastPart(id)}`, signal));
    if (!data) return unreadable(this.#endpoint, 'what it says of a data set names none');
    const { name, state, status } = data;
    if ((status?.code ?? 'OK') !== 'OK') {
      const words = this.#endpoint.safeText(status?.message ?? status!.code!);
      throw new CruxError('Train.Failed', `Fireworks does not take the rows (${name}): ${words}`, {
        remedy:
          'Mend what the service says, and delete the data set there; the same command then sends the rows again.',
      });
    }
    return { id: name, isReady: state === 'READY' };
  }

  async find({ mark, over }: JobName, signal: AbortSignal): Promise<Job[]> {
    const job = await this.#unlessUnknown(() => this.job(idOf(mark, over), signal));
    return job === null ? [] : [job];
  }

  async estimate(): Promise<Estimate> {
    return { microUsd: null, refusal: null };
  }

  async create(request: JobRequest, { mark, over }: JobName, signal: AbortSignal): Promise<Job> {
    const { jobs, id } = places[this.#loss];
    return this.#read(await this.#endpoint.post(`${jobs}?${id}=${idOf(mark, over)}`, request, signal));
  }

  async job(id: string, signal: AbortSignal): Promise<Job> {
    return this.#read(await this.#endpoint.get(this.#placeOf(id), signal));
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#endpoint.post(`${this.#placeOf(id)}:cancel`, {}, signal);
  }

  async metrics(id: string, _which: 'newest' | 'all', signal: AbortSignal): Promise<JobMetrics[]> {
    const address = await this.#metricsAddress(id, signal);
    if (address === null) return [];
    const lines = (await this.#endpoint.download(address, signal)).split('\n');
    return lines.flatMap((line) => metricsOf(line) ?? []).toSorted((one, other) => one.step - other.step);
  }

  /** Null while there is no such file. */
  async #metricsAddress(id: string, signal: AbortSignal): Promise<string | null> {
    if (this.#loss === 'sft')
      return this.#tell(await this.#endpoint.get(this.#placeOf(id), signal)).metricsFileSignedUrl ?? null;
    const answer = await this.#unlessUnknown(() =>
      this.#endpoint.get(`${this.#placeOf(id)}:getMetricsFileEndpoint`, signal),
    );
    const { data } = z.object({ signedUrl: z.string().nullish() }).nullable().safeParse(answer);
    return data?.signedUrl || null;
  }

  #placeOf(id: string): string {
    return `${places[this.#loss].jobs}/${encodeURIComponent(id)}`;
  }

  #tell(answer: unknown): z.output<typeof jobSchema> {
    return jobSchema.safeParse(answer).data ?? unreadable(this.#endpoint, 'what it says of a job cannot be read');
  }

  #read(answer: unknown): Job {
    const { name, state, status, createTime, completedTime, estimatedCost, ...told } = this.#tell(answer);
    const end = ends[state] ?? null;
    const ms = Date.parse(completedTime ?? '') - Date.parse(createTime ?? '');
    const [account] = name.split(/\/(?:dpoJobs|supervisedFineTuningJobs)\//);
    const model = lastPart(told.trainingConfig?.outputModel || told.outputModel || name);
    const isPriced = end !== null && estimatedCost?.currencyCode === 'USD';
    return {
      id: lastPart(name),
      status: state,
      end,
      model: end === 'succeeded' ? `${account}/models/${model}` : null,
      words: status?.message || null,
      seconds: end === null || Number.isNaN(ms) ? null : ms / 1000,
      trainedTokens: null,
      costMicroUsd: isPriced ? 1e6 * Number(estimatedCost.units ?? 0) + (estimatedCost.nanos ?? 0) / 1000 : null,
      rows: null,
      steps: null,
    };
  }

  async #unlessUnknown<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (isUnknownThere(error)) return null;
      throw error;
    }
  }
}

/** An id that was given to a job is taken, however that job ended. */
function idOf(mark: string, over: readonly string[]): string {
  return over.length === 0 ? mark : `${mark}-${over.length + 1}`;
}

/** Of a resource's name, such as `accounts/<account>/datasets/<id>`. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** A line has its figures beside its `step`, or in `data`. @returns null for a line that has none */
function metricsOf(line: string): JobMetrics | null {
  const told = readJsonBody(line) as { step?: unknown; data?: object } | null | undefined;
  if (typeof told?.step !== 'number') return null;
  const { step: _, ...figures } = ofTraining({ ...told, ...told.data });
  return { ...figures, step: told.step };
}
