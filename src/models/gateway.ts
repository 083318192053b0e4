/**
 * The one way to a model. In this order: the journal (an answer that is there is never paid again), the provider's limiter and rate
 * (admission.ts), the claim (no two workers make one call), the run's control row (paused, cancelled), the provider's cool-down, the ceilings
 * (call-ceilings.ts), the call, the journal. See docs/architecture.md.
 *
 * A call that was sent will be billed. So it is never given up because nobody waits for it any more (a lost attempt of an activity, a cancelled
 * run): it ends with its answer, which is journaled for whoever asks next, or with its time limit. Leaving ends only what comes before sending.
 */
import { performance } from 'node:perf_hooks';
import type { Json } from '../domain/canonical-json.ts';
import { type RoleSettings, settingsFor } from '../domain/run-config.ts';
import { scopeOfCall } from '../domain/stream.ts';
import { CruxError, isStoreAway } from '../errors.ts';
import { inSpan } from '../observe/spans.ts';
import { SharedWork } from '../shared-work.ts';
import { objectionMs } from '../store/claims.ts';
import { contentHash } from '../store/hash.ts';
import type { Answer } from '../store/journal.ts';
import type { WorstCase } from '../store/reservations.ts';
import type { Store } from '../store/store.ts';
import { Admission, type Applicant } from './admission.ts';
import { admitRun } from './admit-run.ts';
import { holdWorstCase, worstCase } from './call-ceilings.ts';
import { CallObserver, callAttributes, usageAttributes } from './call-observer.ts';
import { ClaimKeeper } from './claim-keeper.ts';
import { Endpoint, type EndpointConfig, type RequestBody } from './endpoint.ts';
import { JsonLadder } from './json-ladder.ts';
import { answerFrom, costMicroUsd, type ModelCall, ownCallIds, requestBody } from './model-call.ts';
import { providerOf } from './provider.ts';
import { seedOf } from './seed.ts';
import { sendShaped } from './shaped-call.ts';
import { mostUnusable, UnusableAnswer } from './unusable-answer.ts';
import { type ServedModel, UsableAnswers } from './usable-answers.ts';

export type { CallAddress, ModelCall } from './model-call.ts';

/** A wait of up to this long is spent inside the call; a longer one is thrown with `retryAfterMs`, so that the slot is free for others. */
const longestPatienceMs = 60_000;
const firstPauseMs = 200;
const longestPauseMs = 10_000;

/** A call on its way to its answer. */
type Errand = Applicant & {
  call: ModelCall;
  settings: RoleSettings;
  body: RequestBody;
  key: string;
  worst: WorstCase;
  endpoint: Endpoint;
  admission: Admission;
  /** From 0. */
  attempt: number;
  /** Answers without words that the call has had. */
  wordless: number;
};

/** A paid answer that cannot be written is tried again at least this often: before its claim could be taken over. */
const longestWritePauseMs = objectionMs / 2;

/** What came of one attempt: an answer to be written, one that another worker wrote, or a reason to try again after its `retryAfterMs`. */
type Attempt = { answer: Answer } | { known: Answer } | { later: CruxError };

export class Gateway {
  readonly #store: Store;
  readonly #endpoints = new Map<string, { endpoint: Endpoint; admission: Admission }>();
  /** By provider: endpoints may share one. */
  readonly #admissions = new Map<string, Admission>();
  readonly #configs: { [name: string]: EndpointConfig };
  readonly #calls = new SharedWork<Answer>();
  readonly #observer: CallObserver;
  readonly #claims: ClaimKeeper;
  readonly #ladder: JsonLadder;
  readonly #usable: UsableAnswers;
  /** Of the calls that were sent and are not answered. */
  readonly #sent = new Set<AbortController>();
  readonly #paid = new Map<string, number>();

