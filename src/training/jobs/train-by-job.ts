/**
 * One step of a training at a service: it sends the rows and creates the job, or looks how far the job is. Between two steps nothing waits here, and any
 * worker takes the next one.
 *
 * No API of these services has a key that makes a creation happen once. So the list is asked before a job is created. That a request was sent is noted
 * before it is sent: an attempt that finds the note and no job asks the list for a while before it sends another request. A job that the list shows
 * only later is still created twice.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../domain/canonical-json.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Loss, TrainedModel, TrainingMetrics, TrainingSettings } from '../../domain/improve/contract.ts';
import {
  type HostedJob,
  type JobFigures,
  jobMark,
  mayGoOn,
  nextLookMs,
  unsentJob,
} from '../../domain/improve/hosted-job.ts';
import type { TrainingFigures } from '../../domain/improve/rounds.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { isUnknownThere } from '../../models/endpoint-fault.ts';
import { pause } from '../../models/limits/pauses.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';
import { thinned } from '../curve.ts';
import { patiently } from '../patience.ts';
import type { FineTuningJobsOptions } from '../trainers/fine-tuning-jobs.ts';
import type { Job, JobDialect, JobFile, JobName, JobOrder, JobRequest, JobService } from './dialect.ts';
import { jobDialects } from './dialects.ts';

export type JobContext = {
  store: Pick<Store, 'id' | 'improvements'>;
  endpoint: Endpoint;
  log: Log;
};

export type JobTraining = {
  /** Of the round: it holds the rows. */
  folder: string;
  settings: TrainingSettings;
  /** Whether the base was made by an earlier job. */
  continues: boolean;
  options: FineTuningJobsOptions;
  /** When the phase began. */
  startedAt: number;
  /** What the job may cost; null for any sum. */
  mostMicroUsd: number | null;
};

export type TrainedByJob = TrainedModel & TrainingFigures & { job: JobFigures; curve: TrainingMetrics[] };

/** How often the list is asked while a job is looked for. */
const searches = 12;
/** A cancellation is tried for this long. */
const cancelPatienceMs = 60_000;

/**
 * @param looks at the job so far, since the workflow has waited for it
 * @returns the model, or after which time to come again
 * @throws CruxError `Train.Failed`, `Train.NoModel`, `Train.RowsDropped` if the job ended so, with the service's words; `Run.Budget`; `Run.Waiting`
 * if another attempt is at work; `Model.*`; the signal's reason
 */
export async function trainByJob(
  context: JobContext,
  training: JobTraining,
  looks: number,
  signal: AbortSignal,
): Promise<{ againMs: number } | { trained: TrainedByJob }> {
  const { run: id, round } = training.settings;
  const known = new KnownJob(context.store, id, round, await context.store.improvements.job(id, round));
  const step = new Step(context, training, known, signal);
  const trained = known.job?.id == null ? await step.submit() : await step.look(known.job.id);
  if (trained !== null) return { trained };
  const { firstLookSeconds, longestLookSeconds } = training.options;
  return { againMs: nextLookMs(looks, 1000 * firstLookSeconds, 1000 * longestLookSeconds) };
}

/**
 * Cancels the job of a training, if there is one that is not over, and notes it. One whose creation was sent, and that is not found, stays noted as one
 * that may go on.
 * @throws CruxError `Model.*` if the service does not do it; the signal's reason
 */
export async function cancelJob(
  { store, endpoint, log }: JobContext,
  { id, round, loss, options }: { id: string; round: number; loss: Loss; options: FineTuningJobsOptions },
  signal: AbortSignal,
): Promise<void> {
  const job = await store.improvements.job(id, round);
  if (job === null || !mayGoOn(job)) return;
  const service = jobDialects[options.dialect].service(endpoint, loss);
  const until = performance.now() + cancelPatienceMs;
  const found = await patiently(cancelPatienceMs, signal, async () => {
    const searchMs = Math.max(0, Math.min(until - performance.now(), searchMsOf(options)));
    const own = job.id === null ? await sought(service, job, searchMs, signal) : [await service.job(job.id, signal)];
    for (const { id: open } of own.filter(({ end }) => end === null)) await service.cancel(open, signal);
    return own;
  });
  if (found.length > 0) await new KnownJob(store, id, round, job).change({ isCancelled: true });
  else log('warn', 'the job to be cancelled is not in the list of its service', { mark: job.mark });
}

