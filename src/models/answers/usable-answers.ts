/**
 * Whether an answer may be used: the model that was asked gave it, and it says something. A model that gives nothing but unusable answers is
 * set up wrongly, and the run reports that. If it gives one now and then, only the call is given up.
 */
import type { RoleSettings } from '../../domain/run/run-config.ts';
import { isCandidateEvaluation } from '../../domain/run/workflow-ids.ts';
import { CruxError } from '../../errors.ts';
import type { Answer } from '../../store/journal.ts';
import type { UnusableAnswers } from '../../store/unusable-answers.ts';
import { isWordless, type ModelCall, mayBeWordless } from '../model-call.ts';
import { isSameModel, isServedAs } from './served-model.ts';
import { mostUnusable, UnusableAnswer } from './unusable-answer.ts';

/** A model of the configuration, and the names under which its server knows it. */
export type ServedModel = { endpoint: string; model: string; servedAs: readonly string[] };

/** If this many different calls in a row give nothing usable, the fault is not in one call. */
const callsInARow = 3;

export class UsableAnswers {
  readonly #known: UnusableAnswers;
  readonly #models: readonly ServedModel[];
  /** The first name under which a role's model answered, by run and role. */
  readonly #served = new Map<string, string>();
  /** Roles whose model has said something, by run and role. */
  readonly #spoken = new Set<string>();

  constructor(known: UnusableAnswers, models: readonly ServedModel[]) {
    this.#known = known;
    this.#models = models;
  }

  /**
   * @param wordless how many answers without words the call has had before
   * @throws UnusableAnswer if another model gave it, or it says nothing
   */
  async check(call: ModelCall, settings: RoleSettings, answer: Answer, wordless: number): Promise<void> {
    const { promptTokens, completionTokens, servedModel } = answer;
    const use = { isBilled: true, promptTokens, completionTokens, servedModel };
    const other = await this.#otherModel(call, settings, servedModel);
    if (other !== null) throw new UnusableAnswer(other, { reason: 'identity', ...use }, aliasRemedy(call, servedModel));
    if (!isWordless(answer.message)) this.#spoken.add(placeOf(call));
    else if (!(await this.#mayStand(call, answer, wordless))) {
      const { endpoint } = settings;
      throw new UnusableAnswer(
        wordlessText(endpoint, settings, answer),
        { reason: 'wordless', ...use },
        wordlessRemedy,
      );
    }
  }

  /**
   * The same for a journaled answer: an answer that a run reads from another run may come from another model.
   * @throws CruxError `Model.Identity`
   */
  async checkServed(call: ModelCall, settings: RoleSettings, servedModel: string | null): Promise<void> {
    const { run, address } = call;
    if (servedModel === null) return;
    const first = this.#served.get(placeOf(call)) ?? (await this.#known.servedModels(run.id))[address.role];
    // The run's own answers were checked when they came, against the names declared then.
    if (first !== undefined && isSameModel(first, servedModel)) {
      this.#served.set(placeOf(call), first);
      return;
    }
    const other = await this.#otherModel(call, settings, servedModel);
    if (other !== null) throw new CruxError('Model.Identity', other, { remedy: aliasRemedy(call, servedModel) });
  }

  /** The fault of a call that had this many unusable answers and is not asked again. */
  async fault(call: ModelCall, { message, remedy, answer }: UnusableAnswer, times: number): Promise<CruxError> {
    const { run, address } = call;
    if (answer.reason === 'identity') return new CruxError('Model.Identity', message, { remedy });
    const isSetup = await this.#known.isAllThatComes(run.id, address.role, callsInARow);
    const often = isSetup ? 'Nothing else came of this model' : 'The call is given up';
    const kind = isSetup ? 'Model.Setup' : 'Model.Exhausted';
    return new CruxError(kind, `${message} This was answer ${times} of its kind to one call. ${often}.`, { remedy });
  }

  /** @returns what is wrong; null if the model is the one that was asked for, as far as the server says */
  async #otherModel(call: ModelCall, settings: RoleSettings, served: string | null): Promise<string | null> {
    if (served === null) return null;
    const { endpoint, model } = settings;
    const { run, address } = call;
    const declared = this.#models.find((known) => known.endpoint === endpoint && known.model === model)?.servedAs ?? [];
    if (!isServedAs(model, served, declared)) {
      return `The endpoint "${endpoint}" was asked for the model "${model}", and "${served}" answered.`;
    }
    const place = placeOf(call);
    const first = this.#served.get(place) ?? (await this.#known.servedModel(run.id, address.role, served));
    this.#served.set(place, first);
    const isDeclared = (name: string) => declared.some((alias) => isSameModel(alias, name));
    if (isSameModel(first, served) || (isDeclared(first) && isDeclared(served))) return null;
    return `The model behind the endpoint "${endpoint}" has changed: it answered run ${run.id} as "${first}", and now as "${served}".`;
  }

  async #mayStand(call: ModelCall, answer: Answer, wordless: number): Promise<boolean> {
    const { run, address } = call;
    const { finishReason } = answer;
    if (finishReason === 'content_filter') return true;
    const isItsAnswer = address.role === 'policy' && endsAtOnce(answer) && wordless + 1 >= mostUnusable.wordless;
    if (!isItsAnswer && !mayBeWordless({ purpose: address.purpose, finishReason })) return false;
    // The canary has shown that the server tells what these weights say, and its policy before has spoken: the training taught it silence.
    if (isItsAnswer && isCandidateEvaluation(run.id)) return true;
    const place = placeOf(call);
    if (!this.#spoken.has(place) && (await this.#known.hasSpoken(run.id, address.role))) this.#spoken.add(place);
    return this.#spoken.has(place);
  }
}

/** A policy that is trained may learn to end its turn before it says anything. A server that lost its words tells reasoning, or counts more tokens. */
function endsAtOnce({ finishReason, reasoning, completionTokens }: Answer): boolean {
  return finishReason === 'stop' && reasoning === null && completionTokens !== null && completionTokens <= 1;
}

function placeOf({ run, address }: ModelCall): string {
  return `${run.id}/${address.role}`;
}

function aliasRemedy({ address, run }: ModelCall, served: string | null): string {
  return `If that is the same model, declare its name: models.${address.role}.servedAs: ['${served}'] in crux.config.ts; then \`crux resume ${run.id}\`. Else let the endpoint serve the model that the run began with.`;
}

function wordlessText(endpoint: string, { maxTokens }: RoleSettings, answer: Answer): string {
  const { reasoning, finishReason, completionTokens } = answer;
  const tokens = completionTokens === null ? '' : ` (${completionTokens} tokens)`;
  const came = `The endpoint "${endpoint}" gave an answer without words${tokens}`;
  if (finishReason === 'length') {
    const where = reasoning === null ? '' : ' in reasoning';
    return `${came}: its length limit of ${maxTokens} tokens was used up${where} before it said anything.`;
  }
  if (reasoning !== null)
    return `${came}: all of its text was reasoning (${reasoning.length} characters), and no tool was called.`;
  if (finishReason === 'tool_calls' || finishReason === 'function_call')
    return `${came}: it calls tools, though none was offered to it.`;
  return `${came}: no text, no reasoning, no tool call (finish_reason "${finishReason}").`;
}

const wordlessRemedy =
  'Let the server tell reasoning from the answer (its reasoning parser must fit the model), or switch thinking off for this role, e.g. by chat_template_kwargs: { enable_thinking: false } in its extraBody; where the length is used up, raise its maxTokens.';
