/**
 * Serves a model by a server that takes one folder of weights: it is started anew for each model, by a keeper (keeper.ts) that outlives its worker.
 * A worker that is killed meanwhile leaves an order, and the next call goes on with it.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { pause } from '../../models/limits/pauses.ts';
import { isFree } from '../../temporal/ports.ts';
import { goneFault } from '../gone-fault.ts';
import { endKept, keptStatus, startKeeper } from './kept.ts';
import {
  logFile,
  type Order,
  preparedFolder,
  readOrder,
  serverFolder,
  serverFolders,
  withServerFolder,
  writeOrder,
} from './order.ts';
import { filledIn } from './placeholders.ts';
import { portOwner, portTaken, wordsFor } from './port-owner.ts';
import { untilServing } from './readiness.ts';
import type { ServingPlace } from './server.ts';

export type Supervised = {
  start: readonly string[];
  health: string;
  port: number | null;
  startSeconds: number;
  /** Makes what the server is started with, in a folder that is its own and goes when the server does. */
  prepare?: (folder: string, signal: AbortSignal) => Promise<void>;
};

/** Facts of servers that are started anew for each model. */
export const startedAnew = {
  ...{ keepsBase: false, forgets: false, keepsWeights: false, namesModels: false },
  release: releaseSupervised,
} as const;

/** In milliseconds. */
export type ServingTimes = {
  /** Between SIGTERM and SIGKILL of a server that ends. */
  graceMs: number;
  /** How long a port may stay taken after its server has ended. */
  portMs: number;
  /** How long a server that is well may take to list its model. */
  listMs: number;
};

const usualTimes: ServingTimes = { graceMs: 30_000, portMs: 10_000, listMs: 10_000 };

const pollMs = 100;

/** @throws CruxError `Serve.PortTaken`, `Serve.Failed`, `Serve.NotTheModel`, `User.Config`; the signal's reason */
export async function serveSupervised(
  place: ServingPlace,
  server: Supervised,
  model: ServedModel,
  signal: AbortSignal,
  times = usualTimes,
): Promise<void> {
  const port = portOf(place.endpoint, server.port);
  if (isAbsolute(model.root) && !existsSync(model.root))
    throw goneFault('Serve.Failed', `The weights of "${model.name}"`, model.root);
  const folder = serverFolder(place.home, port);
  const prepared = preparedFolder(folder);
  const command = filledIn(server.start, { model: model.root, name: model.name, port: String(port), prepared });
  const { name, root, hash } = model;
  const wanted = { improvement: place.improvement, model: { name, root, hash }, command, folder: process.cwd() };
  await withServerFolder(folder, { signal }, async () => {
    let order = readOrder(folder);
    if (order === null || !isSameOrder(order, wanted) || keptStatus(folder, order.id) === null) {
      await makeWay(place, folder, port, times, signal);
      await prepareIn(prepared, server, signal);
      order = { id: randomUUID(), ...wanted };
      writeOrder(folder, order);
      rmSync(logFile(folder), { force: true });
      startKeeper(place, folder, order, times.graceMs);
      place.log('info', 'server started', { model: name, port, log: logFile(folder) });
    }
    try {
      const { health, startSeconds } = server;
      await untilServing(place, folder, order, { health, port, startSeconds, listMs: times.listMs }, signal);
    } catch (error) {
      // Nobody would end it, and it would be started again and again.
      if (error instanceof CruxError) await endKept(folder, times.graceMs);
      throw error;
    }
  });
}

/** What was left half done is gone again. */
async function prepareIn(folder: string, { prepare }: Supervised, signal: AbortSignal): Promise<void> {
  if (!prepare) return;
  makeFolder(folder);
  try {
    await prepare(folder, signal);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Ends the server of an improvement that is over. That of another one stays. */
export async function releaseSupervised(
  { endpoint, home, improvement }: ServingPlace,
  options: { port: number | null },
  times = usualTimes,
): Promise<void> {
  const folder = serverFolder(home, portOf(endpoint, options.port));
  const isOwn = () => readOrder(folder)?.improvement === improvement;
  if (!isOwn()) return;
  await withServerFolder(folder, {}, async () => {
    if (isOwn()) await endKept(folder, times.graceMs);
  });
}

/**
 * Ends the servers of a home whose improvements are over: when one of them ended, nobody was there who could. Servers of another store's improvements stay.
 * One that cannot be ended is told in the log.
 * @throws CruxError `Store.*`
 */
export async function releaseLeft(
  { home, store, log }: Pick<ServingPlace, 'home' | 'store' | 'log'>,
  signal: AbortSignal,
  times = usualTimes,
): Promise<void> {
  for (const folder of serverFolders(home)) {
    const isLeft = async () => {
      const order = readOrder(folder);
      const improvement = order && (await store.improvements.find(order.improvement));
      return improvement !== null && (improvement.finishedAt !== null || improvement.state === 'cancelled');
    };
    if (!(await isLeft())) continue;
    try {
      await withServerFolder(folder, { signal }, async () => {
        if (!(await isLeft())) return;
        await endKept(folder, times.graceMs);
        log('info', 'server of an improvement that is over ended', { folder });
      });
    } catch (error) {
      log('warn', 'a server of an improvement that is over may still run', { folder, error: errorText(error) });
    }
  }
}

/** @throws CruxError `User.Config` if the endpoint would ask at another port */
function portOf({ name, config }: Endpoint, given: number | null): number {
  const { port, protocol } = new URL(config.baseUrl);
  const asked = Number(port || (protocol === 'https:' ? 443 : 80));
  if (given === null || given === asked) return asked;
  throw new CruxError(
    'User.Config',
    `The server listens at port ${given}, and its endpoint "${name}" asks at ${asked}.`,
    {
      remedy: 'Give both the same port, or leave `port` of the server away.',
    },
  );
}

function isSameOrder({ id: _, ...known }: Order, wanted: Omit<Order, 'id'>): boolean {
  return canonicalJson(known) === canonicalJson(wanted);
}

/** @throws CruxError `Serve.PortTaken` */
async function makeWay(
  place: ServingPlace,
  folder: string,
  port: number,
  times: ServingTimes,
  signal: AbortSignal,
): Promise<void> {
  const known = readOrder(folder);
  if (known !== null && known.improvement !== place.improvement && keptStatus(folder, known.id) !== null) {
    const other = await place.store.improvements.find(known.improvement);
    if (other !== null && other.finishedAt === null)
      throw portTaken(place.endpoint.name, port, `the improvement ${known.improvement}, which is not over`);
  }
  await endKept(folder, times.graceMs);
  const until = performance.now() + times.portMs;
  while (!(await isFree(port))) {
    if (performance.now() > until) throw portTaken(place.endpoint.name, port, wordsFor(await portOwner(port)));
    await pause(pollMs, signal);
  }
}
