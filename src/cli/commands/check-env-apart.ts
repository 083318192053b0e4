/** An environment in its own process, for `crux check-env`: this part starts the process and talks to it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ApartEnvironment } from '../../environments/check/apart.ts';
import type { GlobalOptions } from '../setting.ts';
import type { ApartReply, ApartRequest } from './check-env-child.ts';

const sourceExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const childFile = fileURLToPath(new URL(`./check-env-child.${sourceExtension}`, import.meta.url));

/** @param name as the user gave it to `crux check-env` */
export async function startApart(options: GlobalOptions, name: string): Promise<ApartEnvironment> {
  const child = fork(childFile, [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const pending = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>();
  let number = 0;
  child.on('message', ({ id, value, fault }: ApartReply) => {
    const request = pending.get(id);
    pending.delete(id);
    if (fault === undefined) request?.resolve(value);
    else request?.reject(new Error(fault));
  });
  const gone = whenGone(child).then((how) => {
    for (const { reject } of pending.values()) reject(new Error(`The process of the environment ${how}.`));
    pending.clear();
    return how;
  });
  const ask = <Value>(request: ApartRequest): Promise<Value> =>
    new Promise((resolve, reject) => {
      const id = ++number;
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, ...request }, (error) => {
        if (error && pending.delete(id)) reject(error);
      });
    });
  await ask({ kind: 'load', config: options.config, home: options.home, name });
  return {
    pid: child.pid!,
    open: (taskId) => ask({ kind: 'open', taskId }),
    step: (action) => ask({ kind: 'step', action }),
    confirm: (taskId, actions) => ask({ kind: 'confirm', taskId, actions }),
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await ask({ kind: 'close' }).catch(() => {});
      child.disconnect();
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await gone;
      clearTimeout(late);
    },
  };
}

function whenGone(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `ended with ${code}` : `was killed (${signal})`));
  });
}
