/** Manners in terms of others: what is changed of the answer that a server that behaves would give. */
import type { Completion, Exchange, Manner, Reply } from './stand-in.ts';

// biome-ignore lint/suspicious/noExplicitAny: a spoilt answer has any form
type Choice = any;

/** Answers as they come, changed in place. @param only roles whose answers are changed; default: all */
export function changed(
  edit: (choice: Choice, body: Completion, exchange: Exchange) => void,
  only?: Exchange['role'],
): Manner {
  return async (exchange) => {
    const body = await exchange.answer();
    if (only === undefined || exchange.role === only) edit(body.choices[0], body, exchange);
    return { body };
  };
}

/** Spoils the first attempt of every second call of the policy; asked again it behaves. */
export function atFirst(spoilt: Manner): Manner {
  return async (exchange) => {
    const isSpoilt = exchange.role === 'policy' && exchange.repeats === 0 && exchange.numberOfRole % 2 === 1;
    return isSpoilt ? spoilt(exchange) : { body: await exchange.answer() };
  };
}

/** The same reply to every call of the policy; the others get their answers. */
export function policyGets(reply: Reply | ((exchange: Exchange) => Reply)): Manner {
  return async (exchange) => {
    if (exchange.role !== 'policy') return { body: await exchange.answer() };
    return typeof reply === 'function' ? reply(exchange) : reply;
  };
}

/** An error as OpenAI's API words it. */
export function error(
  status: number,
  message: string,
  code: string | null = null,
  type = 'invalid_request_error',
): Reply {
  return { status, body: { error: { message, type, param: null, code } } };
}

/** The words of a message in the react form, cut in the middle. */
export function half(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}
