/**
 * Serves a model by a server that takes one folder of weights: it is started anew for each model, by a keeper (keeper.ts) that outlives its worker.
 * A worker that is killed meanwhile leaves an order, and the next call goes on with it.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { extname, isAbsolute, join } from 'node:path';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';
import { HttpClient, OutOfTime } from '../../models/http-client.ts';
import { pause } from '../../models/limits/pauses.ts';
import { isFree } from '../../temporal/ports.ts';
import { endProcess, isGone, isRunning } from '../../temporal/process-identity.ts';
import { environmentWithout, withheldVariables } from '../environment.ts';
import { lastLines } from '../log-lines.ts';
import { endGroup } from '../process-group.ts';
import { requireListed } from './listed.ts';
import {
  logFile,
  type Order,
  readOrder,
  readStatus,
  removeOrder,
  type Status,
  serverFolder,
  withServerFolder,
  writeOrder,
} from './order.ts';
import { filledIn } from './placeholders.ts';
import { type PortOwner, portOwner } from './port-owner.ts';
import type { ServingPlace } from './server.ts';

export type Supervised = { start: readonly string[]; health: string; port: number | null; startSeconds: number };

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

/** A server that ended so often soon after its start will not start. */
const mostFailures = 3;
/** A keeper out of sight that is silent for this long is dead. */
const silenceMs = 60_000;
/** A keeper that was started says so within this time. */
const keeperStartMs = 30_000;
/** And ends within this time after its server has. */
const keeperGraceMs = 5_000;
const pollMs = 100;
const answerMs = 10_000;

const keeperFile = join(import.meta.dirname, `keeper${extname(import.meta.filename)}`);
/** It waits nearly always. What Node calls experimental is no news in a log. */
const nodeOptions = ['--max-semi-space-size=1', '--max-old-space-size=64', '--disable-warning=ExperimentalWarning'];

/** @throws CruxError `Serve.PortTaken`, `Serve.Failed`, `Serve.NotTheModel`, `User.Config`; the signal's reason */
export async function serveSupervised(
  place: ServingPlace,
  server: Supervised,
  model: ServedModel,
  signal: AbortSignal,
  times = usualTimes,
): Promise<void> {
  const port = portOf(place.endpoint, server.port);
  if (isAbsolute(model.root) && !existsSync(model.root)) {
    throw new CruxError('Serve.Failed', `The weights of "${model.name}" are gone: there is no ${model.root}.`, {
      remedy: 'Put the folder back; or remove the training’s folder, and give the same command again to train anew.',
    });
  }
  const folder = serverFolder(place.home, port);
  const command = filledIn(server.start, { model: model.root, name: model.name, port: String(port) });
  const { name, root, hash } = model;
  const wanted = { improvement: place.improvement, model: { name, root, hash }, command, folder: process.cwd() };
  await withServerFolder(folder, { signal }, async () => {
    let order = readOrder(folder);
    if (order === null || !isSameOrder(order, wanted) || keptStatus(folder, order.id) === null) {
      await makeWay(place, folder, port, times, signal);
      order = { id: randomUUID(), ...wanted };
      writeOrder(folder, order);
      rmSync(logFile(folder), { force: true });
      startKeeper(place, folder, order, times);
      place.log('info', 'server started', { model: name, port, log: logFile(folder) });
    }
    try {
      await untilServing(place, folder, order, server, port, signal, times);
    } catch (error) {
      // Nobody would end it, and it would be started again and again.
      if (error instanceof CruxError) await endKept(folder, times.graceMs);
      throw error;
    }
  });
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

/** What the keeper of an order says; null if it says nothing, or is dead. */
function keptStatus(folder: string, id: string): Status | null {
  const status = readStatus(folder);
  return status?.id === id && isKept(status) ? status : null;
}

function isKept({ keeper, seenAt }: Status): boolean {
  if (keeper !== null && isRunning(keeper)) return true;
  return (keeper === null || !isGone(keeper)) && Math.abs(Date.now() - seenAt) < silenceMs;
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
      throw portTaken(place, port, `the improvement ${known.improvement}, which is not over`);
  }
  await endKept(folder, times.graceMs);
  const until = performance.now() + times.portMs;
  while (!(await isFree(port))) {
    if (performance.now() > until) throw portTaken(place, port, wordsFor(await portOwner(port)));
    await pause(pollMs, signal);
  }
}

/** Ends the server in a folder and its keeper, if there are any. @returns once they are gone */
async function endKept(folder: string, graceMs: number): Promise<void> {
  const status = readStatus(folder);
  // A keeper that has not said yet that it lives sees this, and ends by itself.
  removeOrder(folder);
  if (status === null) return;
  if (status.keeper !== null && isRunning(status.keeper)) await endProcess(status.keeper, graceMs + keeperGraceMs);
  // Its keeper was killed.
  if (status.server !== null && isRunning(status.server)) await endGroup(status.server, graceMs);
}

function startKeeper(
  { config, endpoint }: ServingPlace,
  folder: string,
  { id, folder: cwd }: Order,
  { graceMs }: ServingTimes,
): void {
  const log = openSync(logFile(folder), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...nodeOptions, keeperFile, folder, id, String(graceMs)], {
      cwd,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
      // It asks for the key of its own endpoint.
      env: environmentWithout(withheldVariables(config).filter((name) => name !== endpoint.config.apiKeyEnv)),
    });
    child.on('error', () => {}); // A failed start shows in the missing status.
    child.unref();
  } finally {
    closeSync(log);
  }
}

/** @throws CruxError `Serve.Failed`, `Serve.PortTaken`, `Serve.NotTheModel` */
async function untilServing(
  place: ServingPlace,
  folder: string,
  { id, model }: Order,
  { health, startSeconds }: Supervised,
  port: number,
  signal: AbortSignal,
  times: ServingTimes,
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
      if (owner !== null) throw portTaken(place, port, wordsFor(owner));
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
        if (!(error instanceof CruxError) || passed() - wellAt > times.listMs) throw error;
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

function portTaken({ endpoint }: ServingPlace, port: number, by: string): CruxError {
  return new CruxError(
    'Serve.PortTaken',
    `Port ${port}, at which the endpoint "${endpoint.name}" asks for its models, is taken by ${by}.`,
    { remedy: 'End that, or give the endpoint and its server another port; then give the same command again.' },
  );
}

function wordsFor(owner: PortOwner | null): string {
  return owner === null ? 'another process' : `"${owner.name}", process ${owner.pid}`;
}
