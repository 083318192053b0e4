/** Whether a server lists a model under its name, with its weights. */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { ServedModel } from '../../domain/improve/contract.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Endpoint, ListedModel } from '../../models/endpoint.ts';
import { patiently } from '../patience.ts';

/** How many of the other models are named. */
const mostNamed = 8;

/**
 * @returns how the server lists the model, null if it does not; and all that it lists, in its order
 * @throws CruxError `Serve.NotTheModel` if the name has other weights; `Model.*` if the server does not say
 */
export async function listedAs(
  endpoint: Endpoint,
  model: ServedModel,
  signal: AbortSignal,
): Promise<{ found: ListedModel | null; all: ListedModel[] }> {
  const all = await endpoint.models(signal);
  const found = all.find(({ id }) => id === model.name) ?? null;
  if (found?.root == null || isSameRoot(found.root, model.root)) return { found, all };
  const words = `lists "${model.name}" with the weights ${endpoint.safeText(found.root)}, not with ${model.root}`;
  throw new CruxError('Serve.NotTheModel', `The server of the endpoint "${endpoint.name}" ${words}.`, {
    remedy:
      'Restart that server. A name is never given to other weights there: what it has computed for it may be cached.',
  });
}

/** @throws CruxError `Serve.NotTheModel` if the model is not listed, or with other weights; `Model.*` if the server does not say */
export async function requireListed(endpoint: Endpoint, model: ServedModel, signal: AbortSignal): Promise<ListedModel> {
  const { found, all } = await listedAs(endpoint, model, signal);
  if (found) return found;
  const names = all.slice(0, mostNamed).map(({ id }) => `"${endpoint.safeText(id)}"`);
  const others = names.length === 0 ? 'nothing' : names.join(', ') + (all.length > mostNamed ? ', …' : '');
  const words = `does not list "${model.name}"; it lists ${others}`;
  throw new CruxError('Serve.NotTheModel', `The server of the endpoint "${endpoint.name}" ${words}.`, {
    remedy: 'It must serve the model under exactly this name, and list it at /v1/models.',
  });
}

/**
 * Asks a model for a word: services list models that are not deployed, and deployments not at all.
 * @throws CruxError `Serve.NotTheModel` with the service's words if it has none of that name; `Model.*` if it does not say
 */
export async function requireAnswer(endpoint: Endpoint, { name }: ServedModel, signal: AbortSignal): Promise<void> {
  try {
    const messages = [{ role: 'user', content: 'Answer with OK.' }];
    await endpoint.post('/chat/completions', { model: name, messages }, signal);
  } catch (error) {
    if (!(error instanceof CruxError)) throw error;
    // It is there, and does not like the question.
    if (error.kind === 'Model.Rejected') return;
    if (error.kind !== 'Model.NotServed') throw error;
    throw new CruxError('Serve.NotTheModel', `"${name}" does not answer. ${errorText(error)}`, {
      remedy: 'Deploy the model under this name; the same command goes on.',
      cause: error,
    });
  }
}

/**
 * Asks again and again until a service has a model.
 * @param otherwise is told each time that it has not, and says whether it has it all the same
 * @throws CruxError `Serve.NotTheModel` when the time is over; what `ask` and `otherwise` throw
 */
export function untilThere(
  startSeconds: number,
  signal: AbortSignal,
  ask: () => Promise<unknown>,
  otherwise: (fault: CruxError) => Promise<boolean>,
): Promise<void> {
  const look = async () => {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof CruxError) || error.kind !== 'Serve.NotTheModel') throw error;
      if (!(await otherwise(error))) throw error;
    }
  };
  return patiently(startSeconds * 1000, signal, look, 'Serve.NotTheModel');
}

/** Folders and names of a hub are compared with their like only: a server may tell one where it was given the other. */
function isSameRoot(one: string, other: string): boolean {
  if (isAbsolute(one) !== isAbsolute(other)) return true;
  return one === other || placeOf(one) === placeOf(other);
}

function placeOf(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return root.replace(/[\\/]+$/, '');
  }
}
