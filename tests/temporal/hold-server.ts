/**
 * A process that uses the embedded server of a home folder (first argument), for tests with several processes. Prints the server as
 * one line of JSON, lets go of it when its input ends.
 */
import { startEmbeddedServer } from '../../src/temporal/embedded-server.ts';

const server = await startEmbeddedServer({ home: process.argv[2] as string, report: (line) => console.error(line) });
console.log(JSON.stringify({ address: server.address, pid: server.pid, started: server.started }));
process.stdin.resume().on('end', () => void server.stop());
