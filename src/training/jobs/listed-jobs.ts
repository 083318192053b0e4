/** Jobs of a service that lists its files and its jobs, and gives them ids of its own, as OpenAI does. */
import { openAsBlob } from 'node:fs';
import { z } from 'zod';
import { CruxError } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import type { Estimate, Job, JobFile, JobMetrics, JobName, JobRequest, JobService } from './dialect.ts';
import { sentForm, unreadable } from './exchange.ts';

/** The form of such a service's API. Paths are below the base URL. */
export type ListedApi = {
  /** Jobs are listed and created here; below it each has its own place, with `/cancel`. */
  jobs: string;
  /** Query of the list, for pages as long as the service gives them. */
  page: string;
  files: {
    /** Below it each file has its own place. */
    place: string;
    /** Query of the list. */
    page: string;
    upload: string;
    fields(name: string): { [field: string]: string };
    /** The status of a file by which a job is created; null if it may be created at once. */
    ready: string | null;
  };
  /** Null if the service tells no price. */
  estimate: {
    path: string;
    /** @param request that creates the job */
    request(request: JobRequest): JobRequest;
    read(answer: unknown): Estimate | null;
  } | null;
  /** @returns null if it cannot be read */
  read(answer: unknown): Job | null;
  isMarked(answer: unknown, mark: string): boolean;
  metrics: {
    /** Below the job's own place, with its query. The newest come first, or all at once. */
    path: string;
    /** @returns null if it cannot be read */
    read(answer: unknown): JobMetrics[] | null;
  };
};

const pageSchema = z.object({ data: z.array(z.unknown()), has_more: z.boolean().nullish() });

const fileSchema = z.object({
  id: z.string(),
  filename: z.string().nullish(),
  bytes: z.number().nullish(),
  status: z.string().nullish(),
  status_details: z.unknown().optional(),
});

type ListedFile = z.output<typeof fileSchema>;

/** No job can be created of a file that has come to this. */
const lostFile: ReadonlySet<string> = new Set(['error', 'deleting', 'deleted']);

export class ListedJobs implements JobService {
  readonly #endpoint: Endpoint;
  readonly #api: ListedApi;

  constructor(endpoint: Endpoint, api: ListedApi) {
    this.#endpoint = endpoint;
    this.#api = api;
  }

  async upload(path: string, { hash }: { hash: string }, signal: AbortSignal): Promise<JobFile> {
    const { files } = this.#api;
    const name = `crux-${hash.slice(0, 32)}.jsonl`;
    const blob = await openAsBlob(path);
    for await (const page of this.#pages(files.place + files.page, signal)) {
      const found = page.map((file) => fileSchema.safeParse(file).data).find((file) => isWhole(file, name, blob.size));
      if (found) return this.#fileOf(found);
    }
    const form = new FormData();
    for (const [field, value] of Object.entries(files.fields(name))) form.set(field, value);
    form.set('file', blob, name);
    return this.#fileOf(await sentForm(this.#endpoint, files.upload, form, signal));
  }

  async file(id: string, signal: AbortSignal): Promise<JobFile> {
    return this.#fileOf(await this.#endpoint.get(`${this.#api.files.place}/${encodeURIComponent(id)}`, signal));
  }

  #fileOf(answer: unknown): JobFile {
    const { data: file } = fileSchema.safeParse(answer);
    if (!file) return unreadable(this.#endpoint, 'what it says of a file names none');
    const { id, status, status_details: details } = file;
    const { ready } = this.#api.files;
    if (ready === null) return { id, isReady: true };
    if (lostFile.has(status ?? '')) {
      const words = typeof details === 'string' ? `: ${this.#endpoint.safeText(details)}` : '.';
      throw new CruxError(
        'Train.Failed',
        `The service of the endpoint "${this.#endpoint.name}" does not take the rows (file ${id}, ${status})${words}`,
        { remedy: 'Mend what the service says; the same command then sends them again.' },
      );
    }
    return { id, isReady: status === ready };
  }

  async find({ mark, over }: JobName, signal: AbortSignal): Promise<Job[]> {
    const { jobs, page: query, isMarked } = this.#api;
    const found: Job[] = [];
    for await (const page of this.#pages(jobs + query, signal)) {
      found.push(...page.filter((job) => isMarked(job, mark)).map((job) => this.#read(job)));
    }
    return found.filter(({ id }) => !over.includes(id)).reverse();
  }

  async estimate(request: JobRequest, signal: AbortSignal): Promise<Estimate> {
    const { estimate } = this.#api;
    if (estimate === null) return { microUsd: null, refusal: null };
    const answer = await this.#endpoint.post(estimate.path, estimate.request(request), signal);
    return estimate.read(answer) ?? unreadable(this.#endpoint, 'its estimate of a price cannot be read');
  }

  async create(request: JobRequest, _name: JobName, signal: AbortSignal): Promise<Job> {
    return this.#read(await this.#endpoint.post(this.#api.jobs, request, signal));
  }

  async job(id: string, signal: AbortSignal): Promise<Job> {
    return this.#read(await this.#endpoint.get(this.#placeOf(id), signal));
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#endpoint.post(`${this.#placeOf(id)}/cancel`, {}, signal);
  }

  async metrics(id: string, which: 'newest' | 'all', signal: AbortSignal): Promise<JobMetrics[]> {
    const { metrics } = this.#api;
    const steps = new Map<number, JobMetrics>();
    for await (const answer of this.#answers(this.#placeOf(id) + metrics.path, signal)) {
      const read = metrics.read(answer) ?? unreadable(this.#endpoint, 'what it tells of a job cannot be read');
      for (const own of read) steps.set(own.step, own);
      if (which === 'newest') break;
    }
    return [...steps.values()].toSorted((one, other) => one.step - other.step);
  }

  #placeOf(id: string): string {
    return `${this.#api.jobs}/${encodeURIComponent(id)}`;
  }

  #read(answer: unknown): Job {
    return this.#api.read(answer) ?? unreadable(this.#endpoint, 'what it says of a job cannot be read');
  }

  async *#pages(path: string, signal: AbortSignal): AsyncGenerator<unknown[]> {
    for await (const answer of this.#answers(path, signal)) {
      const { data: page } = pageSchema.safeParse(answer);
      // A list that cannot be read is no empty one: a job would be created again.
      yield page?.data ?? unreadable(this.#endpoint, 'its list cannot be read');
    }
  }

  /** Page after page, as OpenAI's lists have them. Others have one. */
  async *#answers(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    for (let after: string | null = null; ; ) {
      const from: string = after === null ? '' : `${path.includes('?') ? '&' : '?'}after=${encodeURIComponent(after)}`;
      const answer = await this.#endpoint.get(path + from, signal);
      yield answer;
      const { data: page } = pageSchema.safeParse(answer);
      const last = (page?.data.at(-1) as { id?: unknown } | undefined)?.id;
      if (page?.has_more !== true || typeof last !== 'string' || last === after) return;
      after = last;
    }
  }
}

function isWhole(file: ListedFile | undefined, name: string, bytes: number): file is ListedFile {
  if (file?.filename !== name || lostFile.has(file.status ?? '')) return false;
  return file.bytes == null || file.bytes === bytes;
}
