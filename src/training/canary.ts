/** Asks a server for the log-probabilities of texts that the trainer measured, and throws if another model answers than was trained. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type Judgement,
  judgeServed,
  type MeasuredText,
  type Precision,
  tolerances,
} from '../domain/improve/canary.ts';
import { type CanaryLine, folderNames, type ServedModel } from '../domain/improve/contract.ts';
import type { CanaryFinding } from '../domain/improve/rounds.ts';
import { CruxError, errorText } from '../errors.ts';
import { servedModelOf } from '../models/answers/completion.ts';
import { isServedAs } from '../models/answers/served-model.ts';
import type { Endpoint } from '../models/endpoint.ts';
import { type Log, silent } from '../observe/log.ts';
import { byEcho, type Forcing } from './forced-text.ts';
import { patiently } from './patience.ts';
import { listedAs, requireListed } from './servers/listed.ts';

export type CanaryOptions = {
  signal: AbortSignal;
  /** Of the weights as they are served. Default `bfloat16`. */
  precision?: Precision;
  /** Throws if the server says that it does not have the model. Default: if it does not list it. */
  requireThere?: (endpoint: Endpoint, model: ServedModel, signal: AbortSignal) => Promise<unknown>;
  /** How the server is asked. Default: it repeats its prompt. */
  forcing?: Forcing;
  log?: Log;
};

/** Both sides of 32 states. More would cost more, and say no more. */
const mostTexts = 64;
const patienceMs = 120_000;

const lineSchema = z.object({
  prompt: z.array(z.int().min(0)).min(1),
  completion: z.array(z.int().min(0)).min(1),
  before: z.number(),
  after: z.number(),
});

/**
 * The texts that a training measured.
 * @param folder of the training
 * @returns none if its trainer measures none
 * @throws CruxError `Serve.NotTheModel` if the file makes no sense
 */
export function readCanary(folder: string): CanaryLine[] {
  const file = join(folder, folderNames.canary);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [canaryLine(line, `${file}, line ${index + 1}`)]));
}

function canaryLine(line: string, place: string): CanaryLine {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new CruxError('Serve.NotTheModel', `${place} is no text with its log-probabilities: ${errorText(error)}`, {
      remedy: 'docs/serving.md says what a trainer writes there; without the file only names are compared.',
    });
  }
}

/**
 * Compares what a server says with what the trainer measured. The rule is `judgeServed`. All texts are asked for twice, as many at once as in
 * an evaluation: what a server says depends on what it computes at the same time.
 * @param base the model that the training began with, if the same server has it too; else null
 * @param lines what the trainer measured; with none, only name and root are compared
 * @throws CruxError `Serve.NotTheModel` with the figures; `Model.*` if the server gives no answers
 */
export async function checkServed(
  endpoint: Endpoint,
  model: ServedModel,
  base: ServedModel | null,
  lines: readonly CanaryLine[],
  { signal, precision = 'bfloat16', requireThere = requireListed, forcing = byEcho, log = silent }: CanaryOptions,
): Promise<CanaryFinding> {
  await patiently(patienceMs, signal, () => requireThere(endpoint, model, signal));
  const asked = lines.slice(0, mostTexts);
  const ask = (name: string, line: CanaryLine) => forcedLogProbability(endpoint, name, line, forcing, signal);
  const [shortest] = asked.toSorted((one, other) => lengthOf(one) - lengthOf(other));
  if (shortest === undefined || (await ask(model.name, shortest)) === null) return named;
  const isBaseThere = base !== null && (await listedAs(endpoint, base, signal)).found !== null;
  const all = (name: string, list: readonly CanaryLine[]) =>
    atOnce(endpoint.config.concurrency, list, (line) => ask(name, line));
  const firsts = await all(model.name, asked);
  // In another order, so that other texts are computed together.
  const seconds = (await all(model.name, asked.toReversed())).toReversed();
  const bases = isBaseThere ? await all(base.name, asked) : null;
  const texts = asked.flatMap(({ completion, before, after }, index): MeasuredText[] => {
    const [first, second] = [firsts[index]!, seconds[index]!];
    const ofBase = bases === null ? null : bases[index]!;
    const isMissing = first === null || second === null || (bases !== null && ofBase === null);
    return isMissing ? [] : [{ tokens: completion.length, before, after, first, second, base: ofBase }];
  });
  if (texts.length === 0) return named;
  const judgement = judgeServed(texts, tolerances[precision]);
  const left = asked.length - texts.length;
  log('info', 'canary judged', { model: model.name, texts: texts.length, unanswered: left, ...judgement });
  const { verdict, distance, distanceToBase, noise } = judgement;
  if (verdict === 'passed' || verdict === 'no-change') return { verdict, distance, distanceToBase, noise };
  throw notTheModel(endpoint, model, judgement, precision);
}

