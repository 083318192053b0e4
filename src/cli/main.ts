/** The process of the `crux` command. Each command has its own file, which is loaded when the command is called. */
import { carryOut, failed, interrupted, makeProgram } from './program.ts';
import { listenForSignals } from './terminal/interrupt.ts';

/** Long enough for pending output to be written. */
const lingerMs = 2_000;

let unwritten: Error | null = null;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // If the reader closed it (`crux show … | head`), nobody wants the rest: the command ends as it would have.
  if (error.code !== 'EPIPE') unwritten ??= error;
});
// A closed terminal takes no output. It must not keep the command from ending in good order.
process.stderr.on('error', () => {});

const program = await makeProgram();
listenForSignals((by) => process.exit(failed(program, interrupted(by))));
const done = await carryOut(program, process.argv.slice(2));
// A failed write is reported in a turn of its own.
await new Promise((resolve) => setImmediate(resolve));
const code = done === 0 && unwritten !== null ? failed(program, unwritten) : done;
if (code !== 0) {
  process.exitCode = code;
  // Handles that a failed command left open must not keep the process alive.
  setTimeout(() => process.exit(), lingerMs).unref();
}
