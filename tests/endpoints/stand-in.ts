/**
 * A stand-in for the servers that are met in the wild: OpenAI's chat completions over plain HTTP, in front of the simulated models, with one
 * address for each manner. What a manner does not spoil is the simulated models' own answer, so that whole runs can be driven through it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came, and what the simulated model says to it. */
export type Exchange = {
  body: ChatBody;
  headers: IncomingMessage['headers'];
  role: 'policy' | 'expert' | 'prm';
  /** How many requests this manner has had, this one included, and how many of this role. */
  number: number;
  numberOfRole: number;
  /** How often this very call was asked before. */
  repeats: number;
  /** The answer of the simulated model behind. It reads what OpenAI's API reads; a manner whose dialect differs gives it a request in that form. */
  answer(body?: ChatBody): Promise<Completion>;
};

export type ChatBody = {
  model: string;
  messages: { role: string; content?: unknown; tool_calls?: { id?: string }[]; tool_call_id?: string }[];
  tools?: unknown[];
  response_format?: { type?: string };
  [member: string]: unknown;
};

/** A completion in OpenAI's own form; manners change it at will. */
export type Completion = {
  // biome-ignore lint/suspicious/noExplicitAny: a spoilt answer has any form
  [member: string]: any;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  choices: any[];
};

export type Reply = {
  /** Default 200. */
  status?: number;
  headers?: { [name: string]: string };
  /** An object is sent as JSON; text and bytes as they are. */
  body?: object | string | Buffer;
  /** The connection ends in place of an answer. */
  cut?: true;
};

/** How a server answers. */
export type Manner = (exchange: Exchange) => Reply | Promise<Reply>;

/** A request as it came, and the status of its answer. */
export type Recorded = { key: string; body: ChatBody; status: number };

export type StandIn = {
  /** Base URL of a manner, with `/v1`. */
  urlOf(manner: string): string;
  /** Requests that a manner has had so far. */
  requests(manner: string): Recorded[];
  /** From now on the manner answers as the simulated models do. */
  heal(manner: string): void;
  close(): Promise<void>;
};

/**
 * @param behind address of the simulated models
 * @param manners by the name that their address has
 * @param models what `/v1/models` of a manner lists; default: the names that the simulated models have
 */
export async function startStandIn(
  behind: string,
  manners: { [name: string]: Manner },
  models: { [name: string]: string[] } = {},
): Promise<StandIn> {
  const had = new Map<string, Recorded[]>();
  const healed = new Set<string>();
  const requestsOf = (name: string) => had.get(name) ?? had.set(name, []).get(name)!;

  const server = createServer((request, response) => {
    const [, name = '', route] = /^\/([^/]+)\/v1\/([^?]*)/.exec(request.url ?? '') ?? [];
    const manner = manners[name];
    if (route === 'models') void listModels(response, models[name]);
    else if (!manner || route !== 'chat/completions') response.writeHead(404).end('There is nothing here.');
    else complete(name, manner, request, response).catch(() => response.destroy());
  });

  async function listModels(response: ServerResponse, own: string[] | undefined): Promise<void> {
    if (own === undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(await (await fetch(`${behind}/v1/models`)).text());
    } else send(response, { body: { object: 'list', data: own.map((id) => ({ id, object: 'model' })) } });
  }

  async function complete(name: string, manner: Manner, request: IncomingMessage, response: ServerResponse) {
    const body = JSON.parse(await textOf(request)) as ChatBody;
    const role = roleOf(body.model);
    const requests = requestsOf(name);
    const key = String(request.headers['idempotency-key']);
    const recorded = { key, body, status: 0 };
    const repeats = requests.filter((other) => other.key === key).length;
    const number = requests.push(recorded);
    const numberOfRole = requests.filter((other) => roleOf(other.body.model) === role).length;
    const answer = (own: ChatBody = body) => ask(behind, own, key);
    const exchange = { body, headers: request.headers, role, number, numberOfRole, repeats, answer };
    const reply = healed.has(name) ? { body: await answer() } : await manner(exchange);
    recorded.status = reply.status ?? 200;
    send(response, reply);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (name) => `http://127.0.0.1:${port}/${name}/v1`,
    requests: requestsOf,
    heal: (name) => void healed.add(name),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What the simulated model behind says. @throws Error when it says no, which is a defect of the manner */
async function ask(behind: string, body: ChatBody, key: string): Promise<Completion> {
  const response = await fetch(`${behind}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ ...body, messages: withPlainIds(body.messages) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The simulated model refused what the stand-in sent: ${text}`);
  return JSON.parse(text) as Completion;
}

/** Simulated models draw by all that they read: ids of tool calls, which differ from server to server, are not among it. */
function withPlainIds(messages: ChatBody['messages']): ChatBody['messages'] {
  let calls = 0;
  return messages.map((message) => ({
    ...message,
    ...(message.tool_calls && { tool_calls: message.tool_calls.map((call) => ({ ...call, id: `call_${++calls}` })) }),
    ...(message.tool_call_id !== undefined && { tool_call_id: `call_${calls}` }),
  }));
}

function roleOf(model: string): Exchange['role'] {
  if (model.includes('prm')) return 'prm';
  return model.includes('expert') ? 'expert' : 'policy';
}

function send(response: ServerResponse, { status = 200, headers, body = '', cut }: Reply): void {
  if (cut) {
    response.socket?.destroy();
    return;
  }
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(isRaw ? body : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
