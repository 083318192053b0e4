/** One call in the form that its server takes. */
import type { JsonForm } from '../../domain/run/request-shape.ts';
import type { RoleSettings } from '../../domain/run/run-config.ts';
import type { CruxError } from '../../errors.ts';
import type { Completion } from '../answers/completion.ts';
import type { Endpoint, RequestBody } from '../endpoint.ts';
import { providerOf } from '../provider.ts';
import { readScoring } from '../scoring/scoring-answer.ts';
import { isScoring, scoringRequest } from '../scoring/scoring-request.ts';
import { type JsonLadder, mayRefuseForm } from './json-ladder.ts';
import { schemaOf, type WireOptions, wireRequest } from './wire-request.ts';

export type ShapedCall = Omit<WireOptions, 'jsonForm' | 'logprobs'> & {
  /** The logical request. */
  body: RequestBody;
  /** In the journal. */
  key: string;
  /** Number of the step that the answer is, from 1. */
  step: number;
};

/**
 * Sends a call, in a chat or to a scoring endpoint. A call that wants JSON is sent in the best form that the server takes.
 * @throws CruxError `Model.*`; an `AbortError` when the signal fired
 */
export async function sendShaped(
  endpoint: Endpoint,
  ladder: JsonLadder,
  call: ShapedCall,
  signal: AbortSignal,
): Promise<Completion> {
  if (isScoring(call.settings)) {
    const { path, request, sent } = scoringRequest(call.body, call.settings);
    const { scoring } = call.settings;
    const completion = await endpoint.score(path, request, call.key, (answer) => readScoring(answer, scoring), signal);
    return { ...completion, sent };
  }
  const wantsJson = schemaOf(call.body.response_format) !== null && !isOwnFormat(call.settings);
  const provider = providerOf(endpoint.config);
  const forms: readonly JsonForm[] = wantsJson ? await ladder.forms(provider, call.settings) : ['json_schema'];
  let refusal: CruxError | null = null;
  for (const [index, jsonForm] of forms.entries()) {
    const { request, sent } = wireRequest(call.body, { ...call, jsonForm, logprobs: endpoint.config.logprobs });
    // A service that stores answers by this key must not repeat its refusal.
    const key = index === 0 ? call.key : `${call.key}-${jsonForm}`;
    try {
      const completion = await endpoint.complete(request, key, call.step, signal);
      if (wantsJson) await ladder.taken(provider, call.settings.model, jsonForm, refusal);
      return { ...completion, sent };
    } catch (error) {
      if (!wantsJson || !mayRefuseForm(error)) throw refusal !== null && mayRefuseForm(error) ? refusal : error;
      refusal ??= error;
    }
  }
  // Every form was refused, so the form was not the reason.
  throw refusal;
}

/** Whether the user's settings say how JSON is asked for. */
function isOwnFormat({ request }: RoleSettings): boolean {
  return request !== undefined && (request.omit.includes('response_format') || 'response_format' in request.set);
}