/** Nothing but name and root was compared. */
export const named: CanaryFinding = { verdict: 'named', distance: null, distanceToBase: null, noise: null };

function lengthOf({ prompt, completion }: CanaryLine): number {
  return prompt.length + completion.length;
}

const answerSchema = z.looseObject({ choices: z.array(z.unknown()).min(1) });

/**
 * The log-probability of a completion, given its prompt, in nats.
 * @returns null if the server cannot tell
 * @throws CruxError `Serve.NotTheModel` if another model answers; `Model.*`
 */
async function forcedLogProbability(
  endpoint: Endpoint,
  name: string,
  line: CanaryLine,
  forcing: Forcing,
  signal: AbortSignal,
): Promise<number | null> {
  const request = { model: name, ...forcing.request(line), temperature: 0 };
  const body = await patiently(patienceMs, signal, async () => {
    try {
      return await endpoint.post('/completions', request, signal);
    } catch (error) {
      if (isRefusal(error)) return null;
      throw error;
    }
  });
  const answer = answerSchema.safeParse(body);
  if (!answer.success) return null;
  const { choices } = answer.data;
  const model = servedModelOf(answer.data);
  if (model !== null && !isServedAs(name, model, [])) {
    const words = `was asked for "${name}", and "${endpoint.safeText(model)}" answered`;
    throw new CruxError('Serve.NotTheModel', `The endpoint "${endpoint.name}" ${words}.`, { remedy });
  }
  const said = forcing.read(choices[0], line);
  if (said === null) return null;
  if (said.some((value) => value === null)) {
    const words = `tells log-probabilities of "${name}" that are no numbers`;
    throw new CruxError('Serve.NotTheModel', `The server of the endpoint "${endpoint.name}" ${words}.`, { remedy });
  }
  return said.reduce((sum: number, value) => sum + value!, 0);
}

/** No such request (404, 405, 501), no echo or no token ids (400, 422), or a text that is too long for it. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof CruxError)) return false;
  const isRefused =
    error.kind === 'Model.Rejected' || error.kind === 'Model.ContextLength' || error.kind === 'Model.Setup';
  return isRefused || / answered 501\b/.test(error.message);
}

function notTheModel(
  endpoint: Endpoint,
  { name }: ServedModel,
  { verdict, change, distance, distanceToBase, noise }: Judgement,
  precision: Precision,
): CruxError {
  const what =
    verdict === 'base'
      ? 'answers as the model does that the training began with: it has old weights, or the adapter is not applied'
      : 'answers neither as the trained model nor as the one before: it has other weights, or reads texts differently';
  const figures = [
    `${nats(distance)} from the trained model`,
    `${nats(distanceToBase)} from the one before`,
    `noise ${nats(noise)}`,
    `changed by the training ${nats(change)}`,
    `tolerance ${tolerances[precision]} (${precision})`,
  ];
  return new CruxError(
    'Serve.NotTheModel',
    `The server of the endpoint "${endpoint.name}" has not the weights of "${name}": it ${what} (nats a token: ${figures.join(', ')}).`,
    { remedy },
  );
}

const remedy =
  'Nothing was evaluated. Restart the server, see that it takes the model that it is given, and give the same command again.';

function nats(value: number): string {
  return value.toPrecision(3);
}

/** Does something for each item, so many at once. The results are in the order of the items. */
async function atOnce<T, Result>(
  many: number,
  items: readonly T[],
  work: (item: T) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: many }, worker));
  return results;
}
