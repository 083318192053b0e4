/** What is sent of a call: the logical request, which its key is made of, in the form that the endpoint takes. */
import type { EndpointConfig, RequestBody } from './endpoint.ts';

export function wireRequest(body: RequestBody, { logprobs }: EndpointConfig): RequestBody {
  // Like the seed it is no part of the call's key: asking for it does not change the answer.
  return logprobs ? { ...body, logprobs: true } : body;
}
