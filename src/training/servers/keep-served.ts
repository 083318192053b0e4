/** Has a model served while a run asks it. */
import { CruxError } from '../../errors.ts';
import { pause } from '../../models/limits/pauses.ts';
import type { Log } from '../../observe/log.ts';
import type { Block } from '../../store/runs.ts';
import type { Store } from '../../store/store.ts';

const lookEveryMs = 2_000;
/** A model that is forgotten so often, each time soon after it was served, will be forgotten again. */
const mostForgotten = 3;
const soonMs = 60_000;

/**
 * Serves a model again when its server forgot it (`Model.NotServed`), as vLLM forgets adapters when it restarts, and lets the run go on. Ends with the run.
 * @param serve is idempotent
 * @throws CruxError what `serve` throws, while the run stays blocked; `Serve.Failed` if the server forgets it at once, again and again; the signal's reason
 */
export async function keepServed(
  { runs }: Pick<Store, 'runs'>,
  runId: string,
  serve: () => Promise<void>,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<void> {
  let forgotten = 0;
  let servedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const { finishedAt, block } = await runs.get(runId);
    if (finishedAt !== null) return;
    if (block?.kind === 'Model.NotServed') {
      forgotten = performance.now() - servedAt < soonMs ? forgotten + 1 : 1;
      if (forgotten > mostForgotten) throw forgottenAgain(block);
      await serve();
      servedAt = performance.now();
      if (await runs.unblock(runId, block)) log('warn', 'model served again', { run: runId, model: block.model });
    }
    await pause(lookEveryMs, signal);
  }
}

function forgottenAgain({ endpoint, model, message }: Block): CruxError {
  return new CruxError(
    'Serve.Failed',
    `The server of the endpoint "${endpoint}" was given "${model}" ${mostForgotten} times, and says each time that it does not have it: ${message}`,
    { remedy: 'See its log: several servers behind one address must all have the model.' },
  );
}