/** How long a job is looked for whose creation was sent. */
function searchMsOf({ dialect, searchSeconds }: FineTuningJobsOptions): number {
  return jobDialects[dialect].takesIds ? 0 : 1000 * searchSeconds;
}

/** Jobs of a name, as soon as the service lists one. @returns none if it lists none in all that time */
async function sought(service: JobService, name: JobName, searchMs: number, signal: AbortSignal): Promise<Job[]> {
  const until = performance.now() + searchMs;
  for (;;) {
    const found = await service.find(name, signal);
    const left = until - performance.now();
    if (found.length > 0 || left <= 0) return found;
    await pause(Math.min(searchMs / searches, left), signal);
  }
}

/** What the store knows of the job. Each change is of what was read: of two attempts at once, one gives way. */
class KnownJob {
  readonly #store: JobContext['store'];
  readonly #id: string;
  readonly #round: number;
  job: HostedJob | null;

  constructor(store: JobContext['store'], id: string, round: number, job: HostedJob | null) {
    this.#store = store;
    this.#id = id;
    this.#round = round;
    this.job = job;
  }

  change(to: Partial<HostedJob>): Promise<void> {
    return this.begin({ ...this.job!, ...to });
  }

  async begin(changed: HostedJob): Promise<void> {
    if (!(await this.#store.improvements.changeJob(this.#id, this.#round, this.job, changed))) {
      const words = `Another attempt is at work on the training of round ${this.#round}.`;
      throw new CruxError('Run.Waiting', words, { retryAfterMs: 1_000 });
    }
    this.job = changed;
  }
}

class Step {
  readonly #context: JobContext;
  readonly #training: JobTraining;
  readonly #known: KnownJob;
  readonly #signal: AbortSignal;
  readonly #dialect: JobDialect;
  readonly #service: JobService;

  constructor(context: JobContext, training: JobTraining, known: KnownJob, signal: AbortSignal) {
    this.#context = context;
    this.#training = training;
    this.#known = known;
    this.#signal = signal;
    this.#dialect = jobDialects[training.options.dialect];
    this.#service = this.#dialect.service(context.endpoint, training.settings.loss);
  }

  /** Finds the job, or creates it. */
  async submit(): Promise<null> {
    const { folder, settings, continues, options } = this.#training;
    const path = join(folder, settings.data.file);
    const content = await hashFile(path);
    if (this.#known.job === null) await this.#known.begin(unsentJob(this.#markOf(content)));
    const found = await this.#sought();
    if (found !== null) {
      await this.#known.change({ id: found.id, status: found.status });
      return null;
    }
    const file = await this.#rows(path, content);
    if (file === null) return null;
    const { mark } = this.#known.job!;
    const { learningRateMultiplier } = options;
    const order: JobOrder = { settings, continues, file, mark, learningRateMultiplier };
    const request = this.#dialect.request(order);
    await this.#checkPrice(request);
    await this.#known.change({ sent: randomUUID() });
    const { id, status } = await this.#create(request);
    await this.#known.change({ id, status });
    return null;
  }

  /** The service's id of the rows, once it takes a job for them; null while it reads them. */
  async #rows(path: string, hash: string): Promise<string | null> {
    const known = this.#known.job!.file ?? null;
    const { rows } = this.#training.settings.data;
    const file =
      known === null ? await this.#service.upload(path, { hash, rows }, this.#signal) : await this.#read(known);
    if (file.isReady) return file.id;
    if (file.id !== known) await this.#known.change({ file: file.id });
    return null;
  }