  /** @param models of the configuration: what their servers call them */
  constructor(
    store: Store,
    endpoints: { [name: string]: EndpointConfig },
    observer = new CallObserver(),
    models: { [role: string]: ServedModel } = {},
  ) {
    this.#store = store;
    this.#usable = new UsableAnswers(store.unusable, Object.values(models));
    this.#claims = new ClaimKeeper(store.claims);
    this.#ladder = new JsonLadder(store.endpointFacts);
    this.#configs = endpoints;
    this.#observer = observer;
  }

  /**
   * The answer to a call, from the journal or from the model.
   * @throws CruxError `Run.Paused`, `Run.Blocked`, `Run.Cancelled`, `Run.Budget`, `Task.Budget`, `Step.Budget`, `Model.*`
   */
  async answer(call: ModelCall, signal: AbortSignal): Promise<Answer> {
    const { settings, body, key } = keyedRequest(call);
    const scope = [call.run.id, ...call.run.reuse];
    // Reading is part of the shared work: an answer that is written meanwhile would else be asked for again.
    const work = async (shared: AbortSignal) => {
      const journaled = await this.#store.journal.read(scope, key);
      if (journaled === null) return this.#obtain(call, settings, body, key, shared);
      this.#observer.readJournal(call, settings.endpoint);
      await this.#usable.checkServed(call, settings, journaled.servedModel);
      return journaled;
    };
    return this.#calls.join(`${call.run.id}/${key}`, work, signal);
  }

  /** Resolves when no call is under way, and every answer is written. Ends late while the store is full. */
  idle(): Promise<void> {
    return this.#calls.idle();
  }

  /** Ends the calls that were sent and are not answered, which is money lost: for a process that can wait for them no longer. */
  endCalls(): void {
    for (const sent of this.#sent) sent.abort(new Error('The process ends before the model has answered.'));
  }

  /** Answers that this process has paid for, by run. */
  paidCalls(): ReadonlyMap<string, number> {
    return this.#paid;
  }

  /** How busy the endpoints are that were used so far. */
  load(): { endpoint: string; limit: number; underWay: number; waiting: number }[] {
    return [...this.#endpoints].map(([endpoint, { admission }]) => {
      const { limit, underWay } = admission.limiter;
      return { endpoint, limit, underWay, waiting: admission.waiting };
    });
  }

  /** @throws CruxError `User.NotFound` or `User.Config` */
  endpoint(name: string): { endpoint: Endpoint; admission: Admission } {
    const known = this.#endpoints.get(name);
    if (known) return known;
    const config = Object.hasOwn(this.#configs, name) ? this.#configs[name] : undefined;
    if (!config) {
      throw new CruxError('User.NotFound', `There is no endpoint "${name}" in the configuration.`, {
        remedy: `Known: ${Object.keys(this.#configs).join(', ') || 'none'}. Add it to \`endpoints\` of crux.config.ts.`,
      });
    }
    const provider = providerOf(config);
    const admission = this.#admissions.get(provider) ?? new Admission(this.#store, config);
    this.#admissions.set(provider, admission);
    const made = { endpoint: new Endpoint(name, config), admission };
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
    return inSpan(`model call ${call.address.role}`, callAttributes(call, settings), async (span) => {
      const { endpoint, admission } = this.endpoint(settings.endpoint);
      const worst = worstCase(body, settings);
      const until = performance.now() + longestPatienceMs;
      const applicant = { runId: call.run.id, tokens: worst.tokens, until, signal, throttledMs: 0 };
      const errand: Errand = {
        ...applicant,
        call,
        settings,
        body,
        key,
        worst,
        endpoint,
        admission,
        attempt: 0,
        wordless: 0,
      };
      for (; ; errand.attempt++) {
        const throttledMs = errand.throttledMs;
        const result = await admission.run(errand, () => {
          this.#observer.waited(endpoint.name, null, errand.throttledMs - throttledMs);
          return this.#attempt(errand);
        });
        span.setAttribute('crux.requests', errand.attempt + 1);
        if ('known' in result) return result.known;
        if ('answer' in result) {
          span.setAttributes(usageAttributes(result.answer));
          return this.#write(call.run.id, result.answer);
        }
        const obstacle = 'sentAway' in result ? result.sentAway : result.later;
        const { retryAfterMs = firstPauseMs } = obstacle;
        this.#observer.waited(endpoint.name, obstacle, retryAfterMs);
        const isThrottled = obstacle.kind === 'Model.RateLimit';
        if (isThrottled) errand.throttledMs += retryAfterMs;
        if ('sentAway' in result || performance.now() + retryAfterMs > until) {
          if (isThrottled) await this.#noteWait(errand, retryAfterMs);
          throw obstacle;
        }
        await pause(retryAfterMs, signal);
      }
    });
  }

  /** Makes a call that no other worker is making. Runs in a place of the limiter, and waits for nothing but the answer. */
  async #attempt(errand: Errand): Promise<Attempt> {
    const { call, key, admission } = errand;
    const runId = call.run.id;
    const taken = await this.#claims.take(runId, key);
    if (taken) {
      admission.spare(errand);
      return { later: taken };
    }
    let isOver = true;
    try {
      const known = await this.#store.journal.read([runId], key);
      if (known) {
        admission.spare(errand);
        return { known };
      }
      const result = await this.#send(errand);
      // The claim on a call whose answer is still to be written ends with the writing.
      isOver = !('answer' in result);
      return result;
    } finally {
      if (isOver) await this.#claims.release(runId, key);
    }
  }

