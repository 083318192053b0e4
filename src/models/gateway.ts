/**
 * The one way to a model. In this order: the journal (a stored answer is never paid for again), the provider's limiter and rate
 * (admission.ts), the claim (no two workers make one call), the run's control row (paused, cancelled), the provider's cool-down, the ceilings
 * (call-ceilings.ts), the call, the journal. Why a call failed is decided in blame.ts. See docs/architecture.md.
 *
 * A call that was sent will be billed. So it is never given up because its caller no longer waits (a lost attempt of an activity, a cancelled
 * run): it ends with its answer, which is journaled for the next caller, or with its time limit. A caller that leaves ends only what comes
 * before sending.
 */
import { performance } from 'node:perf_hooks';
import type { Json } from '../domain/canonical-json.ts';
import type { RoleSettings } from '../domain/run/run-config.ts';
import { CruxError } from '../errors.ts';
import { inSpan } from '../observe/spans.ts';
import { SharedWork } from '../shared-work.ts';
import { contentHash } from '../store/hash.ts';
import type { Answer } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import { untilStoreIsBack } from '../store/until-store-is-back.ts';
import { UnusableAnswer } from './answers/unusable-answer.ts';
import { type ServedModel, UsableAnswers } from './answers/usable-answers.ts';
import { CallObserver, callAttributes, usageAttributes } from './call-observer.ts';
import { Endpoint, type EndpointConfig, type RequestBody } from './endpoint.ts';
import type { Attempt, Errand } from './errand.ts';
import { Admission } from './limits/admission.ts';
import { admitRun } from './limits/admit-run.ts';
import { Blame } from './limits/blame.ts';
import { holdWorstCase, worstCase } from './limits/call-ceilings.ts';
import { ClaimKeeper } from './limits/claim-keeper.ts';
import { isWorthNoting, noteWait } from './limits/noted-waits.ts';
import { firstPauseMs, pause, within } from './limits/pauses.ts';
import { PromptLengths } from './limits/prompt-length.ts';
import { Refusals } from './limits/refusals.ts';
import { answerFrom, type ModelCall, ownCallIds, requestBody, scopeOf, settingsOf, stopOf } from './model-call.ts';
import { providerOf } from './provider.ts';
import { JsonLadder } from './requests/json-ladder.ts';
import { sendShaped } from './requests/shaped-call.ts';
import { longestAnswer } from './requests/wire-request.ts';
import { seedOf } from './seed.ts';

/** A wait of up to this long is spent inside the call. A longer one is thrown with `retryAfterMs`, so that others can use the slot. */
const longestPatienceMs = 60_000;
/** A call that left looks again at least this often, because a cool-down may have been ended. */
const longestAbsenceMs = 120_000;

/** @property isNew whether the answer was not in the journal when it was asked for */
export type Asked = { answer: Answer; isNew: boolean };

export class Gateway {
  readonly #store: Store;
  readonly #endpoints = new Map<string, { endpoint: Endpoint; admission: Admission }>();
  /** By provider: endpoints may share one. */
  readonly #admissions = new Map<string, Admission>();
  readonly #configs: { [name: string]: EndpointConfig };
  readonly #calls = new SharedWork<Asked>();
  readonly #observer: CallObserver;
  readonly #claims: ClaimKeeper;
  readonly #ladder: JsonLadder;
  readonly #usable: UsableAnswers;
  readonly #refusals = new Refusals();
  readonly #blame: Blame;
  readonly #lengths = new PromptLengths();
  /** Calls that were sent and are not answered. */
  readonly #sent = new Set<AbortController>();
  readonly #paid = new Map<string, number>();

