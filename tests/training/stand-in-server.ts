/**
 * A stand-in for vLLM with LoRA adapters, over real HTTP: it loads and unloads adapters, lists models with root and parent, and tells log-probabilities of
 * forced texts, in vLLM's own words. Its models are those of table-model.ts. It can be told to do what real servers do wrong.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Json } from '../../src/domain/canonical-json.ts';
import type { TemplateMessage } from '../../src/export/conversation/hugging-face-messages.ts';
import type { ChatTokenizer } from '../../src/export/tokens/tokenizer.ts';
import { baseWeights, logProbabilities, readWeights, type Weights } from './table-model.ts';

export type Faults = {
  /** What is loaded has the weights that were loaded first. */
  keepsOldWeights: boolean;
  /** Adapters are listed, and the base answers. */
  appliesNothing: boolean;
  /** A token that its template puts before each text, and does not tell. */
  prefix: number | null;
  /** Offset of a log-probability by what else is computed, at most, in nats a token. */
  noise: number;
  /** It says nothing about the texts it is given. */
  logprobs: 'told' | 'refused' | 'not-repeated' | 'NaN';
  /** Adapters can be loaded while it runs (`VLLM_ALLOW_RUNTIME_LORA_UPDATING`). */
  loadsAdapters: boolean;
  /** Chats: how it renders them, and how it tells that. Null for a server that has no chats. */
  chats: { tokenizer: ChatTokenizer; tells: 'tokenize' | 'apply-template' | 'usage' } | null;
  /** What it calls the model in its answers; null for what it was asked for. */
  answersAs: string | null;
};

const none: Faults = {
  keepsOldWeights: false,
  appliesNothing: false,
  prefix: null,
  noise: 0,
  logprobs: 'told',
  loadsAdapters: true,
  chats: null,
  answersAs: null,
};

type Chat = { messages?: TemplateMessage[]; content?: string; chat_template_kwargs?: { [name: string]: Json } };
type Answer = { status: number; body: unknown };

export class StandIn {
  readonly faults: Faults;
  /** Paths of its requests, in their order. */
  readonly requests: string[] = [];
  /** Forced texts that were answered at the same time, at most. */
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #adapters = new Map<string, { root: string; weights: Weights }>();
  #firstLoaded: Weights | null = null;
  #server: Server | null = null;
  #port = 0;

  constructor(faults: Partial<Faults> = {}) {
    this.faults = { ...none, ...faults };
    onTestFinished(() => this.stop());
  }

  get port(): number {
    return this.#port;
  }

  get adapters(): string[] {
    return [...this.#adapters.keys()];
  }

  /** Begins with no adapter, at the port that it had before. */
  async start(): Promise<void> {
    this.#adapters.clear();
    const server = createServer(async (request, response) => {
      const { status, body } = await this.#answer(request);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Loads an adapter as somebody else would. */
  load(name: string, root: string): void {
    const weights = readWeights(root);
    this.#firstLoaded ??= weights;
    this.#adapters.set(name, { root, weights: this.faults.keepsOldWeights ? this.#firstLoaded : weights });
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = request.url!.replace(/^\/v1/, '');
    this.requests.push(path);
    if (path === '/models') return { status: 200, body: { object: 'list', data: this.#cards() } };
    const body = JSON.parse(await textOf(request)) as { [name: string]: unknown };
    const chat = this.faults.chats && this.#chat(path, body as Chat);
    if (chat) return chat;
    switch (path) {
      case '/load_lora_adapter':
        return this.#load(String(body.lora_name), String(body.lora_path));
      case '/unload_lora_adapter':
        return this.#unload(String(body.lora_name));
      case '/completions':
        return this.#complete(String(body.model), body.prompt as number[]);
      default:
        return notFound;
    }
  }

  /** Each way in the words of a server that has it: vLLM, llama.cpp, any. */
  #chat(path: string, { messages, content = '', chat_template_kwargs: more }: Chat): Answer | null {
    const { tokenizer, tells } = this.faults.chats!;
    const prompt = messages ? tokenizer.render(messages, [], true, more) : content;
    const tokens = tokenizer.encode(prompt);
    switch (`${tells} ${path}`) {
      case 'tokenize /tokenize':
        return { status: 200, body: { count: tokens.length, max_model_len: 4096, tokens } };
      case 'apply-template /apply-template':
        return { status: 200, body: { prompt } };
      case 'apply-template /tokenize':
        return { status: 200, body: { tokens: messages ? [] : tokens } };
      case 'usage /chat/completions':
        return { status: 200, body: { choices: [], usage: { prompt_tokens: tokens.length, completion_tokens: 1 } } };
      default:
        return null;
    }
  }

  #cards() {
    const base = { id: 'base', object: 'model', owned_by: 'vllm', root: 'hub/base', parent: null };
    const adapters = [...this.#adapters].map(([id, { root }]) => ({ ...base, id, root, parent: 'base' }));
    return [base, ...adapters];
  }

  #load(name: string, root: string): Answer {
    if (!this.faults.loadsAdapters) return notFound;
    if (this.#adapters.has(name)) {
      const words = "If you want to load the adapter in place, set 'load_inplace' to True.";
      return refusal(400, `The lora adapter '${name}' has already been loaded. ${words}`, 'InvalidUserInput');
    }
    try {
      this.load(name, root);
    } catch {
      return refusal(404, `Loading lora ${name} failed: No adapter found for ${root}`, 'NotFoundError');
    }
    return { status: 200, body: `Success: LoRA adapter '${name}' added successfully.` };
  }

  #unload(name: string): Answer {
    if (!this.#adapters.delete(name))
      return refusal(404, `The lora adapter '${name}' cannot be found.`, 'NotFoundError');
    return { status: 200, body: `Success: LoRA adapter '${name}' removed successfully.` };
  }

  async #complete(name: string, prompt: number[]): Promise<Answer> {
    const adapter = this.#adapters.get(name);
    if (!adapter && name !== 'base') return refusal(404, `The model \`${name}\` does not exist.`, 'NotFoundError');
    if (this.faults.logprobs === 'refused') return refusal(400, 'echo is not supported', 'BadRequestError');
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    // What comes at the same time is computed together.
    await new Promise((resolve) => setImmediate(resolve));
    const together = this.#atOnce--;
    const weights = adapter && !this.faults.appliesNothing ? adapter.weights : baseWeights;
    const { prefix, noise } = this.faults;
    const said = logProbabilities(weights, prefix === null ? prompt : [prefix, ...prompt]);
    const told = said.map((value) => value && value + noise * (2 * Math.random() - 1) * (together > 1 ? 1 : 0.5));
    const list = { told: [...told, -1], NaN: [...told.map(() => Number.NaN), -1] };
    const token_logprobs = list[this.faults.logprobs as keyof typeof list] ?? [-1];
    const choice = { index: 0, text: '', finish_reason: 'length', logprobs: { token_logprobs, tokens: [] } };
    return {
      status: 200,
      body: { object: 'text_completion', model: this.faults.answersAs ?? name, choices: [choice] },
    };
  }
}

const notFound: Answer = { status: 404, body: { detail: 'Not Found' } };

function refusal(status: number, message: string, type: string): Answer {
  return { status, body: { error: { message, type, param: null, code: status } } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
