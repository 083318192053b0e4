/**
 * A process that uses the embedded server of a home folder (first argument), for tests with several processes. The second argument says how: `start`
 * (default) or `visit`. Prints the server as one line of JSON, lets go of it when its input ends.
 */
import { joinEmbeddedServer, startEmbeddedServer } from '../../src/temporal/embedded-server.ts';

const options = { home: process.argv[2] as string, report: (line: string) => console.error(line) };
const server =
  process.argv[3] === 'visit' ? await joinEmbeddedServer(options, 'visit') : await startEmbeddedServer(options);
if (server === null) throw new Error('There is no server to visit.');
console.log(JSON.stringify({ address: server.address, pid: server.pid, started: server.started }));
process.stdin.resume().on('end', () => void server.stop());
