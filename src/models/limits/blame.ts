/** Decides whose failure it is that a call got no answer, and what follows: another attempt, a run that stands still, or the end of the call. */
import type { RoleSettings } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { untilStoreIsBack } from '../../store/until-store-is-back.ts';
import { mostUnusable, type UnusableAnswer } from '../answers/unusable-answer.ts';
import type { UsableAnswers } from '../answers/usable-answers.ts';
import type { Attempt, Errand } from '../errand.ts';
import { costMicroUsd, type ModelCall, scopeOf } from '../model-call.ts';
import { admitRun, blocked } from './admit-run.ts';
import { longestOutageMs } from './outage.ts';
import { backOffMs, longestPauseMs, postponed } from './pauses.ts';
import type { Refusals } from './refusals.ts';

/** A call that fails alone is not hurried: no other call shows whether the provider works. */
const longestLonePauseMs = 60_000;
/** A call whose refusal may be meant for another one asks again after this time, and later each time. */
const refusalPauseMs = 1_000;

export class Blame {
  readonly #store: Store;
  readonly #refusals: Refusals;
  readonly #usable: UsableAnswers;

  constructor(store: Store, refusals: Refusals, usable: UsableAnswers) {
    this.#store = store;
    this.#refusals = refusals;
    this.#usable = usable;
  }

  /**
   * Decides whose failure a fault is: the provider's, which stops the run or is waited for, or the call's own.
   * @returns when to try again
   * @throws CruxError `Run.Blocked` if the provider stops; `Model.Exhausted`, `Model.ContextLength`, `Model.Rejected`, `Model.Setup` if the
   * call ends
   */
  async ofFault(errand: Errand, thrown: CruxError): Promise<Attempt> {
    const { call, key, admission } = errand;
    const error = asSetup(thrown, call);
    switch (error.kind) {
      case 'Model.RateLimit':
        await this.#addFault(errand, error);
        await admission.overloaded(error.retryAfterMs);
        return { later: postponed(error, backOffMs(errand.attempt, longestPauseMs)), wait: 'rate-limit' };
      case 'Model.Transport':
      case 'Model.Unavailable':
        return this.#blameForFailure(errand, error);
      case 'Model.Rejected':
      case 'Model.Setup': {
        const times = (await this.#addFault(errand, error))[error.kind] ?? 1;
        const blame = await this.#refusals.refused(errand.model, key, times, () => this.#hasAnswered(errand));
        if (blame === 'provider') return this.#block(errand, error);
        if (blame === 'call') throw error;
        return { later: postponed(error, Math.min(longestPauseMs, refusalPauseMs * times)), wait: 'refusal' };
      }
      case 'Model.Account':
      case 'Model.Identity':
      case 'Model.NotServed':
        await this.#addFault(errand, error);
        return this.#block(errand, error);
      default:
        await this.#addFault(errand, error);
        throw error;
    }
  }

  /** A provider that answers no call cools down, and is waited for. A call that fails while others are answered is given up in the end. */
  async #blameForFailure(errand: Errand, error: CruxError): Promise<Attempt> {
    const { key, endpoint, admission } = errand;
    const failure = admission.outage.failed(key, error.kind === 'Model.Unavailable');
    if (failure.of === 'provider') {
      const { coolDownMs, lastsMs } = failure;
      await this.#addFault(errand, new CruxError('Model.Unavailable', error.message));
      if (lastsMs > longestOutageMs) return this.#block(errand, error);
      if (coolDownMs === null) return { later: postponed(error, backOffMs(errand.attempt, longestPauseMs)) };
      const waitMs = Math.max(coolDownMs, error.retryAfterMs ?? 0);
      await admission.overloaded(waitMs, error.message);
      return { later: postponed(new CruxError('Model.Unavailable', error.message), waitMs), wait: 'outage' };
    }
    const counts = await this.#addFault(errand, new CruxError('Model.Transport', error.message));
    const faults = counts['Model.Transport'] ?? 1;
    if (error.retryAfterMs !== undefined) await admission.overloaded(error.retryAfterMs);
    // Each time the user takes a run up, a call that was given up may fail as often again.
    if (faults >= endpoint.config.maxFaults * (1 + (counts['Model.Exhausted'] ?? 0))) {
      admission.outage.forget(key);
      const message = `${error.message} This was fault ${faults} of this call: it is given up.`;
      const exhausted = new CruxError('Model.Exhausted', message, { cause: error });
      await this.#addFault(errand, exhausted);
      throw exhausted;
    }
    // Faults of earlier attempts of the activity count too, so that a broken endpoint is not hammered.
    const longestMs = failure.isUrgent ? longestPauseMs : longestLonePauseMs;
    return { later: postponed(error, backOffMs(Math.max(errand.attempt, faults - 1), longestMs)) };
  }

