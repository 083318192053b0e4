/** The functions by which a configuration names a server. What they return is plain JSON: it is stored with the improvement. */
import type { z } from 'zod';
import type { ServerKind, servers } from './index.ts';

/** What a user may write of a server, without its kind. */
type Options<Kind extends ServerKind> = Omit<z.input<(typeof servers)[Kind]['schema']>, 'kind'>;

function named<Kind extends ServerKind>(kind: Kind) {
  return (options: Options<Kind>) => ({ kind, ...options });
}

/** The server that comes with Crux, over transformers: one model at a time, started anew for each. */
export const cruxServer = (options: Options<'crux'> = {}) => named('crux')(options);

/** Any server that is started with a folder of weights: `{model}`, `{name}` and `{port}` in `start`. */
export const commandServer = named('command');

/** llama.cpp's server: each model is written as GGUF, with the tokenizer of one that you name, and served anew. */
export const llamaCpp = named('llamaCpp');

/** A vLLM that runs, into which each round's LoRA adapter is loaded. */
export const vllm = (options: Options<'vllm'> = {}) => named('vllm')(options);

/** An SGLang that runs, into which each round's adapter or weights are loaded. */
export const sglang = (options: Options<'sglang'> = {}) => named('sglang')(options);

/** The service that made the weights keeps them, under a name of its own. */
export const hosted = (options: Options<'hosted'> = {}) => named('hosted')(options);

/** A service where the weights of a job answer once you have deployed them, under the name that Crux says (Azure OpenAI). */
export const deployed = (options: Options<'deployed'> = {}) => named('deployed')(options);

/** A deployment at Fireworks, into which each round's adapter is loaded. */
export const fireworks = named('fireworks');
