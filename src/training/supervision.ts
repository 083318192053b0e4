/** One run of a trainer, from its start to the record of its end. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderNames } from '../domain/improve/contract.ts';
import type { StopReason, TrainingExit } from '../domain/improve/training.ts';
import { errorText } from '../errors.ts';
import type { Trainings } from '../store/trainings.ts';
import { placeOf } from '../temporal/process-identity.ts';
import { BoundedLog } from './bounded-log.ts';
import { environmentWithout } from './environment.ts';
import { MetricsFile, MetricsWatch } from './metrics.ts';
import { hashModel } from './model-hash.ts';
import type { SupervisorOrder } from './order.ts';
import { signalGroup } from './process-group.ts';
import { readWriter, writeWriter } from './writer-file.ts';

const lookEveryMs = 250;
/** A supervisor that lost its lease looks at the folder more often than this. */
const othersNoticeMs = 15_000;
/** Processes that outlive the trainer may hold its output open. */
const lastOutputMs = 2_000;
/** Between tries to record the end while the store is away. */
const recordAgainMs = 1_000;

type Trainer = ChildProcessByStdio<null, Readable, Readable>;

type Ended = Pick<TrainingExit, 'code' | 'signal' | 'error'>;

export class Supervision {
  readonly #trainings: Trainings;
  readonly #order: SupervisorOrder;
  readonly #holder: string;
  readonly #log: BoundedLog;
  readonly #metrics: MetricsFile;
  readonly #watch: MetricsWatch;
  #trainer: Trainer | null = null;
  #hasEnded = false;
  #stop: StopReason | null = null;
  #killing: NodeJS.Timeout | undefined;
  #saidOfStore = false;

  constructor(trainings: Trainings, order: SupervisorOrder, holder: string) {
    this.#trainings = trainings;
    this.#order = order;
    this.#holder = holder;
    this.#log = new BoundedLog(join(order.folder, folderNames.log));
    this.#metrics = new MetricsFile(join(order.folder, folderNames.metrics));
    this.#watch = new MetricsWatch(order.watch);
  }

  /** Adds a line of Crux's own to the log. */
  say(words: string): void {
    this.#log.write(`crux ${new Date().toISOString()}: ${words}\n`);
  }

