/**
 * A stand-in for services of fine-tuning jobs, over real HTTP: files, jobs with their events, and chat completions by the models that they made. It
 * answers as the documentation of OpenAI's and of Together's API says (sources: src/training/jobs/), and can be told to do what real services do to
 * their clients. Those of Azure and Fireworks are built on it. Its policies are simulated ones: a job makes the base better by 0.2.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const jobKey = 'key-of-the-service-1234567890';

export type Stored = {
  id: string;
  status: string;
  /** Of the request that created it. */
  body: { [member: string]: unknown };
  /** What the request says of its rows, and by what Crux tells it from others. */
  file: string;
  mark: string;
  model: string | null;
  error: string | null;
  events: { step: number; loss: number }[];
};

export type Answer = {
  status: number;
  body: unknown;
  /** In place of the body's JSON. */
  text?: string;
  headers?: { [name: string]: string };
};

/** What becomes of a request for a new job: its connection is cut before or after the job is there, or never answered after it is there. */
export type Lost = 'before' | 'after' | 'held';

export class JobsStandIn {
  readonly files: { id: string; filename: string; bytes: number; content: string; status: string }[] = [];
  readonly jobs: Stored[] = [];
  /** Method and path of each request, in their order. */
  readonly requests: string[] = [];
  /** For the next requests that create a job. */
  readonly lost: Lost[] = [];
  /** Answers instead of its own, to the next requests of that method and path. */
  readonly refusals: { to: string; answer: Answer }[] = [];
  /** So many times the list does not have its newest job yet. */
  hiding = 0;
  pageSize = 100;
  price: { estimated_total_price?: number; allowed_to_proceed?: boolean; user_limit?: number } = {
    estimated_total_price: 3.5,
    allowed_to_proceed: true,
  };
  /** Status of a new file. */
  uploaded = 'processed';
  /** Where chat completions go. */
  upstream: string | null = null;
  #waiting: (() => void)[] = [];
  #server: Server | null = null;
  /** Of its API: what paths begin with, and the header with the key. */
  protected readonly root: string = '/v1';

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}`;
  }

  get url(): string {
    return this.origin + this.root;
  }

  async stop(): Promise<void> {
    this.#server!.closeAllConnections();
    await new Promise((resolve) => this.#server!.close(resolve));
  }

  /** Until there are so many jobs. */
  async created(count: number): Promise<void> {
    while (this.jobs.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A job is so far. */
  run(job: Stored, steps: number): void {
    job.status = 'running';
    job.events = Array.from({ length: steps }, (_, index) => ({ step: index + 1, loss: 1 / (index + 1) }));
  }

  /** A job ends well. @returns the name of its model */
  finish(job: Stored): string {
    job.status = this.#isTogether(job) ? 'completed' : 'succeeded';
    job.model = this.named(job);
    return job.model;
  }

  /** Somebody cancels a job. */
  cancel(job: Stored): void {
    job.status = 'cancelled';
  }

  fail(job: Stored, words: string): void {
    job.status = this.#isTogether(job) ? 'error' : 'failed';
    job.error = words;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) bytes.push(part);
    const [path, query] = request.url!.replace(this.root, '').split('?', 2) as [string, string?];
    const line = `${request.method} ${path}`;
    this.requests.push(line);
    const answer = await this.#answer(line, new URLSearchParams(query), Buffer.concat(bytes), request.headers);
    if (answer === 'cut') request.socket.destroy();
    else if (answer !== 'held') {
      const headers = { 'content-type': 'application/json', ...answer.headers };
      response.writeHead(answer.status, headers).end(answer.text ?? JSON.stringify(answer.body));
    }
  }

  async #answer(
    line: string,
    query: URLSearchParams,
    body: Buffer,
    headers: IncomingMessage['headers'],
  ): Promise<Answer | 'cut' | 'held'> {
    const key = this.keyIn(headers);
    if (key !== jobKey) {
      const message = `Incorrect API key provided: ${key}.`;
      return { status: 401, body: { error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } } };
    }
    const refusal = this.refusals.findIndex(({ to }) => line === to);
    if (refusal >= 0) return this.refusals.splice(refusal, 1)[0]!.answer;
    return this.route(line, query, body, headers);
  }

  protected keyIn(headers: IncomingMessage['headers']): string | undefined {
    return headers.authorization?.slice('Bearer '.length);
  }

  protected async route(
    line: string,
    query: URLSearchParams,
    body: Buffer,
    headers: IncomingMessage['headers'],
  ): Promise<Answer | 'cut' | 'held'> {
    const [, id, part] = /^\w+ \/(?:fine_tuning\/jobs|fine-tunes)\/([^/]+)(?:\/(\w+))?$/.exec(line) ?? [];
    if (line === 'POST /fine-tunes/estimate-price')
      return { status: 200, body: { estimation_available: true, ...this.price } };
    if (id !== undefined) return this.#ofJob(line, id, part, query);
    const file = this.files.find((own) => line === `GET /files/${own.id}`);
    if (file) return { status: 200, body: withoutContent(file) };
    switch (line) {
      case 'POST /files':
      case 'POST /files/upload':
        return this.#upload(await formOf(body, headers));
      case 'GET /files':
        return page(this.files, query, this.pageSize);
      case 'POST /fine_tuning/jobs':
      case 'POST /fine-tunes':
        return this.#create(JSON.parse(body.toString()));
      case 'GET /fine_tuning/jobs':
        return page(this.#listed(), query, this.pageSize);
      case 'GET /fine-tunes':
        return { status: 200, body: { data: this.#listed() } };
      case 'GET /models':
        return {
          status: 200,
          body: {
            object: 'list',
            data: ['base', ...this.jobs.map(({ model }) => model)].flatMap((name) =>
              name === null ? [] : [{ id: name }],
            ),
          },
        };
      case 'POST /chat/completions':
        return this.chat(JSON.parse(body.toString()), headers);
      default:
        return { status: 404, body: { error: { message: `Unknown request URL: ${line}.` } } };
    }
  }

  #upload(form: FormData): Promise<Answer> {
    const file = form.get('file') as File;
    return file.text().then((content) => {
      const stored = {
        ...{ id: `file-${this.files.length + 1}`, status: this.uploaded },
        filename: String(form.get('file_name') ?? file.name),
        bytes: file.size,
        content,
      };
      this.files.unshift(stored);
      return { status: 200, body: withoutContent(stored) };
    });
  }

  #create(body: { [member: string]: unknown }): Answer | 'cut' | 'held' {
    return this.added({
      ...{ id: `ftjob-${this.jobs.length + 1}`, body, file: String(body.training_file), mark: String(body.suffix) },
      status: 'training_type' in body ? 'pending' : 'validating_files',
    });
  }

  /** A new job, and what becomes of the answer. */
  protected added(begun: Omit<Stored, 'model' | 'error' | 'events'>): Answer | 'cut' | 'held' {
    const lost = this.lost.shift();
    if (lost === 'before') return 'cut';
    const job = { ...begun, model: null, error: null, events: [] };
    this.jobs.push(job);
    for (const wake of this.#waiting.splice(0)) wake();
    if (lost === 'after') return 'cut';
    return lost ?? { status: 200, body: this.told(job) };
  }

  protected named(job: Stored): string {
    return `ft:${modelOf(job)}:crux:${job.mark}:${job.id}`;
  }

  /** The model that answers to a name. */
  protected weightsOf(name: string): string | null {
    return name;
  }

  protected notThere(name: string): object {
    return { code: 'model_not_found', message: `The model \`${name}\` does not exist` };
  }

  #listed() {
    const hidden = this.hiding > 0 ? 1 : 0;
    this.hiding -= hidden;
    return this.jobs
      .slice(0, this.jobs.length - hidden)
      .reverse()
      .map((job) => this.told(job));
  }

  #ofJob(line: string, id: string, part: string | undefined, query: URLSearchParams): Answer {
    const job = this.jobs.find((own) => own.id === id);
    if (!job) return { status: 404, body: { error: { message: `Could not find fine tune: ${id}` } } };
    switch (part) {
      case 'cancel':
        this.cancel(job);
        return { status: 200, body: this.told(job) };
      case 'events':
        return page(openaiEvents(job), query, this.pageSize);
      case 'metrics':
        return {
          status: 200,
          body: { metrics: job.events.map(({ step, loss }) => ({ 'train/loss': loss, 'train/global_step': step })) },
        };
      default:
        return line.startsWith('GET') ? { status: 200, body: this.told(job) } : { status: 405, body: {} };
    }
  }

  #isTogether({ body }: Stored): boolean {
    return 'training_type' in body;
  }

  protected told(job: Stored): { id: string; [member: string]: unknown } {
    const { id, status, body, model, error, events } = job;
    if (this.#isTogether(job)) {
      const told = { object: 'fine-tune-event', created_at: '2026-01-01T00:00:00Z' };
      return {
        ...{ id, status, suffix: body.suffix, model: body.model, training_file: body.training_file },
        ...{ created_at: '2026-01-01T00:00:00.000Z', updated_at: '2026-01-01T00:10:00.000Z' },
        ...{ model_output_name: model, total_price: 2_500_000_000, token_count: 1000 },
        events: [
          ...(events.length === 0 ? [] : [{ ...told, type: 'training_start', message: '', total_steps: 9 }]),
          ...(error === null ? [] : [{ ...told, type: 'job_error', message: error }]),
        ],
      };
    }
    const isOver = ['succeeded', 'failed', 'cancelled'].includes(status);
    return {
      ...{ object: 'fine_tuning.job', id, status, model: body.model, fine_tuned_model: model, metadata: body.metadata },
      ...{ created_at: 1_700_000_000, finished_at: isOver ? 1_700_000_600 : null },
      ...{ trained_tokens: model === null ? null : 500_000, user_provided_suffix: body.suffix },
      error: error === null ? null : { code: 'invalid_training_file', message: error, param: 'training_file' },
    };
  }

  protected async chat(body: { model: string }, headers: IncomingMessage['headers']): Promise<Answer> {
    const weights = this.weightsOf(body.model);
    const made = weights !== null && this.jobs.some(({ model }) => model === weights);
    if (body.model !== 'base' && !made) return { status: 404, body: { error: this.notThere(body.model) } };
    const name = `sim-policy@skill=${made ? 0.6 : 0.4}`;
    const answered = await fetch(`${this.upstream}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': String(headers['idempotency-key']) },
      body: JSON.stringify({ ...body, model: name }),
    });
    return { status: answered.status, body: JSON.parse((await answered.text()).replaceAll(name, body.model)) };
  }
}

export function formOf(body: Buffer, headers: IncomingMessage['headers']): Promise<FormData> {
  return new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type']! } }).formData();
}

function modelOf({ body }: Stored): string {
  return String(body.model ?? body.from_checkpoint);
}

/** The newest first, with messages between the metrics. */
function openaiEvents({ id, events }: Stored) {
  const common = { object: 'fine_tuning.job.event', level: 'info', created_at: 1_700_000_000 };
  const created = { ...common, id: `${id}-event-0`, type: 'message', message: 'Created fine-tuning job', data: {} };
  const metrics = events.map(({ step, loss }) => ({
    ...common,
    ...{
      id: `${id}-event-${step}`,
      type: 'metrics',
      message: `Step ${step}/${Math.max(9, events.length)}: training loss=${loss.toFixed(2)}`,
    },
    data: { step, train_loss: loss, train_mean_token_accuracy: 0.5, total_steps: Math.max(9, events.length) },
  }));
  return [created, ...metrics].reverse();
}

function page(all: { id: string }[], query: URLSearchParams, size: number): Answer {
  const after = query.get('after');
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const data = all.slice(from, from + Math.min(size, Number(query.get('limit') ?? size)));
  return {
    status: 200,
    body: { object: 'list', data: data.map(withoutContent), has_more: from + data.length < all.length },
  };
}

function withoutContent(item: object) {
  return { ...item, content: undefined };
}
