import type { AddressInfo, Server } from 'node:net';
import { CruxError, errorText } from './errors.ts';

/** The remedy of commands with these options. */
export const anotherPort = 'Name another place with --port and --host; port 0 takes any.';

/**
 * Lets a server listen at a place that the user named.
 * @param remedy what to do if it cannot
 * @returns its port
 * @throws CruxError `User.Config` if nothing can listen there: the port is taken or none, or the host is no address of this machine
 */
export function listen(server: Server, host: string, port: number, remedy: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown) => {
      const message = `Nothing can listen at ${host}:${port}: ${errorText(error)}.`;
      reject(new CruxError('User.Config', message, { remedy, cause: error }));
    };
    // Kept after it listens: a connection that cannot be accepted does not end the process.
    server.on('error', refuse);
    try {
      server.listen(port, host, () => {
        resolve((server.address() as AddressInfo).port);
      });
    } catch (error) {
      // A number that is no port is thrown at once.
      refuse(error);
    }
  });
}
