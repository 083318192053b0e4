/** A service of fine-tuning jobs: its files and jobs, over the endpoint's own client and key. */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { z } from 'zod';
import type { Json } from '../../domain/canonical-json.ts';
import { CruxError } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import type { Estimate, Job, JobDialect, JobMetrics } from './dialect.ts';

type Request = { [member: string]: Json };

const pageSchema = z.object({ data: z.array(z.unknown()), has_more: z.boolean().nullish() });

const fileSchema = z.object({
  id: z.string(),
  filename: z.string().nullish(),
  bytes: z.number().nullish(),
  status: z.string().nullish(),
});

/** Rows may be hundreds of megabytes. */
const longestUploadMs = 1_800_000;

/** Its methods throw CruxError `Model.*` if a request gets no answer that can be read, and the signal's reason. */
export class JobService {
  readonly #endpoint: Endpoint;
  readonly #dialect: JobDialect;

  constructor(endpoint: Endpoint, dialect: JobDialect) {
    this.#endpoint = endpoint;
    this.#dialect = dialect;
  }

  /**
   * Has a file there. It is named by its content, so that one which is there already is not sent again.
   * @returns the service's id of it
   */
  async upload(path: string, hash: string, signal: AbortSignal): Promise<string> {
    const { files } = this.#dialect;
    const name = `crux-${hash.slice(0, 32)}.jsonl`;
    const blob = await openAsBlob(path);
    for await (const page of this.#pages(files.list, signal)) {
      const found = page.map((file) => fileSchema.safeParse(file).data).find((file) => isWhole(file, name, blob.size));
      if (found) return found.id;
    }
    const form = new FormData();
    for (const [field, value] of Object.entries(files.fields(name))) form.set(field, value);
    form.set('file', blob, name);
    const patient = this.#endpoint.within(Math.max(this.#endpoint.config.timeoutMs, longestUploadMs));
    const { data: file } = fileSchema.safeParse(await patient.upload(files.upload, form, signal));
    return file?.id ?? this.#unreadable('its answer to an upload names no file');
  }

  /** Jobs with a mark, the oldest first. @param over that are left out */
  async find(mark: string, over: readonly string[], signal: AbortSignal): Promise<Job[]> {
    const { jobs, page: query, isMarked } = this.#dialect;
    const found: Job[] = [];
    for await (const page of this.#pages(jobs + query, signal)) {
      found.push(...page.filter((job) => isMarked(job, mark)).map((job) => this.#read(job)));
    }
    return found.filter(({ id }) => !over.includes(id)).reverse();
  }

  async estimate(request: Request, signal: AbortSignal): Promise<Estimate> {
    const { estimate } = this.#dialect;
    if (estimate === null) return { microUsd: null, refusal: null };
    const answer = await this.#endpoint.post(estimate.path, estimate.request(request), signal);
    return estimate.read(answer) ?? this.#unreadable('its estimate of a price cannot be read');
  }

  async create(request: Request, signal: AbortSignal): Promise<Job> {
    return this.#read(await this.#endpoint.post(this.#dialect.jobs, request, signal));
  }

  async job(id: string, signal: AbortSignal): Promise<Job> {
    return this.#read(await this.#endpoint.get(this.#placeOf(id), signal));
  }

  async cancel(id: string, signal: AbortSignal): Promise<void> {
    await this.#endpoint.post(`${this.#placeOf(id)}/cancel`, {}, signal);
  }

  /** What the service tells of its optimizer steps, the first step first. @param which the newest page, or all */
  async metrics(id: string, which: 'newest' | 'all', signal: AbortSignal): Promise<JobMetrics[]> {
    const { metrics } = this.#dialect;
    const steps = new Map<number, JobMetrics>();
    for await (const answer of this.#answers(this.#placeOf(id) + metrics.path, signal)) {
      const read = metrics.read(answer) ?? this.#unreadable('what it tells of a job cannot be read');
      for (const own of read) steps.set(own.step, own);
      if (which === 'newest') break;
    }
    return [...steps.values()].toSorted((one, other) => one.step - other.step);
  }

  #placeOf(id: string): string {
    return `${this.#dialect.jobs}/${encodeURIComponent(id)}`;
  }

  #read(answer: unknown): Job {
    return this.#dialect.read(answer) ?? this.#unreadable('what it says of a job cannot be read');
  }

  async *#pages(path: string, signal: AbortSignal): AsyncGenerator<unknown[]> {
    for await (const answer of this.#answers(path, signal)) {
      const { data: page } = pageSchema.safeParse(answer);
      // A list that cannot be read is no empty one: a job would be created again.
      yield page?.data ?? this.#unreadable('its list cannot be read');
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

  #unreadable(what: string): never {
    throw new CruxError(
      'Model.Setup',
      `The endpoint "${this.#endpoint.name}" answers otherwise than expected: ${what}.`,
      {
        remedy: 'Check its baseUrl, and the `dialect` of the trainer.',
      },
    );
  }
}

function isWhole(file: z.output<typeof fileSchema> | undefined, name: string, bytes: number): boolean {
  if (file?.filename !== name || file.status === 'error' || file.status === 'deleted') return false;
  return file.bytes == null || file.bytes === bytes;
}

/** SHA-256 of a file's content, in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}
