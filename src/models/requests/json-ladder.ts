/**
 * How JSON answers are asked for: with their schema, as any JSON object, or by the words of the prompt alone. If a server refuses a form, it
 * is asked in the next one. The store remembers the form that it takes, for each model at its provider, so that no worker meets the refusal
 * again.
 */
import { type JsonForm, jsonForms } from '../../domain/run/request-shape.ts';
import type { RoleSettings } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import { withSealsOpened } from '../../sealed-text.ts';
import type { EndpointFacts } from '../../store/endpoint-facts.ts';
import { dialectOf } from '../dialects/dialects.ts';

export class JsonLadder {
  readonly #facts: Pick<EndpointFacts, 'find' | 'remember'>;
  readonly #anew: boolean;
  /** Best form that the server takes, by provider and model. */
  readonly #known = new Map<string, JsonForm>();

  /** @param options.anew whether to begin with the best form again, regardless of earlier findings */
  constructor(facts: Pick<EndpointFacts, 'find' | 'remember'>, { anew = false } = {}) {
    this.#facts = facts;
    this.#anew = anew;
  }

  /** The forms to try, best first: at least one. */
  async forms(provider: string, { model, dialect }: RoleSettings): Promise<readonly JsonForm[]> {
    const all = formsOf(dialect);
    const best = await this.#best(provider, model);
    const from = best === null ? 0 : all.indexOf(best);
    return all.slice(Math.max(0, from));
  }

  /**
   * Records that a form was taken, if that is news.
   * @param refusal of a better one; null for none
   */
  async taken(provider: string, model: string, form: JsonForm, refusal: CruxError | null): Promise<void> {
    const isNews = refusal !== null || (this.#anew && this.#known.get(`${provider}/${model}`) !== form);
    if (!isNews) return;
    const words = refusal?.message ?? null;
    await this.#facts.remember({ provider, model, fact: 'json-form', value: form, words });
    this.#known.set(`${provider}/${model}`, form);
  }

  async #best(provider: string, model: string): Promise<JsonForm | null> {
    const name = `${provider}/${model}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = this.#anew ? null : await this.#facts.find(provider, model, 'json-form');
    const form = jsonForms.find((candidate) => candidate === found?.value) ?? null;
    if (form !== null) this.#known.set(name, form);
    return form;
  }
}

export function formsOf(dialect: RoleSettings['dialect']): readonly JsonForm[] {
  return dialectOf(dialect).jsonForms ?? jsonForms;
}

/**
 * Whether a server may have refused the form in which JSON was asked for. A refusal that is not about the form comes again in every other
 * form, and costs nothing. Some servers report a form that they cannot handle as a fault of their own.
 */
export function mayRefuseForm(error: unknown): error is CruxError {
  if (!(error instanceof CruxError)) return false;
  if (error.kind === 'Model.Rejected') return / answered (?:400|415|422|501)\b/.test(error.message);
  return error.kind === 'Model.Transport' && aboutForm.test(withSealsOpened(error.message));
}

const aboutForm = / answered 5\d\d\b.*(?:response.?format|json.?schema|json.?object|structured|grammar)/is;
