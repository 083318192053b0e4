/** What dialects have in common in their exchange with a service. */
import { CruxError } from '../../errors.ts';
import type { Endpoint } from '../../models/endpoint.ts';

/** Rows may be hundreds of megabytes. */
const longestUploadMs = 1_800_000;

/** Sends a form with the rows, and waits long enough for it. @throws CruxError `Model.*`; the signal's reason */
export function sentForm(endpoint: Endpoint, path: string, form: FormData, signal: AbortSignal): Promise<unknown> {
  return endpoint.within(Math.max(endpoint.config.timeoutMs, longestUploadMs)).upload(path, form, signal);
}

/** @throws CruxError `Model.Setup` for an answer of another form than the dialect's */
export function unreadable({ name }: Endpoint, what: string): never {
  throw new CruxError('Model.Setup', `The endpoint "${name}" answers otherwise than expected: ${what}.`, {
    remedy: 'Check its baseUrl, and the `dialect` of the trainer.',
  });
}

/** The figures of a training among the metrics of a step: Together and Fireworks name them `train/…`. @returns them without that */
export function ofTraining(metrics: { [name: string]: unknown }): { [name: string]: number } {
  const prefix = 'train/';
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]): [string, number][] =>
      name.startsWith(prefix) && typeof value === 'number' ? [[name.slice(prefix.length), value]] : [],
    ),
  );
}
