/** What it means when a request gets no answer with status 200. */
import { CruxError, errorText, type FaultKind } from '../errors.ts';
import { sealedHere } from '../sealing.ts';
import { readJsonBody } from './answers/json-body.ts';
import { contextOverflow } from './context-overflow.ts';
import type { HttpAnswer } from './http-client.ts';
import { retryAfterMs } from './limits/retry-after.ts';

/** The endpoint that is at fault, and the function that takes secrets out of its server's words and cuts them. */
export type Source = { name: string; address: string; safeText: (text: string) => string };

/**
 * The fault behind a connection that failed, or was cut before the whole answer came. The client's own error stays here: it may repeat the key,
 * and whatever is thrown appears in history and logs.
 */
export function connectionFault(error: unknown, { name, address, safeText }: Source): CruxError {
  const words = causes(error);
  const kind: FaultKind = noConnection.test(words) ? 'Model.Unavailable' : 'Model.Transport';
  const what = `the connection failed (${safeText(words)})`;
  return new CruxError(kind, `The endpoint "${name}" at ${address} gave no complete answer: ${what}.`, {
    ...(kind === 'Model.Unavailable' && { remedy: 'Start its server, or correct `baseUrl` of this endpoint.' }),
  });
}

/** The fault behind an answer whose status says that it is none. In a seal the words of its body are sealed: they may quote the task. */
export function refusalFault({ status, headers, text }: HttpAnswer, { name, safeText }: Source): CruxError {
  const leadsTo = status >= 300 && status <= 399 ? headers.get('location') : null;
  if (leadsTo !== null) {
    const about = `The endpoint "${name}" answered ${status}: it redirects to ${safeText(placeOf(leadsTo))}.`;
    return new CruxError('Model.Rejected', about, { remedy: redirectRemedy });
  }
  const said = wordsOf(text);
  const about = `The endpoint "${name}" answered ${status}: ${sealedHere(safeText(said.message))}`;
  const kind = kindOf(status, said);
  return new CruxError(kind, about, {
    ...(isPassing.has(kind) && { retryAfterMs: retryAfterMs(headers, Date.now()) }),
    ...(remedies[kind] !== undefined && { remedy: remedies[kind] }),
  });
}

/** Server and path of an address: a key may stand in its query, or before the server. */
function placeOf(address: string): string {
  return address.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//');
}

/** Whether a server said that it does not know, or does not give, what it was asked for by its name. */
export function isUnknownThere(error: unknown): boolean {
  return error instanceof CruxError && (error.kind === 'Model.NotServed' || error.kind === 'Model.Rejected');
}

export function incompleteAnswer(name: string, what: string): CruxError {
  return new CruxError('Model.Transport', `The endpoint "${name}" gave no complete answer: ${what}.`);
}

const isPassing: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'Model.RateLimit',
  'Model.Transport',
  'Model.Unavailable',
]);

const remedies: { [kind in FaultKind]?: string } = {
  'Model.Account': 'Renew the key, the payment or the quota of this endpoint.',
  'Model.NotServed': 'Let the server load the model, or correct its name in crux.config.ts.',
  'Model.Rejected':
    'Check model name, key and request options of this endpoint in crux.config.ts; `crux doctor` tries them.',
  'Model.Setup': 'Lower `maxTokens` of the role, or serve the model with a longer context.',
};

const redirectRemedy =
  'Set baseUrl of this endpoint to the address at which its models answer. Only a redirect within one server that keeps the request (307, 308) is followed.';

/** @param said everything that the server said: `message` its words, `all` those and its other members */
function kindOf(status: number, said: { message: string; all: string }): FaultKind {
  const overflow = status < 500 || status === 500 ? contextOverflow(said.all) : null;
  const isLimit = status === 429 && (overflow === null || overflow.fitsAlone !== true);
  if (status === 401 || status === 402) return 'Model.Account';
  if ((status === 400 || status === 403 || status === 429) && isOutOfQuota(said.all)) return 'Model.Account';
  if (isLimit) return 'Model.RateLimit';
  // Some servers answer 500 where others answer 400 (old versions of llama.cpp, llama-cpp-python).
  if (overflow?.fitsAlone === true) return 'Model.Setup';
  if (overflow !== null || status === 413) return 'Model.ContextLength';
  if (unavailable.has(status) || (status === 500 && noServerBehind.test(said.all))) return 'Model.Unavailable';
  if (isNotServed(status, said.all)) return 'Model.NotServed';
  if (status === 408 || status === 409 || status === 425 || status >= 500) return 'Model.Transport';
  return 'Model.Rejected';
}