  /**
   * Records an unusable answer, with its cost.
   * @returns the fault with the time of the next attempt
   * @throws CruxError `Run.Blocked` if another model answers, or if this one gives nothing else; `Model.Exhausted` if the call ends
   */
  async ofUnusable(errand: Errand, error: UnusableAnswer): Promise<Attempt> {
    const { call, settings, key, endpoint } = errand;
    const { reason, isBilled, promptTokens, completionTokens, servedModel } = error.answer;
    const { role, purpose } = call.address;
    const unusable = {
      ...scopeOf(call),
      ...{ key, role, purpose, model: settings.model, servedModel, reason, words: error.message },
      ...{ isBilled, promptTokens, completionTokens, at: Date.now() },
      costMicroUsd: costMicroUsd(settings, { promptTokens, completionTokens }),
    };
    await untilStoreIsBack(() => this.#store.unusable.add(unusable));
    await this.#addFault(errand, error);
    const times = await this.#store.unusable.count(call.run.id, key, reason);
    if (reason === 'wordless') errand.wordless = times;
    if (times >= Math.min(mostUnusable[reason], endpoint.config.maxFaults)) {
      const fault = await this.#usable.fault(call, error, times);
      await this.#addFault(errand, fault);
      if (fault.kind !== 'Model.Exhausted') return this.#block(errand, fault);
      throw fault;
    }
    return { later: postponed(error, backOffMs(times - 1, longestPauseMs)) };
  }

  /** The run stands still until the user acts. @throws CruxError `Run.Blocked`; the fault itself if the run is over, as under an audit */
  async #block({ call, settings, admission }: Errand, error: CruxError): Promise<never> {
    const { kind, message, remedy } = error;
    const runId = call.run.id;
    if (call.run.finishedAt !== null) throw error;
    const words = remedy === undefined ? message : `${message} ${remedy}`;
    const { endpoint, model } = settings;
    const stop = { kind, endpoint, provider: admission.provider, model, message: words, since: Date.now() };
    await this.#store.runs.block(runId, stop);
    // Others may have been faster, or may have paused the run meanwhile.
    const control = await this.#store.runs.control(runId);
    if (control.state !== 'blocked') admitRun({ id: runId, ...control });
    throw blocked(runId, control.block ?? stop, error);
  }

  #addFault({ call, key }: Errand, { kind, message }: CruxError) {
    return this.#store.journal.addFault(call.run.id, { key, role: call.address.role, kind, message });
  }

  /** Whether the model of a call has answered anything in its run, whichever process asked. */
  #hasAnswered({ call, settings }: Errand): Promise<boolean> {
    const { models } = call.run.config;
    const isSame = (other: RoleSettings) => other.model === settings.model && other.endpoint === settings.endpoint;
    const roles = Object.entries(models).flatMap(([role, other]) => (isSame(other) ? [role] : []));
    return this.#store.journal.hasAnswer(call.run.id, roles);
  }
}

/** The policy is not to blame if a trajectory's first request does not fit: it has said nothing yet. */
function asSetup(error: CruxError, { address, step }: ModelCall): CruxError {
  if (error.kind !== 'Model.ContextLength' || (address.role !== 'policy' && address.role !== 'expert') || step > 1)
    return error;
  const remedy = 'Lower `maxTokens` of the role, or serve the model with a longer context.';
  return new CruxError('Model.Setup', error.message, { remedy });
}
