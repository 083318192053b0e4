/** Who has a port of this machine. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { CruxError } from '../../errors.ts';

export type PortOwner = { pid: number; name: string };

/** @returns null if the system does not tell, as of processes of other users */
export async function portOwner(port: number): Promise<PortOwner | null> {
  try {
    return process.platform === 'linux' ? fromProc(port) : await fromLsof(port);
  } catch {
    return null;
  }
}

export function wordsFor(owner: PortOwner | null): string {
  return owner === null ? 'another process' : `"${owner.name}", process ${owner.pid}`;
}

/** @param endpoint its name */
export function portTaken(endpoint: string, port: number, by: string): CruxError {
  return new CruxError(
    'Serve.PortTaken',
    `Port ${port}, at which the endpoint "${endpoint}" asks for its models, is taken by ${by}.`,
    { remedy: 'End that, or give the endpoint and its server another port; then give the same command again.' },
  );
}

function fromProc(port: number): PortOwner | null {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningAt(port, `/proc/net/${table}`)));
  if (sockets.size === 0) return null;
  const pid = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((candidate) => openSockets(candidate).some((socket) => sockets.has(socket)));
  return pid === undefined ? null : { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
}

/** Inodes of the sockets that listen at a port. */
function listeningAt(port: number, table: string): string[] {
  const listening = '0A';
  return linesOf(table)
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === listening && Number.parseInt(local!.split(':')[1]!, 16) === port)
    .map((fields) => fields[9]!);
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

/** Inodes. What belongs to another user, or is gone by now, has none. */
function openSockets(pid: string): string[] {
  const targetOf = (descriptor: string) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return '';
    }
  };
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`);
    return descriptors.flatMap((descriptor) => /^socket:\[(\d+)\]$/.exec(targetOf(descriptor))?.slice(1) ?? []);
  } catch {
    return [];
  }
}

async function fromLsof(port: number): Promise<PortOwner | null> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']);
  const pid = /^p(\d+)$/m.exec(stdout)?.[1];
  return pid === undefined ? null : { pid: Number(pid), name: /^c(.+)$/m.exec(stdout)?.[1] ?? 'unknown' };
}
