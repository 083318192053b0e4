/**
 * The one way to a model. In this order: the journal (an answer that is there is never paid again), the run's control row (paused,
 * cancelled, ceilings), the endpoint's limiter and cool-down, the call, the journal. See docs/architecture.md.
 */
import type { Json } from '../domain/canonical-json.ts';
import type { Message, Tool } from '../domain/message.ts';
import { type Ceilings, type Role, type RoleSettings, settingsFor } from '../domain/run-config.ts';
import { CruxError } from '../errors.ts';
import { SharedWork } from '../shared-work.ts';
import { contentHash } from '../store/hash.ts';
import type { Answer, WorstCase } from '../store/journal.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { type Completion, Endpoint, type EndpointConfig, type RequestBody } from './endpoint.ts';
import { Limiter } from './limiter.ts';
import { seedOf } from './seed.ts';

/** What a call is for. Calls for different purposes never share an answer. */
export type Purpose =
  | 'explore'
  | 'propose'
  | 'score'
  | 'verify'
  | 'baseline'
  | 'placebo'
  | 'value'
  | 're-value'
  | 're-estimate'
  | 'demonstrate'
  | 'contrast'
  | 'sample'
  | 'calibrate'
  | 'reference'
  | 'evaluate';

/** Where a call stands: with the request body, this is its key in the journal. */
export type CallAddress = {
  nodeId: string;
  role: Role;
  purpose: Purpose;
  /** The rollout that the call belongs to; empty outside rollouts. */
  stream: string;
  /** Number of the sample, from 0: samples that must be independent never share an answer. */
  sample: number;
  /** How often this was asked because of the answers' content, from 0. */
  ask: number;
};

export type ModelCall = {
  run: Run;
  address: CallAddress;
  messages: Message[];
  tools: Tool[];
  /** JSON schema of the answer, where one is wanted. */
  responseFormat?: Json;
  /** Number of the step that the answer is, from 1. */
  step: number;
};

/** A wait of up to this long is spent inside the call; a longer one is thrown with `retryAfterMs`, so that the slot is free for others. */
const longestPatienceMs = 60_000;
const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** How soon a call asks again whether others, under way at their worst case, have left room under a ceiling. */
const roomPauseMs = 250;

/** What came of one attempt: an answer, or a reason to try again after its `retryAfterMs`. */
type Attempt = { answer: Answer } | { later: CruxError };

export class Gateway {
  readonly #store: Store;
  readonly #endpoints = new Map<string, { endpoint: Endpoint; limiter: Limiter }>();
  readonly #configs: { [name: string]: EndpointConfig };
  readonly #calls = new SharedWork<Answer>();

  constructor(store: Store, endpoints: { [name: string]: EndpointConfig }) {
    this.#store = store;
    this.#configs = endpoints;
  }