  /** @param models the models of the configuration, with their servers' names for them */
  constructor(
    store: Store,
    endpoints: { [name: string]: EndpointConfig },
    observer = new CallObserver(),
    models: { [role: string]: ServedModel } = {},
  ) {
    this.#store = store;
    this.#usable = new UsableAnswers(store.unusable, Object.values(models));
    this.#blame = new Blame(store, this.#refusals, this.#usable);
    this.#claims = new ClaimKeeper(store.claims);
    const { endpointFacts } = store;
    this.#ladder = new JsonLadder({
      find: (...model) => endpointFacts.find(...model),
      // Known only once an answer has come, which was paid for.
      remember: (fact) => untilStoreIsBack(() => endpointFacts.remember(fact)),
    });
    this.#configs = endpoints;
    this.#observer = observer;
  }

  /**
   * The answer to a call, from the journal or from the model.
   * @throws CruxError `Run.Paused`, `Run.Blocked`, `Run.Cancelled`, `Run.Budget`, `Task.Budget`, `Step.Budget`, `Model.*`
   */
  async answer(call: ModelCall, signal: AbortSignal): Promise<Answer> {
    return (await this.ask(call, signal)).answer;
  }

  /** The same, and where the answer comes from. */
  async ask(call: ModelCall, signal: AbortSignal): Promise<Asked> {
    const { settings, body, key } = keyedRequest(call);
    const scope = [call.run.id, ...call.run.reuse];
    // Reading is part of the shared work: otherwise an answer that is written meanwhile would be asked for again.
    const work = async (shared: AbortSignal) => {
      const journaled = await this.#store.journal.read(scope, key);
      if (journaled === null) return { answer: await this.#obtain(call, settings, body, key, shared), isNew: true };
      this.#observer.readJournal(call, settings.endpoint);
      await this.#usable.checkServed(call, settings, journaled.servedModel);
      return { answer: journaled, isNew: false };
    };
    return this.#calls.join(`${call.run.id}/${key}`, work, signal);
  }

  /** Resolves when no call is in progress, and every answer is written. Ends late while the store is full. */
  idle(): Promise<void> {
    return this.#calls.idle();
  }

  /** Ends the calls that were sent and are not answered. Their money is lost: this is for a process that can wait for them no longer. */
  endCalls(): void {
    for (const sent of this.#sent) sent.abort(new Error('The process ends before the model has answered.'));
  }

  /** Answers that this process has paid for, by run. */
  paidCalls(): ReadonlyMap<string, number> {
    return this.#paid;
  }

  /** How busy the endpoints are that have been used so far. */
  load(): { endpoint: string; limit: number; underWay: number; waiting: number }[] {
    return [...this.#endpoints].map(([endpoint, { admission }]) => {
      const { limit, underWay } = admission.limiter;
      return { endpoint, limit, underWay, waiting: admission.waiting };
    });
  }

  knows(endpoint: string): boolean {
    return Object.hasOwn(this.#configs, endpoint);
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
      const longest = longestAnswer(body, settings) ?? settings.maxTokens;
      const tokens = this.#lengths.expect(settings.model, body) + longest;
      const until = performance.now() + longestPatienceMs;
      const applicant = { runId: call.run.id, tokens, until, signal, queuedMs: 0 };
      const model = `${call.run.id}/${settings.endpoint}/${settings.model}`;
      const waited = { attempt: 0, wordless: 0, throttledMs: 0, notedAt: Number.NEGATIVE_INFINITY };
      const errand: Errand = { ...applicant, ...waited, call, settings, body, key, worst, endpoint, admission, model };
      for (; ; errand.attempt++) {
        const { queuedMs } = errand;
        const result = await admission.run(errand, () => {
          this.#observer.waited(endpoint.name, 'queue', errand.queuedMs - queuedMs);
          return this.#attempt(errand);
        });
        span.setAttribute('crux.requests', errand.attempt + 1);
        if ('known' in result) return result.known;
        if ('answer' in result) {
          span.setAttributes(usageAttributes(result.answer));
          return this.#write(call.run.id, result.answer);
        }
        const obstacle = 'sentAway' in result ? result.sentAway : result.later;
        const wait = 'sentAway' in result ? 'queue' : result.wait;
        const { retryAfterMs = firstPauseMs } = obstacle;
        this.#observer.waited(endpoint.name, wait ?? 'fault', retryAfterMs);
        if (wait === 'queue') errand.queuedMs += retryAfterMs;
        else if (wait === 'rate-limit' || wait === 'outage') errand.throttledMs += retryAfterMs;
        const leaves = 'sentAway' in result || performance.now() + retryAfterMs > until;
        if (wait !== undefined && (leaves || isWorthNoting(errand, wait, retryAfterMs)))
          await noteWait(this.#store, errand, wait, retryAfterMs, obstacle);
        if (leaves) throw within(obstacle, longestAbsenceMs);
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
      return obstacle;
    }
    // The same request with the same seed has the same answer: to get one with words, the next attempt uses another seed.
    if (errand.attempt === 0) errand.wordless = await this.#store.unusable.count(runId, key, 'wordless');
    const asked = errand.wordless === 0 ? key : `${key}/${errand.wordless}`;
    const seed = seedOf(call.run.seed, asked);
    const startedAt = Date.now();
    const sent = new AbortController();
    try {
      // The last moment at which leaving still saves the cost of the call.
      signal.throwIfAborted();
      this.#sent.add(sent);
      const shaped = {
        body,
        settings,
        seed,
        stop: stopOf(call),
        serverIds: ownCallIds(call),
        key: asked,
        step: call.step,
      };
      this.#refusals.sent(errand.model, key);
      const completion = await sendShaped(endpoint, this.#ladder, shaped, sent.signal);
      const { promptTokens, completionTokens } = completion;
      const isTold = promptTokens !== null && completionTokens !== null;
      admission.succeeded(errand, key, isTold ? promptTokens + completionTokens : null);
      const latencyMs = Date.now() - startedAt;
      const { throttledMs, queuedMs } = errand;
      const answer = answerFrom(call, settings, completion, { key, seed, latencyMs, throttledMs, queuedMs });
      await untilStoreIsBack(() => this.#usable.check(call, settings, answer, errand.wordless));
      this.#refusals.answered(errand.model, key);
      this.#lengths.learn(settings.model, body, promptTokens);
      this.#observer.answered(call, endpoint.name, answer);
      this.#paid.set(runId, (this.#paid.get(runId) ?? 0) + 1);
      return { answer };
    } catch (error) {
      if (error instanceof CruxError) this.#observer.failed(call, endpoint.name, error);
      this.#refusals.ended(errand.model, key);
      if (error instanceof UnusableAnswer) return await this.#blame.ofUnusable(errand, error);
      // A reservation that cannot be given up now, because the store is full, expires by itself.
      await this.#store.reservations.release(runId, key).catch(() => {});
      if (!(error instanceof CruxError)) throw error;
      return await this.#blame.ofFault(errand, error);
    } finally {
      this.#sent.delete(sent);
      this.#refusals.ended(errand.model, key);
    }
  }

  /**
   * Lets a call through (null), or says what it has to wait for. Holds the call's cost at worst against the ceilings.
   * @throws CruxError `Run.Paused`, `Run.Blocked`, `Run.Cancelled`, `Run.Budget`, `Task.Budget`, `Step.Budget`
   */
  async #obstacle({ call, key, worst, endpoint, admission }: Errand): Promise<Attempt | null> {
    const runId = call.run.id;
    const control = await this.#store.runs.control(runId);
    admitRun({ id: runId, ...control });
    const coolDown = await admission.coolDown();
    if (coolDown !== null) {
      const { waitMs, reason } = coolDown;
      // Until when the call waits stands beside the words of an outage wherever they are shown.
      const message =
        reason ?? `The endpoint "${endpoint.name}" gets no calls for another ${Math.ceil(waitMs / 1000)} s.`;
      const kind = reason === null ? 'Model.RateLimit' : 'Model.Unavailable';
      const later = new CruxError(kind, message, { retryAfterMs: waitMs });
      return { later, wait: reason === null ? 'rate-limit' : 'outage' };
    }
    const holdMs = endpoint.config.timeoutMs + longestPatienceMs;
    const later = await holdWorstCase(this.#store, scopeOf(call), key, worst, holdMs, control.ceilings);
    return later && { later, wait: 'ceiling' };
  }

  /**
   * A paid answer that cannot be written now (disk full, store locked) waits here and is written later, even when its caller no longer waits
   * for it: otherwise it would be paid for again.
   */
  async #write(runId: string, answer: Answer): Promise<Answer> {
    const written = await untilStoreIsBack(() => this.#store.journal.write(runId, answer));
    this.#claims.settled(runId, answer.key);
    return written;
  }
}

/** The key of a call in the journal. */
export function callKey(call: ModelCall): string {
  return keyedRequest(call).key;
}

function keyedRequest(call: ModelCall): { settings: RoleSettings; body: RequestBody; key: string } {
  const settings = settingsOf(call);
  const body = requestBody(call, settings);
  return { settings, body, key: contentHash([{ ...call.address }, body as Json]) };
}
