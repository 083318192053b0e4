/** Waits until a server that was ordered is well and lists its model. */
import { CruxError, errorText } from '../../errors.ts';
import { HttpClient, OutOfTime } from '../../models/http-client.ts';
import { pause } from '../../models/limits/pauses.ts';
import { lastLines } from '../log-lines.ts';
import { keptStatus } from './kept.ts';
import { requireListed } from './listed.ts';
import { logFile, type Order } from './order.ts';
import { portOwner, portTaken, wordsFor } from './port-owner.ts';
import type { ServingPlace } from './server.ts';

/** A server that ended so often soon after its start will not start. */
const mostFailures = 3;
/** A keeper that was started says so within this time. */
const keeperStartMs = 30_000;
const pollMs = 100;
const answerMs = 10_000;

export type Readiness = {
  /** Path that answers with status 200 once the server can take requests. */
  health: string;
  port: number;
  /** How long that may take. */
  startSeconds: number;
  /** How long a server that is well may take to list its model. */
  listMs: number;
};

/** @throws CruxError `Serve.Failed`, `Serve.PortTaken`, `Serve.NotTheModel` */
export async function untilServing(
  place: ServingPlace,
  folder: string,
  { id, model }: Order,
  { health, port, startSeconds, listMs }: Readiness,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const passed = () => performance.now() - startedAt;
  const endpoint = place.endpoint.within(answerMs);
  const { origin } = new URL(endpoint.config.baseUrl);
  const client = new HttpClient({ baseUrl: origin, headers: {}, timeoutMs: answerMs });
  let wellAt: number | null = null;
  for (;;) {
    const status = keptStatus(folder, id);
    if (status !== null && status.failures >= mostFailures) {
      const owner = status.server === null ? await portOwner(port) : null;
      if (owner !== null) throw portTaken(endpoint.name, port, wordsFor(owner));
      throw failed(place, folder, model, `ended ${status.failures} times soon after its start (${status.lastEnd})`);
    }
    if (status === null && passed() > keeperStartMs)
      throw failed(place, folder, model, 'is not started: the process that keeps it has ended');
    const why = status === null ? 'it is not started yet' : await whyUnwell(client, health, signal);
    if (why === null) {
      wellAt ??= passed();
      try {
        await requireListed(endpoint, model, signal);
        return;
      } catch (error) {
        if (!(error instanceof CruxError) || passed() - wellAt > listMs) throw error;
      }
    } else {
      wellAt = null;
      if (passed() > startSeconds * 1000)
        throw failed(place, folder, model, `did not answer at ${health} within ${startSeconds} s: ${why}`);
    }
    await pause(pollMs, signal);
  }
}

/** @returns null if the server answers that it is well */
async function whyUnwell(client: HttpClient, path: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { status } = await client.send({ path }, signal);
    return status >= 200 && status <= 299 ? null : `it answered ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof OutOfTime ? `no answer within ${answerMs / 1000} s` : errorText(error);
  }
}

function failed({ endpoint }: ServingPlace, folder: string, { name }: { name: string }, what: string): CruxError {
  const log = logFile(folder);
  const lines = lastLines(log, process.env);
  const end = lines === '' ? 'It printed nothing.' : `It printed last:\n${lines}`;
  return new CruxError(
    'Serve.Failed',
    `The server of "${name}" for the endpoint "${endpoint.name}" ${what}. ${end}\nThe whole log is ${log}.`,
    { remedy: 'Mend what it says, and give the same command again; nothing that was trained is lost.' },
  );
}
