/** Chooses the ports of the embedded server. */
import { createServer } from 'node:net';
import { CruxError } from '../errors.ts';
import { accepts } from './server-health.ts';

export const loopback = '127.0.0.1';

/** `server`: gRPC; `ui`: the web interface. */
export type ServerPorts = { server: number; ui: number };

export const usualPorts: ServerPorts = { server: 7233, ui: 8233 };

/**
 * Takes the wanted ports if they are free, and reports which others it takes instead.
 * @param required ports that the user named: taken as they are
 * @param preferred ports to try first for the rest
 * @throws CruxError User.Config if a required port is taken
 */
export async function choosePorts(
  required: Partial<ServerPorts>,
  preferred: ServerPorts,
  report: (line: string) => void,
): Promise<ServerPorts> {
  const ports: number[] = [];
  for (const name of ['server', 'ui'] as const) {
    const label = name === 'ui' ? 'UI' : name;
    const port = required[name] ?? preferred[name];
    if ((await isFree(port)) && !ports.includes(port)) {
      ports.push(port);
      continue;
    }
    if (required[name] !== undefined) {
      throw new CruxError('User.Config', `Port ${port}, given for the Temporal ${label}, is taken.`, {
        remedy: 'Name another port, or none to let Crux take a free one.',
      });
    }
    const free = await freePort();
    report(`Port ${port} is taken; the Temporal ${label} listens on ${free} instead.`);
    ports.push(free);
  }
  const [server, ui] = ports as [number, number];
  return { server, ui };
}

/** Whether nobody listens at a port of this machine. */
export async function isFree(port: number): Promise<boolean> {
  // Both checks: some systems let one bind 127.0.0.1 although a program listens on all addresses.
  return (await listenOnce(port)) !== null && !(await accepts(loopback, port, 1_000));
}

/** A port that no program uses at this moment. */
export async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === null)
    throw new CruxError('Temporal.Unavailable', 'This machine gives no free port on 127.0.0.1 to the Temporal server.');
  return port;
}

/** Listens for a moment. @returns the port, null if that fails */
function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(null));
    server.listen({ host: loopback, port }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