  async #read(file: string): Promise<JobFile> {
    try {
      return await this.#service.file(file, this.#signal);
    } catch (error) {
      // What was refused, or is gone, is sent again by the same command.
      if (error instanceof CruxError && (error.kind === 'Train.Failed' || isUnknownThere(error)))
        await this.#known.change({ file: null });
      throw error;
    }
  }

  /** All that makes the training is in it: the job of another one is never taken for this one's. */
  #markOf(content: string): string {
    const { settings, options } = this.#training;
    const { run, round, loss, base, seed, hyperparameters } = settings;
    const made = { store: this.#context.store.id, run, round, content, loss, base: base.from, seed, hyperparameters };
    const { learningRateMultiplier } = options;
    const hash = createHash('sha256').update(canonicalJson({ ...made, learningRateMultiplier } as unknown as Json));
    return jobMark(run, round, hash.digest('hex'));
  }

  /** The job that the service lists. If a request was sent before, it may be listed only after a while. */
  async #sought(): Promise<Job | null> {
    const { mark, sent, over } = this.#known.job!;
    const searchMs = sent === null ? 0 : searchMsOf(this.#training.options);
    const found = await sought(this.#service, { mark, over }, searchMs, this.#signal);
    if (found.length > 1) {
      const jobs = found.map(({ id }) => id).join(', ');
      this.#context.log('warn', 'the service has several jobs of one training; the oldest is taken', { mark, jobs });
    }
    return found[0] ?? null;
  }

  /** @throws CruxError `Run.Budget`, `Model.Account` */
  async #checkPrice(request: JobRequest): Promise<void> {
    const { microUsd, refusal } = await this.#service.estimate(request, this.#signal);
    const { mostMicroUsd } = this.#training;
    const { endpoint } = this.#context;
    if (microUsd !== this.#known.job!.estimateMicroUsd) await this.#known.change({ estimateMicroUsd: microUsd });
    if (refusal !== null) {
      throw new CruxError('Model.Account', `The endpoint "${endpoint.name}" does not begin the training: ${refusal}.`, {
        remedy: 'Pay in at the service, or train on fewer rows or epochs.',
      });
    }
    if (mostMicroUsd !== null && microUsd !== null && microUsd > mostMicroUsd) {
      const [price, left] = [microUsd, mostMicroUsd].map((sum) => `$${(sum / 1e6).toFixed(2)}`);
      throw new CruxError(
        'Run.Budget',
        `The training would cost ${price}; ${left} are left of the improvement's ceiling.`,
        {
          remedy: `Raise it: crux budget ${this.#training.settings.run} --max-cost …; the same command then goes on.`,
        },
      );
    }
  }

  async #create(request: JobRequest): Promise<Job> {
    try {
      return await this.#service.create(request, this.#known.job!, this.#signal);
    } catch (error) {
      // A refusal is an answer: there is no job. After anything else there may be one.
      if (error instanceof CruxError && !maybeDone.has(error.kind)) await this.#known.change({ sent: null });
      throw error;
    }
  }

  async look(id: string): Promise<TrainedByJob | null> {
    const job = await this.#jobOf(id);
    switch (job.end) {
      case null:
        await this.#noteProgress(job);
        return null;
      case 'succeeded':
        return this.#trained(job);
      default:
        throw await this.#ended(job, this.#faultOf(job, job.end));
    }
  }