  /**
   * The answer to a call, from the journal or from the model.
   * @throws CruxError `Run.Paused`, `Run.Cancelled`, `Run.Budget`, `Model.*`
   */
  async answer(call: ModelCall, signal: AbortSignal): Promise<Answer> {
    const settings = settingsFor(call.run.config, call.address.role, call.address.purpose);
    const body = requestBody(call, settings);
    const key = contentHash([{ ...call.address }, body as Json]);
    const scope = [call.run.id, ...call.run.reuse];
    // Reading is part of the shared work: an answer that is written meanwhile would else be asked for again.
    const work = async (shared: AbortSignal) =>
      (await this.#store.journal.read(scope, key)) ?? this.#obtain(call, settings, body, key, shared);
    return this.#calls.join(`${call.run.id}/${key}`, work, signal);
  }

  /** Resolves when no call is under way, and every answer is written. Ends late while the store is full. */
  idle(): Promise<void> {
    return this.#calls.idle();
  }

  /** @throws CruxError `User.NotFound` or `User.Config` */
  endpoint(name: string): { endpoint: Endpoint; limiter: Limiter } {
    const known = this.#endpoints.get(name);
    if (known) return known;
    const config = Object.hasOwn(this.#configs, name) ? this.#configs[name] : undefined;
    if (!config) {
      throw new CruxError('User.NotFound', `There is no endpoint "${name}" in the configuration.`, {
        remedy: `Known: ${Object.keys(this.#configs).join(', ') || 'none'}. Add it to \`endpoints\` of crux.config.ts.`,
      });
    }
    const made = { endpoint: new Endpoint(name, config), limiter: new Limiter(config.concurrency) };
    this.#endpoints.set(name, made);
    return made;
  }

  async #obtain(
    call: ModelCall,
    settings: RoleSettings,
    body: RequestBody,
    key: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { endpoint, limiter } = this.endpoint(settings.endpoint);
    const deadline = Date.now() + longestPatienceMs;
    for (let attempt = 0; ; attempt++) {
      const result = await limiter.run(
        () => this.#attempt(call, { settings, body, key, endpoint, limiter, attempt, signal }),
        signal,
      );
      if ('answer' in result) return this.#write(call.run.id, result.answer);
      const pauseMs = result.later.retryAfterMs ?? firstPauseMs;
      if (Date.now() + pauseMs > deadline) throw result.later;
      await pause(pauseMs, signal);
    }
  }

  /** Sends a call if nothing stands in its way. Runs in a place of the limiter, and waits for nothing but the answer. */
  async #attempt(
    call: ModelCall,
    { settings, body, key, endpoint, limiter, attempt, signal }: AttemptInput,
  ): Promise<Attempt> {
    const runId = call.run.id;
    const obstacle = await this.#obstacle(runId, key, body, settings, endpoint);
    if (obstacle) return { later: obstacle };
    const seed = seedOf(call.run.seed, key);
    const startedAt = Date.now();
    try {
      const completion = await endpoint.complete({ ...body, seed }, key, call.step, signal);
      limiter.succeeded();
      return { answer: answerFrom(call, settings, key, seed, completion, Date.now() - startedAt) };
    } catch (error) {
      // A reservation that cannot be given up now, because the store is full, expires by itself.
      await this.#store.journal.release(runId, key).catch(() => {});
      if (!(error instanceof CruxError) || !isTransient(error)) throw error;
      return { later: await this.#countFault(call, key, endpoint, limiter, error, attempt) };
    }
  }

  /**
   * Lets a call through (null), or says what it has to wait for. What it may cost at worst is held against the run's ceilings.
   * @throws CruxError `Run.Paused`, `Run.Cancelled`, `Run.Budget`
   */
  async #obstacle(
    runId: string,
    key: string,
    body: RequestBody,
    settings: RoleSettings,
    endpoint: Endpoint,
  ): Promise<CruxError | null> {
    const { state, ceilings } = await this.#store.runs.control(runId);
    admitState(runId, state);
    const coolDownMs = (await this.#store.journal.coolDownUntil(endpoint.name)) - Date.now();
    if (coolDownMs > 0) {
      const message = `The endpoint "${endpoint.name}" wants no calls for another ${Math.ceil(coolDownMs / 1000)} s.`;
      return new CruxError('Model.RateLimit', message, { retryAfterMs: coolDownMs });
    }
    if (ceilings.calls === null && ceilings.tokens === null && ceilings.costMicroUsd === null) return null;
    const worst = worstCase(body, settings);
    const holdMs = endpoint.config.timeoutMs + longestPatienceMs;
    if (await this.#store.journal.reserve(runId, key, worst, holdMs, ceilings)) return null;
    const spent = await this.#store.journal.spending(runId);
    const over = firstCeilingOver(ceilings, {
      calls: spent.calls + 1,
      tokens: spent.tokens + worst.tokens,
      costMicroUsd: spent.costMicroUsd + (worst.costMicroUsd ?? 0),
    });
    if (over) {
      throw new CruxError('Run.Budget', `Run ${runId}: the ceiling of ${over} is reached.`, {
        remedy: 'Raise it with `crux budget`; the run goes on from where it stopped.',
      });
    }
    const message = `Run ${runId} is close to a ceiling: calls under way might use up the rest of it.`;
    return new CruxError('Run.Paused', message, { retryAfterMs: roomPauseMs });
  }

  /** @returns the fault with the time of the next attempt @throws CruxError `Model.Exhausted` after too many faults */
  async #countFault(
    call: ModelCall,
    key: string,
    endpoint: Endpoint,
    limiter: Limiter,
    error: CruxError,
    attempt: number,
  ): Promise<CruxError> {
    const fault = { key, role: call.address.role, kind: error.kind, message: error.message };
    const faults = await this.#store.journal.addFault(call.run.id, fault);
    const isRateLimit = error.kind === 'Model.RateLimit';
    if (isRateLimit || error.retryAfterMs !== undefined) limiter.overloaded(Date.now());
    if (error.retryAfterMs !== undefined)
      await this.#store.journal.coolDown(endpoint.name, Date.now() + error.retryAfterMs);
    if (!isRateLimit && faults >= endpoint.config.maxFaults) {
      throw new CruxError(
        'Model.Exhausted',
        `${error.message} This was fault ${faults} of this call: it is given up.`,
        { cause: error },
      );
    }
    // Faults of earlier attempts of the activity count too, so that a broken endpoint is not hammered.
    const backOffMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(attempt, faults - 1));
    // An immediate return, as some providers ask for, would be a tight loop.
    const retryAfterMs = error.retryAfterMs === undefined ? backOffMs : Math.max(firstPauseMs, error.retryAfterMs);
    return new CruxError(error.kind, error.message, { retryAfterMs, cause: error });
  }

