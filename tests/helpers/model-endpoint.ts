import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Message, Tool } from '../../src/domain/message.ts';

/** One request as it came. */
export type RecordedRequest = {
  path: string;
  /** `Idempotency-Key` header. */
  key: string | undefined;
  headers: IncomingHttpHeaders;
  body: { model: string; messages: Message[]; tools?: Tool[]; seed?: number; [name: string]: unknown };
};

/** One step of a script. Without any member: a short answer with usage. */
export type Reply = {
  content?: string | null;
  toolCalls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  refusal?: string;
  /** More members of the message, of the choice, and of the answer, as servers add them. */
  message?: { [name: string]: unknown };
  choice?: { [name: string]: unknown };
  members?: { [name: string]: unknown };
  /** What the server calls the model. Default: as it was asked for. */
  model?: string | null;
  finishReason?: string;
  /** Null: the answer has none. Default 100 prompt and 10 completion tokens. */
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  /** Log-probabilities of the tokens of its content. Absent: the endpoint tells none. */
  logprobs?: number[];
  /** Default 200. */
  status?: number;
  headers?: { [name: string]: string };
  /** Sent as it is, in place of a completion. */
  body?: string;
  /** `hang`: no answer; `stall`: headers and half of the body; `cut`: the same, and the connection is reset; `truncated`: the body ends early. */
  fault?: 'hang' | 'stall' | 'cut' | 'truncated';
  /** The reply waits for this. */
  after?: Promise<unknown>;
};

export type ModelEndpoint = {
  /** Base URL with `/v1`. */
  url: string;
  requests: RecordedRequest[];
  /** Requests that were sent and are not over, now and at most. */
  inFlight: number;
  mostInFlight: number;
  /** Resolves when so many requests have come. */
  requested(count: number): Promise<void>;
};

/**
 * A model endpoint that plays a script: a list of replies in the order of the requests, or a function. It ends with the test, and makes it
 * fail when it was asked more often than its script has replies.
 * @param options.models what it lists of its models, or `never` where the list does not come; absent: it has no such list
 */
export async function startModelEndpoint(
  script: Reply[] | ((request: RecordedRequest, number: number) => Reply),
  { models }: { models?: string[] | 'never' } = {},
): Promise<ModelEndpoint> {
  const unscripted: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      if (models === 'never') return;
      const list = { object: 'list', data: (models ?? []).map((id) => ({ id, object: 'model' })) };
      response.writeHead(models ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(list));
      return;
    }
    const body = JSON.parse(await textOf(request)) as RecordedRequest['body'];
    const path = request.url ?? '';
    const recorded = {
      path,
      key: request.headers['idempotency-key'] as string | undefined,
      headers: request.headers,
      body,
    };
    const number = endpoint.requests.push(recorded);
    endpoint.mostInFlight = Math.max(endpoint.mostInFlight, ++endpoint.inFlight);
    response.on('close', () => endpoint.inFlight--);
    for (const { resolve } of waiting.filter(({ count }) => count <= number)) resolve();
    const reply = typeof script === 'function' ? script(recorded, number) : script[number - 1];
    if (!reply) {
      unscripted.push(JSON.stringify(body).slice(0, 500));
      response.writeHead(418).end(`The script has no reply for request ${number}.`);
      return;
    }
    await reply.after;
    if (!response.destroyed) send(response, reply, body.model);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    if (unscripted.length > 0)
      throw new Error(`The model was asked ${unscripted.length} times too often:\n${unscripted.join('\n')}`);
  });
  const endpoint: ModelEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: [],
    inFlight: 0,
    mostInFlight: 0,
    requested: (count) =>
      endpoint.requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
  };
  return endpoint;
}

function send(response: ServerResponse, reply: Reply, model: string): void {
  const body = reply.body ?? completion(reply, model);
  const half = body.slice(0, Math.floor(body.length / 2));
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...reply.headers };
  switch (reply.fault) {
    case 'hang':
      return;
    case 'stall':
      response.writeHead(200, headers).write(half);
      return;
    case 'cut':
      response.writeHead(200, headers).write(half, () => response.socket?.resetAndDestroy());
      return;
    case 'truncated':
      response.writeHead(200, headers).write(half, () => response.socket?.end());
      return;
    default:
      response.writeHead(reply.status ?? 200, headers).end(body);
  }
}

function completion(reply: Reply, model: string): string {
  const { content = reply.toolCalls ? null : 'An answer.', toolCalls, refusal = null } = reply;
  const usage = reply.usage === undefined ? { prompt_tokens: 100, completion_tokens: 10 } : reply.usage;
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: reply.model === undefined ? model : reply.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal, ...(toolCalls && { tool_calls: toolCalls }), ...reply.message },
        finish_reason: reply.finishReason ?? 'stop',
        ...reply.choice,
        ...(reply.logprobs && {
          logprobs: {
            content: reply.logprobs.map((logprob) => ({ token: 't', logprob, bytes: null, top_logprobs: [] })),
          },
        }),
      },
    ],
    ...(usage && { usage }),
    ...reply.members,
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
