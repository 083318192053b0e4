import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { defaultCacheFolder } from '../../src/cache-folder.ts';

export type WorkerProcess = {
  pid: number;
  /** Sends a signal and waits for the end. @returns exit code; null when the signal ended it */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
};

/** Starts a worker of a lab in a process of its own; it works when this returns. */
export async function startWorkerProcess(lab: {
  home: string;
  address: string;
  simulationUrl: string;
  /** Default: that of the configuration. */
  callTimeoutMs?: number;
  /** Most calls at once. Default: that of the configuration. */
  concurrency?: number;
  /** See `LabOptions`. */
  stage?: string;
}): Promise<WorkerProcess> {
  // As the `crux` command runs itself.
  const child = spawn(process.execPath, ['--max-semi-space-size=16', join(import.meta.dirname, 'worker-main.ts')], {
    env: {
      ...process.env,
      // As `crux` itself does: half of a worker's start is compiling what it loads.
      NODE_COMPILE_CACHE: join(defaultCacheFolder(), 'compiled'),
      CRUX_LAB_HOME: lab.home,
      CRUX_LAB_TEMPORAL: lab.address,
      CRUX_LAB_SIMULATION: lab.simulationUrl,
      ...(lab.callTimeoutMs !== undefined && { CRUX_LAB_CALL_TIMEOUT: String(lab.callTimeoutMs) }),
      ...(lab.concurrency !== undefined && { CRUX_LAB_CONCURRENCY: String(lab.concurrency) }),
      ...(lab.stage !== undefined && { CRUX_LAB_STAGE: lab.stage }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = ended(child);
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) if (line === 'ready') return true;
    return false;
  })();
  if (!(await ready)) throw new Error(`The worker process ended with ${await over} before it worked.`);
  return {
    pid: child.pid!,
    end: (signal) => {
      child.kill(signal);
      return over;
    },
  };
}

async function ended(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}
