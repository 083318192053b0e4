/** Carries disturbances out on a lab whose workers are processes, and keeps what is needed to judge the run afterwards. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookUpEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../src/temporal/process-identity.ts';
import { type Lab, until } from '../helpers/lab.ts';
import { childrenOf } from '../helpers/processes.ts';
import type { SmallDisk } from '../helpers/small-disk.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';
import type { Disturbance } from './plan.ts';

/**
 * From shortly before a worker or a model server was killed until nothing more can come of it, in milliseconds since 1970. The end of a Temporal
 * server is none: no call has to end with it.
 */
export type Kill = { from: number; to: number };

/** The model server, in a busy process, has noticed by then that a worker is gone. */
const settleMs = 1_000;

const mostStarts = 30;

export class Disturber {
  readonly kills: Kill[] = [];
  /** Keys of answers that were complete, and could not be written when the store came back. */
  readonly waited = new Set<string>();
  /** Folders of exports that were killed. */
  readonly exports: string[] = [];
  /** Processes that must be gone in the end. */
  readonly children: ProcessIdentity[] = [];
  readonly #lab: Lab;
  readonly #temporalHome: string;
  readonly #disk: SmallDisk;
  readonly #exportFolder: string;
  readonly #runIds: string[];
  readonly #exported: string[];
  /** One place each: a killed worker is replaced at once. */
  readonly #workers: Promise<WorkerProcess>[];

  constructor(
    lab: Lab,
    given: {
      temporalHome: string;
      disk: SmallDisk;
      exportFolder: string;
      runIds: string[];
      /** Those of them that give something to export. */
      exported: string[];
      workers: number;
    },
  ) {
    this.#lab = lab;
    this.#temporalHome = given.temporalHome;
    this.#disk = given.disk;
    this.#exportFolder = given.exportFolder;
    this.#runIds = given.runIds;
    this.#exported = given.exported;
    this.#workers = Array.from({ length: given.workers }, () => this.#startWorker());
  }

  async carryOut(disturbance: Disturbance): Promise<void> {
    switch (disturbance.kind) {
      case 'kill-worker':
        return this.#killWorker(disturbance.worker);
      case 'kill-temporal':
        return this.#killTemporal();
      case 'restart-models':
        return this.#asKill(() => this.#lab.restartModels(disturbance.awayMs));
      case 'fill-disk':
        return this.#unwritable(async () => this.#disk.fill(), disturbance.forMs);
      case 'lock-store':
        return this.#unwritable(() => this.#lock(), disturbance.forMs);
      case 'slow-store':
        return this.#slow(disturbance.forMs);
      case 'kill-export':
        return this.#killExport(disturbance.afterMs);
    }
  }

  /** Stops the workers in good order. @returns their exit codes */
  async stopWorkers(): Promise<(number | null)[]> {
    const workers = await Promise.all(this.#workers);
    for (const { pid } of workers) this.#noteChildren(pid);
    return Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  }

  async #killWorker(place: number): Promise<void> {
    const worker = await this.#workers[place]!;
    this.#noteChildren(worker.pid);
    await this.#asKill(() => worker.end('SIGKILL'));
    this.#workers[place] = this.#startWorker();
    // Whoever needs it next hears of a failed start.
    this.#workers[place].catch(() => {});
  }

  /** One that cannot start, because the disk is full just then, is started again, as any supervisor does. */
  async #startWorker(): Promise<WorkerProcess> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#lab.workApart();
      } catch (error) {
        if (attempt === mostStarts) throw error;
      }
      await sleep(1_000);
    }
  }

  async #killTemporal(): Promise<void> {
    const { pid } = (await lookUpEmbeddedServer(this.#temporalHome))!;
    process.kill(pid, 'SIGKILL');
    await until(
      'the Temporal server serves again',
      async () => ((await lookUpEmbeddedServer(this.#temporalHome))?.pid ?? pid) !== pid,
      60_000,
    );
  }

  async #asKill(kill: () => Promise<unknown>): Promise<void> {
    const from = Date.now();
    await kill();
    this.kills.push({ from, to: Date.now() + settleMs });
  }

  /** No kill falls into this time, so that every answer that is given in it must be written in the end without being asked for again. */
  async #unwritable(begin: () => Promise<() => void>, forMs: number): Promise<void> {
    const end = await begin();
    await sleep(forMs);
    const waiting = await this.#answeredNotJournaled();
    end();
    for (const key of waiting) this.waited.add(key);
    await until(
      'the answers that waited are written',
      async () => {
        const left = await this.#notJournaled(waiting);
        return left.length === 0;
      },
      60_000,
    );
  }

  async #lock(): Promise<() => void> {
    const database = new DatabaseSync(join(this.#lab.home, 'crux.db'), { timeout: 5_000 });
    database.exec('BEGIN IMMEDIATE');
    return () => database.close();
  }

  /** Another process takes the store for most of the time. */
  async #slow(forMs: number): Promise<void> {
    for (const until = Date.now() + forMs; Date.now() < until; await sleep(30)) {
      const release = await this.#lock();
      await sleep(150);
      release();
    }
  }

  async #killExport(afterMs: number): Promise<void> {
    const runId = this.#exported[this.exports.length % this.#exported.length]!;
    const folder = join(this.#exportFolder, `killed-${this.exports.length}`);
    this.exports.push(folder);
    const door = join(import.meta.dirname, '../../bin/crux.js');
    const given = ['export', runId, '--format', 'trl', '--out', folder, '--home', this.#lab.home];
    const child = spawn(process.execPath, [door, ...given], { stdio: 'ignore' });
    const over = once(child, 'exit');
    await sleep(afterMs);
    child.kill('SIGKILL');
    await over;
  }

  async #answeredNotJournaled(): Promise<string[]> {
    const requests = await this.#lab.requests();
    return this.#notJournaled([...new Set(requests.filter(({ complete }) => complete).map(({ key }) => key))]);
  }

  async #notJournaled(keys: string[]): Promise<string[]> {
    if (keys.length === 0) return [];
    const journaled = await Promise.all(this.#runIds.map((runId) => this.#lab.journaledKeys(runId)));
    return keys.filter((key) => !journaled.some((known) => known.has(key)));
  }

  #noteChildren(pid: number): void {
    for (const child of childrenOf(pid)) {
      const identity = identifyProcess(child);
      if (identity) this.children.push(identity);
    }
  }

  orphans(): ProcessIdentity[] {
    return this.children.filter(isRunning);
  }
}
