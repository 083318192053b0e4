/** What a request that got no answer with status 200 means. */
import OpenAI from 'openai';
import { CruxError, errorText } from '../errors.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * The fault behind an error of the `openai` package. The provider's own error stays here: it may repeat the key, and what is thrown ends in
 * history and logs.
 * @param safeText takes secrets out of the server's words and cuts them
 */
export function endpointFault(
  error: unknown,
  { name, safeText }: { name: string; safeText: (text: string) => string },
): CruxError {
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
    return incompleteAnswer(name, `the connection failed (${safeText(causes(error))})`);
  }
  const { status, message, code } = error;
  const about = `The endpoint "${name}" answered ${status}: ${safeText(message)}`;
  const retry = { retryAfterMs: retryAfterMs(error.headers, Date.now()) };
  if (status === 429) return new CruxError('Model.RateLimit', about, retry);
  if (status === 408 || status === 409 || status >= 500) return new CruxError('Model.Transport', about, retry);
  if (status === 413 || code === 'context_length_exceeded' || (status < 429 && contextLength.test(message))) {
    return new CruxError('Model.ContextLength', about);
  }
  return new CruxError('Model.Rejected', about, {
    remedy: 'Check model name, key and request options of this endpoint in crux.config.ts; `crux doctor` tries them.',
  });
}

export function incompleteAnswer(name: string, what: string): CruxError {
  return new CruxError('Model.Transport', `The endpoint "${name}" gave no complete answer: ${what}.`);
}

/** How providers and servers say that a conversation does not fit. */
const contextLength =
  /context.{0,10}(?:length|size|limit|window)|maximum context|too many tokens|prompt is too long|exceeds the maximum number of tokens/i;

/** The words of an error and of what caused it: clients hide the reason of a failed connection there. */
function causes(error: unknown): string {
  const words: string[] = [];
  for (let next = error; next instanceof Error && words.length < 4; next = next.cause) words.push(errorText(next));
  return words.join(': ') || errorText(error);
}
