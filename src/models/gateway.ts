/**
 * The one way to a model. In this order: the journal (an answer that is there is never paid again), the run's control row (paused,
 * cancelled, ceilings), the endpoint's limiter and cool-down, the call, the journal. See docs/architecture.md.
 */
import type { Json } from '../domain/canonical-json.ts';
import type { Message, Tool } from '../domain/message.ts';
import type { Ceilings, Role, RoleSettings } from '../domain/run-config.ts';
import { CruxError } from '../errors.ts';
import { contentHash } from '../store/hash.ts';
import type { Answer } from '../store/journal.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { type Completion, Endpoint, type EndpointConfig, type RequestBody } from './endpoint.ts';
import { Limiter } from './limiter.ts';
import { seedOf } from './seed.ts';

/** What a call is for. Calls for different purposes never share an answer. */
export type Purpose = 'explore' | 'propose' | 'score' | 'verify' | 'baseline' | 'placebo' | 'value' | 'evaluate';

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

export class Gateway {
  readonly #store: Store;
  readonly #endpoints = new Map<string, { endpoint: Endpoint; limiter: Limiter }>();
  readonly #configs: { [name: string]: EndpointConfig };
  readonly #underWay = new Map<string, Promise<Answer>>();

  constructor(store: Store, endpoints: { [name: string]: EndpointConfig }) {
    this.#store = store;
    this.#configs = endpoints;
  }

  /**
   * The answer to a call, from the journal or from the model.
   * @throws CruxError `Run.Paused`, `Run.Cancelled`, `Run.Budget`, `Model.*`
   */
  async answer(call: ModelCall, signal: AbortSignal): Promise<Answer> {
    const settings = call.run.config.models[call.address.role];
    const body = requestBody(call, settings);
    const key = contentHash([{ ...call.address }, body as Json]);
    const journaled = await this.#store.journal.read([call.run.id, ...call.run.reuse], key);
    if (journaled) return journaled;
    const scopedKey = `${call.run.id}/${key}`;
    const shared = this.#underWay.get(scopedKey);
    if (shared) return shared;
    const mine = this.#obtain(call, settings, body, key, signal).finally(() => this.#underWay.delete(scopedKey));
    this.#underWay.set(scopedKey, mine);
    return mine;
  }

  /** @throws CruxError `User.NotFound` or `User.Config` */
  endpoint(name: string): { endpoint: Endpoint; limiter: Limiter } {
    const known = this.#endpoints.get(name);
    if (known) return known;
    const config = this.#configs[name];
    if (!config) {
      throw new CruxError('User.NotFound', `There is no endpoint "${name}" in the configuration.`, {
        remedy: `Known: ${Object.keys(this.#configs).join(', ') || 'none'}. Add it to \`endpoints\` of crux.config.ts.`,
      });
    }
    const made = { endpoint: new Endpoint(name, config), limiter: new Limiter(config.concurrency) };
    this.#endpoints.set(name, made);
    return made;
  }

