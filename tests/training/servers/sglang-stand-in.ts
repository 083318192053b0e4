/**
 * A stand-in for SGLang over real HTTP, with its routes and words: it answers under whatever name it is asked for, by the adapter behind a colon or by the
 * weights that it has. Its models are those of table-model.ts.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { baseWeights, logProbabilities, readWeights, type Weights } from '../table-model.ts';

export type SglangFaults = {
  /** Started with `--enable-lora`. */
  takesAdapters: boolean;
  /** What is loaded is noted, and the weights stay. */
  keepsWeights: boolean;
};

type Answer = [status: number, body: object];

export class SglangStandIn {
  readonly faults: SglangFaults;
  /** Paths of its requests, in their order. */
  readonly requests: string[] = [];
  readonly adapters = new Map<string, { path: string; weights: Weights }>();
  #weights = { path: 'hub/base', version: 'default', table: baseWeights };
  #server: Server | null = null;

  constructor(faults: Partial<SglangFaults> = {}) {
    this.faults = { takesAdapters: true, keepsWeights: false, ...faults };
    onTestFinished(() => void this.#server?.close());
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const [status, body] = this.#answer(request.url!, Buffer.concat(chunks).toString('utf8'));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
  }

  /** As after a restart. */
  forget(): void {
    this.adapters.clear();
    this.#weights = { path: 'hub/base', version: 'default', table: baseWeights };
  }

  #answer(path: string, text: string): Answer {
    this.requests.push(path);
    const body = text === '' ? {} : JSON.parse(text);
    const { path: model_path, version: weight_version } = this.#weights;
    switch (path) {
      case '/model_info':
        return [200, { model_path, weight_version, is_generation: true }];
      case '/v1/models':
        return [200, { object: 'list', data: [{ id: model_path, root: model_path, owned_by: 'sglang' }] }];
      case '/load_lora_adapter':
        return this.#load(body.lora_name, body.lora_path);
      case '/update_weights_from_disk':
        return this.#update(body.model_path, body.weight_version);
      case '/v1/completions':
        return this.#complete(body.model, body.prompt);
      default:
        return [404, { detail: 'Not Found' }];
    }
  }

  #load(name: string, path: string): Answer {
    const refused = (error_message: string): Answer => [400, { success: false, error_message, loaded_adapters: null }];
    if (!this.faults.takesAdapters) return refused('LoRA is not enabled. Please set `--enable-lora` to enable LoRA.');
    if (this.adapters.has(name)) return refused(`LoRA with name ${name} already exists. Loaded LoRAs: ${name}`);
    try {
      this.adapters.set(name, { path, weights: this.faults.keepsWeights ? baseWeights : readWeights(path) });
    } catch {
      return refused(`Failed to load LoRA adapter ${name}: no such folder`);
    }
    return [200, { success: true, error_message: '', loaded_adapters: { [name]: path } }];
  }

  #update(path: string, version: string): Answer {
    try {
      const table = path === 'hub/base' ? baseWeights : readWeights(path);
      this.#weights = { path, version, table: this.faults.keepsWeights ? this.#weights.table : table };
    } catch {
      return [400, { success: false, message: `Failed to get weights iterator: ${path}.`, num_paused_requests: 0 }];
    }
    return [
      200,
      { success: true, message: `Succeeded to update model weights. Weight version updated to ${version}.` },
    ];
  }

  #complete(model: string, prompt: number[]): Answer {
    const name = model.split(':')[1];
    const adapter = name === undefined ? undefined : this.adapters.get(name);
    if (name !== undefined && !adapter) {
      const message = `The following requested LoRA adapters are not loaded: ${name}\nLoaded adapters: .`;
      return [400, { object: 'error', message, type: 'BadRequestError', code: 400 }];
    }
    const token_logprobs = [...logProbabilities(adapter?.weights ?? this.#weights.table, prompt), -1];
    const choices = [{ index: 0, text: '', logprobs: { token_logprobs }, finish_reason: 'length' }];
    return [200, { object: 'text_completion', model, choices, metadata: { weight_version: this.#weights.version } }];
  }
}