  /**
   * A paid answer that cannot be written now (disk full, store locked) waits here and is written later: also when nobody waits for it any
   * more, because it would be paid again.
   */
  async #write(runId: string, answer: Answer): Promise<Answer> {
    for (let pauseMs = 100; ; pauseMs = Math.min(5_000, pauseMs * 2)) {
      try {
        return await this.#store.journal.write(runId, answer);
      } catch (error) {
        const canWait =
          error instanceof CruxError && (error.kind === 'Store.Full' || error.kind === 'Store.Unavailable');
        if (!canWait) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

type AttemptInput = {
  settings: RoleSettings;
  body: RequestBody;
  key: string;
  endpoint: Endpoint;
  limiter: Limiter;
  /** From 0. */
  attempt: number;
  signal: AbortSignal;
};

/** @throws CruxError when a run takes no more work */
export function admitState(runId: string, state: string): void {
  if (state === 'paused') {
    throw new CruxError('Run.Paused', `Run ${runId} is paused.`, {
      remedy: `crux resume ${runId}`,
      retryAfterMs: 5_000,
    });
  }
  if (state === 'cancelled') throw new CruxError('Run.Cancelled', `Run ${runId} is cancelled.`);
}

function requestBody(call: ModelCall, settings: RoleSettings): RequestBody {
  return {
    model: settings.model,
    messages: call.messages as Json,
    temperature: settings.temperature,
    max_tokens: settings.maxTokens,
    ...(settings.topP !== null && { top_p: settings.topP }),
    ...(call.tools.length > 0 && { tools: call.tools as unknown as Json }),
    ...(call.responseFormat !== undefined && { response_format: call.responseFormat }),
    ...settings.extraBody,
  };
}

/** A prompt has rarely more than a token for every three characters; the answer's length is limited by the request. */
function worstCase(body: RequestBody, { maxTokens, price }: RoleSettings): WorstCase {
  const promptTokens = Math.ceil(JSON.stringify([body.messages, body.tools]).length / 3);
  return {
    tokens: promptTokens + maxTokens,
    costMicroUsd: price && promptTokens * price.input + maxTokens * price.output,
  };
}

function answerFrom(
  call: ModelCall,
  settings: RoleSettings,
  key: string,
  seed: number,
  completion: Completion,
  latencyMs: number,
): Answer {
  const { promptTokens, completionTokens } = completion;
  const known = settings.price !== null && promptTokens !== null && completionTokens !== null;
  return {
    key,
    ...call.address,
    model: settings.model,
    seed,
    message: completion.message,
    finishReason: completion.finishReason,
    promptTokens,
    completionTokens,
    // A price in dollars per million tokens is one in micro-dollars per token.
    costMicroUsd: known ? promptTokens * settings.price!.input + completionTokens * settings.price!.output : null,
    latencyMs,
  };
}

function firstCeilingOver(
  ceilings: Ceilings,
  use: { calls: number; tokens: number; costMicroUsd: number },
): string | null {
  if (ceilings.calls !== null && use.calls > ceilings.calls) return `${ceilings.calls} calls`;
  if (ceilings.tokens !== null && use.tokens > ceilings.tokens) return `${ceilings.tokens} tokens`;
  if (ceilings.costMicroUsd !== null && use.costMicroUsd > ceilings.costMicroUsd)
    return `$${ceilings.costMicroUsd / 1e6}`;
  return null;
}

function isTransient(error: CruxError): boolean {
  return error.kind === 'Model.RateLimit' || error.kind === 'Model.Transport';
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, durationMs);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}