  /** Sends a call if nothing stands in its way. */
  async #send(errand: Errand): Promise<Attempt> {
    const { call, settings, body, key, endpoint, admission, signal } = errand;
    const runId = call.run.id;
    const obstacle = await this.#obstacle(errand).catch((error) => {
      admission.spare(errand);
      throw error;
    });
    if (obstacle) {
      admission.spare(errand);
      return { later: obstacle };
    }
    // The same request with the same seed has the same answer: for one with words it is made with another one.
    if (errand.attempt === 0) errand.wordless = await this.#store.unusable.count(runId, key, 'wordless');
    const asked = errand.wordless === 0 ? key : `${key}/${errand.wordless}`;
    const seed = seedOf(call.run.seed, asked);
    const startedAt = Date.now();
    const sent = new AbortController();
    try {
      // The last moment at which leaving still saves the call.
      signal.throwIfAborted();
      this.#sent.add(sent);
      const stop = call.address.role === 'prm' ? [] : (call.run.config.stop ?? []);
      const shaped = { body, settings, seed, stop, serverIds: ownCallIds(call), key: asked, step: call.step };
      const completion = await sendShaped(endpoint, this.#ladder, shaped, sent.signal);
      const { promptTokens, completionTokens } = completion;
      const isTold = promptTokens !== null && completionTokens !== null;
      admission.succeeded(errand, isTold ? promptTokens + completionTokens : null);
      const latencyMs = Date.now() - startedAt;
      const { throttledMs } = errand;
      const answer = answerFrom(call, settings, completion, { key, seed, latencyMs, throttledMs });
      await this.#usable.check(call, settings, answer);
      this.#observer.answered(call, endpoint.name, answer);
      this.#paid.set(runId, (this.#paid.get(runId) ?? 0) + 1);
      return { answer };
    } catch (error) {
      if (error instanceof CruxError) this.#observer.failed(call, endpoint.name, error);
      if (error instanceof UnusableAnswer) return { later: await this.#countUnusable(errand, error) };
      // A reservation that cannot be given up now, because the store is full, expires by itself.
      await this.#store.reservations.release(runId, key).catch(() => {});
      if (!(error instanceof CruxError) || !isTransient(error)) throw error;
      return { later: await this.#countFault(errand, error) };
    } finally {
      this.#sent.delete(sent);
    }
  }

  /**
   * Lets a call through (null), or says what it has to wait for. What it may cost at worst is held against the ceilings.
   * @throws CruxError `Run.Paused`, `Run.Blocked`, `Run.Cancelled`, `Run.Budget`, `Task.Budget`, `Step.Budget`
   */
  async #obstacle({ call, key, worst, endpoint, admission }: Errand): Promise<CruxError | null> {
    const runId = call.run.id;
    const control = await this.#store.runs.control(runId);
    admitRun({ id: runId, ...control });
    const coolDownMs = await admission.coolDownMs();
    if (coolDownMs > 0) {
      const message = `The endpoint "${endpoint.name}" wants no calls for another ${Math.ceil(coolDownMs / 1000)} s.`;
      return new CruxError('Model.RateLimit', message, { retryAfterMs: coolDownMs });
    }
    const scope = scopeOfCall(runId, call.taskId, call.address);
    const holdMs = endpoint.config.timeoutMs + longestPatienceMs;
    return holdWorstCase(this.#store, scope, key, worst, holdMs, control.ceilings);
  }

  /** @returns the fault with the time of the next attempt @throws CruxError `Model.Exhausted` after too many faults */
  async #countFault({ call, key, endpoint, admission, attempt }: Errand, error: CruxError): Promise<CruxError> {
    const fault = { key, role: call.address.role, kind: error.kind, message: error.message };
    const faults = await this.#store.journal.addFault(call.run.id, fault);
    const isRateLimit = error.kind === 'Model.RateLimit';
    if (isRateLimit || error.retryAfterMs !== undefined) await admission.overloaded(error.retryAfterMs);
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
   * Notes an answer that is none, with what it cost.
   * @returns the fault with the time of the next attempt
   * @throws CruxError `Model.Identity`, `Model.Setup` or `Model.Exhausted` where there is none
   */
  async #countUnusable(errand: Errand, error: UnusableAnswer): Promise<CruxError> {
    const { call, settings, key, endpoint } = errand;
    const { reason, isBilled, promptTokens, completionTokens, servedModel } = error.answer;
    const { role, purpose } = call.address;
    await this.#store.unusable.add({
      ...scopeOfCall(call.run.id, call.taskId, call.address),
      ...{ key, role, purpose, model: settings.model, servedModel, reason, words: error.message },
      ...{ isBilled, promptTokens, completionTokens },
      costMicroUsd: costMicroUsd(settings, { promptTokens, completionTokens }),
    });
    await this.#store.journal.addFault(call.run.id, { key, role, kind: error.kind, message: error.message });
    const times = await this.#store.unusable.count(call.run.id, key, reason);
    if (reason === 'wordless') errand.wordless = times;
    if (times >= Math.min(mostUnusable[reason], endpoint.config.maxFaults)) {
      throw await this.#usable.fault(call, error, times);
    }
    const retryAfterMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (times - 1));
    return new CruxError(error.kind, error.message, { retryAfterMs, cause: error });
  }

  /** The worker does something else meanwhile: what is waited for, and how long, is for the store to tell. */
  #noteWait({ call, key, endpoint, throttledMs }: Errand, retryAfterMs: number): Promise<void> {
    return this.#store.waits.add({
      runId: call.run.id,
      key,
      role: call.address.role,
      endpoint: endpoint.name,
      until: Math.ceil(Date.now() + retryAfterMs),
      throttledMs: Math.round(throttledMs),
    });
  }

  /**
   * A paid answer that cannot be written now (disk full, store locked) waits here and is written later: also when nobody waits for it any
   * more, because it would be paid again.
   */
  async #write(runId: string, answer: Answer): Promise<Answer> {
    for (let pauseMs = 100; ; pauseMs = Math.min(longestWritePauseMs, pauseMs * 2)) {
      try {
        const written = await this.#store.journal.write(runId, answer);
        this.#claims.settled(runId, answer.key);
        return written;
      } catch (error) {
        if (!isStoreAway(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** The key of a call in the journal. */
export function callKey(call: ModelCall): string {
  return keyedRequest(call).key;
}

function keyedRequest(call: ModelCall): { settings: RoleSettings; body: RequestBody; key: string } {
  const settings = settingsFor(call.run.config, call.address.role, call.address.purpose);
  const body = requestBody(call, settings);
  return { settings, body, key: contentHash([{ ...call.address }, body as Json]) };
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
