/**
 * Plays an environment while its processes are stopped for a while, or killed. What the machine does to an environment is a fault, which is
 * thrown and tried again. It must never be recorded as the environment's answer.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Action } from '../../domain/action.ts';
import { errorText } from '../../errors.ts';
import { type ApartEnvironment, differenceOf, type StartApart, type Trace } from './apart.ts';

export type StressOptions = {
  /** How long processes are stopped: longer than the environment waits for anything. */
  stallMs: number;
};

/** Disturbances of the processes at one step. */
const disturbances = [
  'its processes stopped',
  'everything stopped',
  'its processes killed',
  'everything killed',
] as const;
type Disturbance = (typeof disturbances)[number];

/** Does something to a process and its descendants while `begin`'s work runs. */
type Disturb = (pid: number, begin: () => void) => Promise<void>;

/** How long a step takes to reach a process of the environment's own. */
const underWayMs = 30;
const mostAttempts = 4;

/** @returns what was done @throws Error for the first answer that a disturbance changed, or a fault that does not go away */
export async function stressEnvironment(
  start: StartApart,
  tasks: readonly { taskId: string; actions: readonly Action[] }[],
  { stallMs }: StressOptions,
): Promise<string> {
  if (process.platform === 'win32') throw new Error('Stalls need signals that Windows does not have.');
  let [disturbed, faults, children] = [0, 0, 0];
  for (const { taskId, actions } of tasks) {
    const calm = new Player(start, taskId, actions);
    const expected = await calm.play();
    const confirmation = await calm.confirm();
    await calm.close();
    for (const disturbance of disturbances) {
      const player = new Player(start, taskId, actions);
      try {
        // Processes of its own are started when they are first needed.
        await player.play();
        if (confirmation !== null) await player.confirm();
        // Stalls are long, so there is one, in the middle. Kills are short, so there is one at every step.
        const isStall = disturbance.endsWith('stopped');
        const steps = isStall ? [Math.floor(expected.length / 2)] : [...expected.keys()];
        const disturb: Disturb = async (pid, begin) => {
          children += await disturbIt(pid, begin, disturbance, stallMs);
        };
        for (const at of steps) {
          await player.restart();
          for (let index = 0; index < expected.length; index++) {
            const trace = await player.step(index, index === at ? disturb : null);
            if (index === at) disturbed++;
            const difference = differenceOf(expected[index]!, trace);
            const where = index === at ? 'with' : `after action ${at + 1} with`;
            if (difference)
              throw new Error(
                `Task ${taskId}, action ${index + 1} ${where} ${disturbance}: undisturbed ${difference.one}, now ${difference.other}.`,
              );
          }
        }
        if (confirmation !== null) {
          const now = await player.confirm(disturb);
          if (confirmation.confirmed !== now?.confirmed)
            throw new Error(
              `Task ${taskId}, confirmation with ${disturbance}: undisturbed ${JSON.stringify(confirmation)}, now ${JSON.stringify(now)}.`,
            );
        }
        faults += player.faults;
      } finally {
        await player.close();
      }
    }
  }
  const own = children === 0 ? 'none of them of the environment’s own' : `${children} of the environment’s own`;
  return `${disturbed} steps disturbed (processes hit: ${own}), ${faults} faults, no answer changed`;
}

/** Plays the same actions again and again, in a process that it starts anew after every kill. */
class Player {
  readonly #start: StartApart;
  readonly #taskId: string;
  readonly #actions: readonly Action[];
  #apart: ApartEnvironment | null = null;
  /** Actions taken in the open session; -1 if none is open. */
  #taken = -1;
  faults = 0;

  constructor(start: StartApart, taskId: string, actions: readonly Action[]) {
    this.#start = start;
    this.#taskId = taskId;
    this.#actions = actions;
  }

  async play(): Promise<Trace[]> {
    await this.restart();
    const traces: Trace[] = [];
    for (const index of this.#actions.keys()) {
      const trace = await this.step(index, null);
      traces.push(trace);
      if (trace.done) break;
    }
    return traces;
  }

  async restart(): Promise<void> {
    this.#apart ??= await this.#start();
    await this.#apart.open(this.#taskId);
    this.#taken = 0;
  }

  /** Takes an action. If a fault ended the last session, restores one by replay. */
  async step(index: number, disturb: Disturb | null): Promise<Trace> {
    return this.#insist(async (attempt) => {
      if (this.#taken !== index) {
        await this.restart();
        for (const action of this.#actions.slice(0, index)) await this.#apart!.step(action);
      }
      const apart = this.#apart!;
      const step = () => apart.step(this.#actions[index]!);
      const trace = await around(apart.pid, attempt === 0 ? disturb : null, step);
      this.#taken = index + 1;
      return trace;
    });
  }

  confirm(disturb: Disturb | null = null) {
    return this.#insist(async (attempt) => {
      this.#apart ??= await this.#start();
      const apart = this.#apart;
      const confirm = () => apart.confirm(this.#taskId, [...this.#actions]);
      return around(apart.pid, attempt === 0 ? disturb : null, confirm);
    });
  }

  async close(): Promise<void> {
    await this.#apart?.close();
    this.#apart = null;
    this.#taken = -1;
  }

  async #insist<T>(work: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work(attempt);
      } catch (error) {
        this.faults++;
        await this.close();
        if (attempt + 1 >= mostAttempts)
          throw new Error(`A fault of task ${this.#taskId} does not go away on fresh processes: ${errorText(error)}`);
      }
    }
  }
}

/** Starts some work in the middle of a disturbance, and waits for both. */
async function around<Result>(pid: number, disturb: Disturb | null, work: () => Promise<Result>): Promise<Result> {
  if (!disturb) return work();
  let working: Promise<Result> | undefined;
  await disturb(pid, () => {
    working = work();
    working.catch(() => {});
  });
  return working!;
}

/** The processes to be stopped or killed are stopped before the work begins: otherwise the work would be over at once. */
async function disturbIt(pid: number, begin: () => void, disturbance: Disturbance, stallMs: number): Promise<number> {
  const own = await descendantsOf(pid);
  // If a signal ends this process meanwhile, nobody would ever continue them.
  const killAll = () => signalAll([...own, pid], 'SIGKILL');
  process.once('exit', killAll);
  try {
    signalAll(own, 'SIGSTOP');
    begin();
    await hit(pid, own, disturbance, stallMs);
    return own.length;
  } finally {
    process.off('exit', killAll);
  }
}

async function hit(pid: number, own: readonly number[], disturbance: Disturbance, stallMs: number): Promise<void> {
  switch (disturbance) {
    case 'its processes stopped':
      await sleep(own.length > 0 ? stallMs : underWayMs);
      signalAll(own, 'SIGCONT');
      return;
    case 'everything stopped':
      await sleep(underWayMs);
      signalAll([pid], 'SIGSTOP');
      await sleep(stallMs);
      signalAll([...own, pid], 'SIGCONT');
      return;
    case 'its processes killed':
      await sleep(underWayMs);
      signalAll(own, 'SIGKILL');
      return;
    case 'everything killed':
      await sleep(underWayMs);
      signalAll([...own, pid], 'SIGKILL');
      return;
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is over already.
    }
  }
}

/** Processes that a process started, and theirs. */
async function descendantsOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const parents = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: number[] = [];
  for (let near = [pid]; near.length > 0; ) {
    near = parents.filter(([, parent]) => near.includes(parent)).map(([child]) => child);
    found.push(...near);
  }
  return found;
}
