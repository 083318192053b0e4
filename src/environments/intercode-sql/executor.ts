/**
 * Runs agents' queries in processes of their own, so that no query can stall, crash or outlive the worker: a query that takes too long or
 * too much memory costs its process, which is replaced, and the agent reads that it did.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { CruxError } from '../../errors.ts';
import type { QueryResult } from './connection.ts';
import type { ChildRequest, QueryReply, QueryRequest } from './executor-child.ts';
import type { VariantOptions } from './variant.ts';

export type ExecutorOptions = {
  /** Processes, started when they are first needed. Default: one per core, at most 4. */
  size?: number;
  /** Wall-clock limit of one query in milliseconds. Default 5000. */
  queryTimeLimitMs?: number;
  /** Memory that a process may take beyond what it starts with, in megabytes. Default 256. */
  memoryLimitMb?: number;
};

type Job = {
  request: ChildRequest;
  resolve(result: QueryResult): void;
  reject(reason: unknown): void;
  /** Takes the job out, whether it waits or runs. */
  forget: () => void;
};

type Child = {
  process: ChildProcess;
  ready: boolean;
  job: Job | null;
  timer: NodeJS.Timeout | null;
  killed: 'time' | 'abort' | null;
};

const sourceExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const childFile = fileURLToPath(new URL(`./executor-child.${sourceExtension}`, import.meta.url));
/** Process starts that may fail in a row before waiting jobs are given up. */
const startAttempts = 3;

export class SqlExecutor {
  readonly #size: number;
  readonly #queryTimeLimitMs: number;
  readonly #memoryLimitMb: number;
  readonly #children = new Set<Child>();
  readonly #waiting: Job[] = [];
  #failedStarts = 0;
  #closed = false;

  constructor(options: ExecutorOptions = {}) {
    this.#size = options.size ?? Math.min(4, availableParallelism());
    this.#queryTimeLimitMs = options.queryTimeLimitMs ?? 5000;
    this.#memoryLimitMb = options.memoryLimitMb ?? 256;
  }

  /**
   * Runs one query. Waiting for a free process does not count towards the time limit.
   * @returns rows, or an error for the agent to read, also when the query hit the time or memory limit
   * @throws CruxError `Environment.Fault` when the database cannot be opened or no process can be started; the signal's reason when aborted
   */
  run(request: QueryRequest, signal?: AbortSignal): Promise<QueryResult> {
    return this.#enqueue({ kind: 'query', query: request }, signal);
  }

  /**
   * Writes a variant of a database.
   * @throws CruxError `Environment.Fault` when it cannot be written within the limits of a query
   */
  async makeVariant(variant: VariantOptions): Promise<void> {
    const result = await this.#enqueue({ kind: 'variant', variant });
    if (result.kind === 'error')
      throw new CruxError('Environment.Fault', `No variant of ${variant.source} could be made: ${result.message}.`);
  }

  #enqueue(request: ChildRequest, signal?: AbortSignal): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closed) return reject(new CruxError('Environment.Fault', 'The SQL executor is closed.'));
      const abort = () => {
        this.#drop(job);
        reject(signal?.reason);
      };
      const job: Job = { request, resolve, reject, forget: () => signal?.removeEventListener('abort', abort) };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(job);
      this.#dispatch();
    });
  }

  /** Ids of the processes that run now, for diagnosis. */
  processIds(): number[] {
    return [...this.#children].flatMap(({ process: { pid } }) => (pid === undefined ? [] : [pid]));
  }

  /** Ends all processes; queries that still run or wait are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const jobs = [...this.#waiting.splice(0), ...[...this.#children].flatMap(({ job }) => (job ? [job] : []))];
    for (const job of jobs) {
      job.forget();
      job.reject(new CruxError('Environment.Fault', 'The SQL executor was closed while the query ran.'));
    }
    const ends = [...this.#children].map((child) => {
      child.job = null;
      return new Promise<void>((resolve) => {
        child.process.once('exit', () => resolve());
        child.process.ref();
        child.process.kill('SIGKILL');
      });
    });
    await Promise.all(ends);
  }

  #dispatch(): void {
    for (const child of this.#children) {
      if (!this.#waiting.length) return;
      if (child.ready && !child.job && !child.killed) this.#give(child, this.#waiting.shift()!);
    }
    const starting = [...this.#children].filter(({ ready }) => !ready).length;
    if (this.#waiting.length > starting && this.#children.size < this.#size) this.#start();
  }

  #start(): void {
    const memoryBytes = this.#memoryLimitMb * 1024 * 1024;
    const process_ = fork(childFile, [String(process.pid), String(memoryBytes)], {
      execArgv: [`--max-old-space-size=${this.#memoryLimitMb}`, '--disable-warning=ExperimentalWarning'],
      // No variable of ours is any of its business; Windows cannot start a process without this one.
      env: process.env.SystemRoot ? { SystemRoot: process.env.SystemRoot } : {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const child: Child = { process: process_, ready: false, job: null, timer: null, killed: null };
    this.#children.add(child);
    process_.on('message', (message: 'ready' | QueryReply) => {
      if (message === 'ready') {
        this.#failedStarts = 0;
        child.ready = true;
      } else this.#finish(child, message);
      if (!child.job) this.#idle(child);
      this.#dispatch();
    });
    process_.once('error', () => this.#ended(child));
    process_.once('exit', () => this.#ended(child));
    this.#dispatch();
  }

  #give(child: Child, job: Job): void {
    child.job = job;
    child.process.ref();
    child.process.channel?.ref();
    child.timer = setTimeout(() => {
      child.killed = 'time';
      child.process.kill('SIGKILL');
    }, this.#queryTimeLimitMs);
    child.process.send(job.request, () => {
      // A process that is gone reports by its exit.
    });
  }

  #finish(child: Child, reply: QueryReply): void {
    const { job } = child;
    if (child.timer) clearTimeout(child.timer);
    child.timer = null;
    child.job = null;
    if (!job) return;
    job.forget();
    if (reply.kind === 'failed') {
      const { request } = job;
      const path = request.kind === 'query' ? request.query.path : request.variant.target;
      const what = `The database ${path} cannot be ${request.kind === 'query' ? 'queried' : 'written'}: ${reply.message}`;
      job.reject(new CruxError('Environment.Fault', what, { remedy: 'Import the dataset again.' }));
    } else job.resolve(reply);
  }

  /** A waiting process must not keep the program alive. */
  #idle(child: Child): void {
    child.process.unref();
    child.process.channel?.unref();
  }

  #ended(child: Child): void {
    if (!this.#children.delete(child)) return;
    if (child.killed !== 'abort' && child.job) {
      const message =
        child.killed === 'time'
          ? `time limit of ${this.#queryTimeLimitMs / 1000} s exceeded`
          : `memory limit of ${this.#memoryLimitMb} MB exceeded`;
      this.#finish(child, { kind: 'error', message });
    }
    if (!child.ready && ++this.#failedStarts >= startAttempts) {
      const fault = new CruxError('Environment.Fault', `No process for SQL queries can be started (${childFile}).`);
      for (const job of this.#waiting.splice(0)) {
        job.forget();
        job.reject(fault);
      }
      this.#failedStarts = 0;
    }
    if (!this.#closed) this.#dispatch();
  }

  /** Gives up a job whose caller did. */
  #drop(job: Job): void {
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
    for (const child of this.#children) {
      if (child.job !== job) continue;
      if (child.timer) clearTimeout(child.timer);
      child.killed = 'abort';
      child.job = null;
      child.process.kill('SIGKILL');
    }
  }
}