  async #obtain(call: ModelCall, settings: RoleSettings, body: RequestBody, key: string, signal: AbortSignal): Promise<Answer> {
    const { endpoint, limiter } = this.endpoint(settings.endpoint);
    const seed = seedOf(call.run.seed, key);
    const deadline = Date.now() + longestPatienceMs;
    for (let attempt = 0; ; attempt++) {
      await this.#awaitCoolDown(endpoint, deadline, signal);
      try {
        const answer = await limiter.run(async () => {
          await this.#admit(call.run.id, key, body, settings, endpoint);
          const startedAt = Date.now();
          const completion = await endpoint.complete({ ...body, seed }, key, call.step, signal);
          limiter.succeeded();
          return answerFrom(call, settings, key, seed, completion, Date.now() - startedAt);
        }, signal);
        return await this.#write(call.run.id, answer, signal);
      } catch (error) {
        await this.#store.journal.release(call.run.id, key);
        if (!(error instanceof CruxError) || !isTransient(error)) throw error;
        const pauseMs = await this.#countFault(call, key, endpoint, limiter, error, attempt);
        if (Date.now() + pauseMs > deadline) {
          throw new CruxError(error.kind, error.message, { retryAfterMs: pauseMs, cause: error });
        }
        await pause(pauseMs, signal);
      }
    }
  }

  /** A cool-down is no fault of this call: it waits, or comes back when it is over. */
  async #awaitCoolDown(endpoint: Endpoint, deadline: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = (await this.#store.journal.coolDownUntil(endpoint.name)) - Date.now();
      if (leftMs <= 0) return;
      if (Date.now() + leftMs > deadline) {
        const seconds = Math.ceil(leftMs / 1000);
        throw new CruxError('Model.RateLimit', `The endpoint "${endpoint.name}" wants no calls for another ${seconds} s.`, {
          retryAfterMs: leftMs,
        });
      }
      await pause(leftMs, signal);
    }
  }

  /** Lets a call through, or says why not. What it may cost at worst is held against the run's ceilings. */
  async #admit(runId: string, key: string, body: RequestBody, settings: RoleSettings, endpoint: Endpoint): Promise<void> {
    const { state, ceilings } = await this.#store.runs.control(runId);
    admitState(runId, state);
    if (ceilings.calls === null && ceilings.tokens === null && ceilings.costMicroUsd === null) return;
    const promptTokens = Math.ceil(JSON.stringify(body.messages).length / 3);
    const tokens = promptTokens + settings.maxTokens;
    const cost = settings.price && promptTokens * settings.price.input + settings.maxTokens * settings.price.output;
    await this.#store.journal.reserve(runId, key, tokens, cost, endpoint.config.timeoutMs + longestPatienceMs);
    const spending = await this.#store.journal.spending(runId, key);
    const over = firstCeilingOver(ceilings, {
      calls: spending.calls + 1,
      tokens: spending.tokens + tokens,
      costMicroUsd: spending.costMicroUsd + (cost ?? 0),
    });
    if (over) {
      throw new CruxError('Run.Budget', `Run ${runId}: the ceiling of ${over} is reached.`, {
        remedy: 'Raise it with `crux budget`; the run goes on from where it stopped.',
      });
    }
  }

  /** @returns how long to wait before the next attempt, in milliseconds @throws CruxError `Model.Exhausted` after too many faults */
  async #countFault(call: ModelCall, key: string, endpoint: Endpoint, limiter: Limiter, error: CruxError, attempt: number): Promise<number> {
    const fault = { key, role: call.address.role, kind: error.kind, message: error.message };
    const faults = await this.#store.journal.addFault(call.run.id, fault);
    const backOffMs = Math.min(10_000, firstPauseMs * 2 ** attempt);
    if (error.kind === 'Model.RateLimit') {
      limiter.overloaded(Date.now());
      if (error.retryAfterMs !== undefined) await this.#store.journal.coolDown(endpoint.name, Date.now() + error.retryAfterMs);
    } else if (faults >= endpoint.config.maxFaults) {
      throw new CruxError('Model.Exhausted', `${error.message} This was fault ${faults} of this call: it is given up.`, { cause: error });
    }
    return error.retryAfterMs ?? backOffMs;
  }

  /** A paid answer that cannot be written now (disk full, store locked) waits here and is written later. */
  async #write(runId: string, answer: Answer, signal: AbortSignal): Promise<Answer> {
    for (let pauseMs = 100; ; pauseMs = Math.min(5_000, pauseMs * 2)) {
      try {
        return await this.#store.journal.write(runId, answer);
      } catch (error) {
        const canWait = error instanceof CruxError && (error.kind === 'Store.Full' || error.kind === 'Store.Unavailable');
        if (!canWait) throw error;
      }
      await pause(pauseMs, signal);
    }
  }
}

/** @throws CruxError when a run takes no more work */
export function admitState(runId: string, state: string): void {
  if (state === 'paused') {
    throw new CruxError('Run.Paused', `Run ${runId} is paused.`, { remedy: `crux resume ${runId}`, retryAfterMs: 2_000 });
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

function answerFrom(call: ModelCall, settings: RoleSettings, key: string, seed: number, completion: Completion, latencyMs: number): Answer {
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

function firstCeilingOver(ceilings: Ceilings, use: { calls: number; tokens: number; costMicroUsd: number }): string | null {
  if (ceilings.calls !== null && use.calls > ceilings.calls) return `${ceilings.calls} calls`;
  if (ceilings.tokens !== null && use.tokens > ceilings.tokens) return `${ceilings.tokens} tokens`;
  if (ceilings.costMicroUsd !== null && use.costMicroUsd > ceilings.costMicroUsd) return `$${ceilings.costMicroUsd / 1e6}`;
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