  async #jobOf(id: string): Promise<Job> {
    try {
      return await this.#service.job(id, this.#signal);
    } catch (error) {
      if (!isUnknownThere(error)) throw error;
      // The list may know it all the same. Until it was asked, none is created.
      await this.#known.change({ id: null });
      throw new CruxError('Train.Failed', `The service does not tell how the job ${id} stands: ${errorText(error)}`, {
        remedy: 'The same command looks for it in the list of jobs, and creates another one if it is not there.',
        cause: error,
      });
    }
  }

  async #noteProgress(job: Job): Promise<void> {
    // A word that the dialect does not know may be an end: nobody else would say it.
    if (job.status !== this.#known.job!.status)
      this.#context.log('info', 'the service says how its job stands', { job: job.id, status: job.status });
    const newest = (await this.#metrics(job, 'newest')).at(-1);
    const progress = newest && {
      ...{ step: newest.step, total: newest.total, reached: newest.step },
      loss: newest.loss ?? null,
    };
    await this.#known.change({ status: job.status, ...(progress && { progress }) });
  }

  async #trained(job: Job): Promise<TrainedByJob> {
    const { data } = this.#training.settings;
    const { endpoint } = this.#context;
    if (job.rows !== null && job.rows !== data.rows) {
      const what = `The job ${job.id} trained on ${job.rows} rows, not on the ${data.rows} that it was given.`;
      const remedy = "Leave out the rows that the service does not take; its account of the job's file says which.";
      throw await this.#ended(job, new CruxError('Train.RowsDropped', what, { remedy }));
    }
    if (job.model === null) {
      const what = `The job ${job.id} of the endpoint "${endpoint.name}" ended as ${job.status} without the name of a model.`;
      throw await this.#ended(job, new CruxError('Train.NoModel', what, { remedy: 'Look at the job in the service.' }));
    }
    const curve = await this.#metrics(job, 'all');
    return {
      root: job.model,
      hash: createHash('sha256').update(job.model).digest('hex'),
      steps: curve.at(-1)?.step ?? this.#steps(job),
      seconds: job.seconds ?? (Date.now() - this.#training.startedAt) / 1000,
      resumed: 0,
      job: { id: job.id, costMicroUsd: this.#costOf(job) },
      curve: thinned(curve),
    };
  }

  #costOf({ costMicroUsd, trainedTokens }: Job): number | null {
    const { price } = this.#training.options;
    return costMicroUsd ?? (price === null || trainedTokens === null ? null : price * trainedTokens);
  }

  /** How far a job is may be unknown, and the job is not worse for it. */
  async #metrics(job: Job, which: 'newest' | 'all'): Promise<TrainingMetrics[]> {
    try {
      const metrics = await this.#service.metrics(job.id, which, this.#signal);
      return metrics.map((line) => ({ ...line, total: Math.max(line.step, line.total ?? this.#steps(job)) }));
    } catch (error) {
      if (!(error instanceof CruxError)) throw error;
      this.#context.log('warn', 'the service does not tell how far its job is', {
        job: job.id,
        error: errorText(error),
      });
      return [];
    }
  }

  /** Optimizer steps in all, as the service says, or else as its rows and batches make. */
  #steps({ steps }: Job): number {
    const { data, hyperparameters } = this.#training.settings;
    return steps ?? Math.ceil(data.rows / hyperparameters.batchSize) * hyperparameters.epochs;
  }

  #faultOf({ id, words, status }: Job, end: 'failed' | 'cancelled'): CruxError {
    const { endpoint } = this.#context;
    const told = words === null ? 'The service gives no reason.' : `The service says: ${endpoint.safeText(words)}`;
    const what = end === 'failed' ? `failed (${status})` : 'was cancelled, and not by this improvement';
    return new CruxError('Train.Failed', `The job ${id} of the endpoint "${endpoint.name}" ${what}. ${told}`, {
      remedy: 'Mend what the service says; the same command then creates another job.',
    });
  }

  /** Its fault is reported now. The same command creates another job, and does not find this one again. */
  async #ended(job: Job, fault: CruxError): Promise<CruxError> {
    const { over } = this.#known.job!;
    const begun = { sent: null, file: null, id: null, progress: null };
    await this.#known.change({ ...begun, status: job.status, over: [...over, job.id] });
    return fault;
  }
}

const maybeDone: ReadonlySet<string> = new Set(['Model.Transport', 'Model.Unavailable', 'Model.Setup']);

/** SHA-256 of a file's content, in hexadecimal. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