/** The server, or what stands before it, says that it can serve no request now. */
const unavailable: ReadonlySet<number> = new Set([502, 503, 504, 520, 521, 522, 523, 524, 529, 530]);

/** Words with which routers answer 500 when they do not reach the server behind them: LiteLLM uses those of its HTTP clients, others those of Go and Node. */
const noServerBehind =
  /cannot connect to host|connection error\b|connection refused|all connection attempts failed|ECONNREFUSED|ENOTFOUND|no such host|dial tcp/i;

/** No server listens at the address, or the address does not exist (now). */
const noConnection =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT/i;

/**
 * Whether an account is used up. Services say so by a code (OpenAI, DeepSeek, LiteLLM, DashScope) or by words (Anthropic, xAI, OpenRouter).
 * Gemini also says "exceeded your current quota" for a limit by the minute; then it says when to come back.
 */
function isOutOfQuota(said: string): boolean {
  if (usedUp.test(said)) return true;
  return (
    /exceeded your current quota|quota (?:has been )?exhausted/i.test(said) &&
    !/retry|per.?(?:minute|second)/i.test(said)
  );
}

const usedUp =
  /insufficient[_ ](?:user[_ ])?(?:quota|credits?|balance|funds)|billing_(?:hard_limit_reached|not_active)|credit balance is too low|out of credits|used all available credits|monthly (?:spending|usage) limit|exceeded your monthly|budget[_ ]exceeded|exceededbudget|over (?:your )?budget|key limit exceeded|AllocationQuota|arrearage|account (?:is )?(?:deactivated|suspended|disabled)|account_deactivated/i;

/**
 * Whether the server says that it has no such model. vLLM forgets adapters when it restarts ("The model `x` does not exist.", "LoRA adapter x does not
 * exist"), and SGLang with status 400 or 500 ("requested LoRA adapters are not loaded"); Ollama and llama.cpp say "not found", OpenAI and others have a code. A 404 for
 * a path of the server names no model.
 */
function isNotServed(status: number, said: string): boolean {
  if (status === 404) return /\b(?:model|adapter|deployment)/i.test(said) && noSuch.test(said);
  if (/\bLoRA adapters are not loaded\b/.test(said)) return true;
  return status === 400 && /\bmodel_not_found\b/.test(said);
}

const noSuch = /(?:does not|doesn't) exist|not[_ ]found|no such|unknown|cannot be found/i;

/** A server's own words, wherever it puts them: `error.message`, `message`, `detail` (FastAPI), a text, a list (Gemini). */
function wordsOf(text: string): { message: string; all: string } {
  const body = readJsonBody(text);
  const own = membersOf(body) ?? {};
  const inner = membersOf(own.error) ?? own;
  const words = [inner.message, inner.detail, inner.msg, own.error, body].find((word) => typeof word === 'string');
  const message = (words as string | undefined) ?? (text.trim() || '(no body)');
  return { message, all: `${message} ${body === undefined ? '' : JSON.stringify(body)}` };
}

/** The members of an object, or of the first object in a list; null of anything else. */
function membersOf(value: unknown): { [name: string]: unknown } | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' ? (first as { [name: string]: unknown } | null) : null;
}

/** The words of an error and of what caused it: clients hide the reason of a failed connection there. */
function causes(error: unknown): string {
  const words: string[] = [];
  for (let next = error; next instanceof Error && words.length < 4; next = next.cause) words.push(withCode(next));
  return words.join(': ') || errorText(error);
}

function withCode(error: Error): string {
  const { code } = error as { code?: unknown };
  const text = errorText(error);
  return typeof code === 'string' && !text.includes(code) ? `${text} ${code}`.trim() : text;
}