  /** @returns once the end is recorded, or the folder is somebody else's */
  async run(): Promise<void> {
    const { command, history } = this.#order;
    const again = history.death === null ? '' : ` again, after step ${history.reachedBefore}: ${history.death}`;
    this.say(
      `start ${history.starts} of the trainer${again}. ${[...command, this.#order.folder].map(quoted).join(' ')}`,
    );
    const over = new AbortController();
    const ending = this.#start();
    const renewing = this.#renew(over.signal);
    const looking = setInterval(() => this.#look(), lookEveryMs);
    const ended = await ending;
    clearInterval(looking);
    clearTimeout(this.#killing);
    this.#look();
    const exit = await this.#exitOf(ended);
    this.say(
      `the trainer ended: ${ended.error ?? (ended.signal ? `signal ${ended.signal}` : `exit code ${ended.code}`)}`,
    );
    if (this.#watch.unreadable > 0)
      this.say(`${this.#watch.unreadable} lines of ${folderNames.metrics} could not be read`);
    this.#log.flush();
    await this.#record(exit);
    over.abort();
    await renewing;
    this.#log.close();
  }

  /** Ends the trainer: SIGTERM to its group, and SIGKILL if that is ignored. The first reason counts; none does once the trainer has ended. */
  stop(reason: StopReason): void {
    if (this.#stop !== null || this.#hasEnded) return;
    this.#stop = reason;
    const pid = this.#trainer?.pid;
    if (pid === undefined) return;
    const { graceMs } = this.#order.times;
    this.say(`the trainer is told to end (SIGTERM): ${reason}`);
    signalGroup(pid, 'SIGTERM');
    this.#killing = setTimeout(() => {
      this.say(`the trainer did not end within ${graceMs / 1_000} s of SIGTERM: SIGKILL`);
      signalGroup(pid, 'SIGKILL');
    }, graceMs);
  }

  async #start(): Promise<Ended> {
    try {
      writeWriter(this.#order.folder, { holder: this.#holder, trainer: null });
      if (this.#order.mayLive) await sleep(othersNoticeMs);
      if (this.#stop !== null) return { code: null, signal: 'SIGTERM', error: null };
      const ended = await this.#untilItEnds(this.#spawn());
      this.#hasEnded = true;
      return ended;
    } catch (error) {
      this.#hasEnded = true;
      if (this.#trainer?.pid !== undefined) signalGroup(this.#trainer.pid, 'SIGKILL');
      return { code: null, signal: null, error: errorText(error) };
    }
  }

  #spawn(): Trainer {
    const { folder, command, workingFolder, withheld } = this.#order;
    const [program, ...args] = command as [string, ...string[]];
    return spawn(program, [...args, folder], {
      cwd: workingFolder,
      env: environmentWithout(withheld),
      // A group of its own, which gets its signals.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** @throws if it could not be started */
  async #untilItEnds(trainer: Trainer): Promise<Ended> {
    this.#trainer = trainer;
    for (const output of [trainer.stdout, trainer.stderr]) output.on('data', (part: Buffer) => this.#log.write(part));
    const closed = new Promise<void>((resolve) => trainer.once('close', () => resolve()));
    const exited = new Promise<Ended>((resolve, reject) => {
      trainer.once('error', reject);
      trainer.once('exit', (code, signal) => resolve({ code, signal, error: null }));
    });
    const { pid } = trainer;
    if (pid !== undefined) writeWriter(this.#order.folder, { holder: this.#holder, trainer: placeOf(pid) });
    const ended = await exited;
    signalGroup(pid!, 'SIGKILL');
    await Promise.race([closed, sleep(lastOutputMs)]);
    return ended;
  }

  #look(): void {
    this.#log.flush();
    for (const line of this.#metrics.newLines()) this.#watch.add(line);
    if (this.#watch.finding !== null) {
      if (this.#stop === null) this.say(this.#watch.finding.words);
      this.stop(this.#watch.finding.stop);
    }
    if (!existsSync(this.#order.folder)) this.stop('lost');
  }

  /** Says that it lives until it is over, and hears whether it is to stop. */
  async #renew(over: AbortSignal): Promise<void> {
    const { folder, times } = this.#order;
    while (!over.aborted) {
      try {
        const stop = await this.#trainings.renew(folder, this.#holder, this.#watch.progress);
        if (stop !== null) this.stop(stop);
        if (this.#saidOfStore) this.say('the store can be written again');
        this.#saidOfStore = false;
      } catch (error) {
        this.#tellOfStore(error);
      }
      const writer = readWriter(folder);
      if (writer !== null && writer.holder !== this.#holder) this.stop('lost');
      await sleep(times.renewEveryMs, undefined, { signal: over }).catch(() => {});
    }
  }

  async #exitOf(ended: Ended): Promise<TrainingExit> {
    const { finding } = this.#watch;
    // The last lines may have come together with the end.
    const stop = this.#stop ?? finding?.stop ?? null;
    const endedWell = ended.code === 0 && stop === null;
    return {
      ...ended,
      stop,
      finding: finding?.words ?? null,
      unwritten: this.#log.unwritten,
      model: endedWell ? await hashModel(join(this.#order.folder, folderNames.model)) : null,
    };
  }

  /** The last word, however long the store is away; unless nobody can ask for it any more. */
  async #record(exit: TrainingExit): Promise<void> {
    const { folder } = this.#order;
    while (existsSync(folder)) {
      try {
        await this.#trainings.end(folder, this.#holder, { exit, progress: this.#watch.progress });
        return;
      } catch (error) {
        this.#tellOfStore(error);
        await sleep(recordAgainMs);
      }
    }
  }

  #tellOfStore(error: unknown): void {
    if (!this.#saidOfStore) this.say(`the store cannot be written, which is tried again: ${errorText(error)}`);
    this.#saidOfStore = true;
  }
}

/** A word of a command, on one line. */
function quoted(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : JSON.stringify(word);
}
