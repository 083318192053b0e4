/**
 * The simulated model server: OpenAI's chat completions and vLLM's scoring endpoints over plain HTTP. Its answers are a pure function of seed and request (answer.ts), its latency
 * and faults a function of seed and key (latency.ts, faults.ts). It logs every request.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { errorText } from '../errors.ts';
import { anotherPort, listen } from '../listen.ts';
import { type Answer, answer, type Choice, tokensIn } from './answer.ts';
import { type ChatRequest, parseChatRequest } from './chat-request.ts';
import { createFaultPlan, type FaultName, type FaultOptions, retryAfterHeader } from './faults.ts';
import { createLatency, type LatencyOptions } from './latency.ts';
import { modelFamilies } from './model-name.ts';
import { digest } from './random.ts';
import { RequestError } from './request-error.ts';
import { RequestLog, type SimulationStats } from './request-log.ts';
import { createRequestRate, type RequestRate } from './request-rate.ts';
import { type ScoringRoute, scoreRequested, scoringBody, scoringRoutes } from './scoring.ts';
import type { SimulatedWorld } from './world.ts';

export type SimulationOptions = {
  /** Determines answers, misconceptions, latencies and faults. */
  seed: number;
  /** Default 0: any free port. */
  port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  worlds: readonly SimulatedWorld[];
  /** Default: none. */
  latency?: LatencyOptions;
  /** Default: none. */
  faults?: FaultOptions;
  /** Allowed requests per minute; further ones get a 429 with `retry-after-ms`. Default: no limit. */
  rate?: RequestRate;
  /** JSONL file to which each request is appended. Without it `GET /log` serves the latest lines from memory. */
  logFile?: string;
};

export type Simulation = {
  /** Address without a path: the base URL for clients is `${url}/v1`. */
  url: string;
  port: number;
  stats(): SimulationStats;
  /** Ends every open request and closes the log. */
  close(): Promise<void>;
};

/** Larger requests are refused. */
const maxBodyBytes = 32 * 1024 * 1024;
/** Answers carry a fixed time of creation, so that equal requests get equal answers. */
const createdSeconds = 1_700_000_000;

/** @throws CruxError User.Config if nothing can listen there */
export async function startSimulation(options: SimulationOptions): Promise<Simulation> {
  const { seed, worlds } = options;
  const faults = createFaultPlan(seed, options.faults ?? {});
  const latencyMs = createLatency(seed, options.latency ?? { distribution: 'none' });
  const tooEarlyMs = options.rate ? createRequestRate(options.rate) : () => 0;
  const retryAfterMs = options.faults?.retryAfterMs ?? 100;
  const log = new RequestLog(options.logFile ?? null);
  let inFlight = 0;
  const stats = () => log.stats({ ...faults.counts(), inFlight });

  async function complete(request: IncomingMessage, response: ServerResponse, prepare: Prepare): Promise<void> {
    const text = await readBody(request);
    inFlight++;
    const received = new Date().toISOString();
    const bodyHash = digest(text).slice(0, 16);
    const header = request.headers['idempotency-key'];
    const key = typeof header === 'string' ? header : `body:${bodyHash}`;
    const waitForRateMs = tooEarlyMs(performance.now());
    const planned = faults.next(key);
    const fault = waitForRateMs > 0 ? 'rate-limit' : planned.fault;
    const { earlierRequests } = planned;
    const prepared = prepare(text, seed, worlds);
    response.on('close', () => {
      inFlight--;
      const status = response.headersSent ? response.statusCode : null;
      const complete = prepared.usage !== null && fault === null && response.writableFinished;
      log.add(
        { received, time: new Date().toISOString(), key, model: prepared.model, status, fault, bodyHash, complete },
        prepared.usage,
      );
    });
    const send = () => {
      if (response.destroyed) return;
      if (fault === null) sendJson(response, prepared.status, prepared.body);
      else if (waitForRateMs > 0) sendFault(response, fault, prepared.body, ['retry-after-ms', String(waitForRateMs)]);
      else sendFault(response, fault, prepared.body, retryAfterHeader(key, earlierRequests, retryAfterMs, Date.now()));
    };
    const waitMs = latencyMs(key);
    if (waitMs === 0) send();
    else response.on('close', clearTimeout.bind(null, setTimeout(send, waitMs)));
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    const route = `${request.method} ${path}`;
    const scoring = scoringRoutes.find((own) => route === `POST ${own}`);
    if (route === 'POST /v1/chat/completions') {
      complete(request, response, prepareChat).catch(() => response.destroy());
    } else if (scoring) {
      complete(request, response, prepareScore(scoring)).catch(() => response.destroy());
    } else if (route === 'GET /v1/models') {
      const data = modelFamilies.map((id) => ({ id, object: 'model', created: createdSeconds, owned_by: 'crux' }));
      sendJson(response, 200, JSON.stringify({ object: 'list', data }));
    } else if (route === 'GET /stats') {
      sendJson(response, 200, JSON.stringify(stats(), null, 2));
    } else if (route === 'GET /log') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(log.text());
    } else {
      sendJson(response, 404, new RequestError(404, 'unknown_url', `There is no ${route}.`).body());
    }
  });
  const { host = '127.0.0.1' } = options;
  const port = await listen(server, host, options.port ?? 0, anotherPort);
  return {
    url: `http://${host}:${port}`,
    port,
    stats,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      log.close();
    },
  };
}

type Prepared = {
  model: string;
  status: number;
  body: string;
  usage: Pick<Answer, 'promptTokens' | 'completionTokens'> | null;
};

/** The whole answer to a request body, refusals included. */
type Prepare = (text: string, seed: number, worlds: readonly SimulatedWorld[]) => Prepared;

const prepareChat: Prepare = (text, seed, worlds) => {
  let model = 'unknown';
  try {
    const request = parseChatRequest(text);
    model = request.model;
    const result = answer(request, seed, worlds);
    const body = completionBody(request, digest(seed, text), result);
    return { model, status: 200, body, usage: result };
  } catch (error) {
    return refused(model, error);
  }
};

function prepareScore(route: ScoringRoute): Prepare {
  return (text, seed, worlds) => {
    try {
      const scored = scoreRequested(text, seed, worlds);
      const { model, promptTokens } = scored;
      const body = scoringBody(route, digest(seed, text), scored);
      return { model, status: 200, body, usage: { promptTokens, completionTokens: 0 } };
    } catch (error) {
      return refused('unknown', error);
    }
  };
}

function refused(model: string, error: unknown): Prepared {
  const refusal = error instanceof RequestError ? error : new RequestError(500, 'simulation_error', errorText(error));
  return { model, status: refusal.status, body: refusal.body(), usage: null };
}

function completionBody(
  { model, logprobs }: ChatRequest,
  id: string,
  { choices, promptTokens, completionTokens }: Answer,
): string {
  return JSON.stringify({
    id: `chatcmpl-${id.slice(0, 24)}`,
    object: 'chat.completion',
    created: createdSeconds,
    model,
    choices: choices.map((choice, index) => ({
      index,
      message: { refusal: null, ...choice.message },
      logprobs: logprobs ? logprobsOf(choice) : null,
      finish_reason: choice.finishReason,
    })),
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  });
}

/** Log-probabilities in the form of servers that count the tokens of tool calls like those of text. */
function logprobsOf(choice: Choice): object | null {
  const { tokenLogprob } = choice;
  if (tokenLogprob === null) return null;
  return {
    content: tokensIn(choice).map((token) => ({
      token,
      logprob: tokenLogprob,
      // Our way of counting tokens may cut a character outside the basic plane in two.
      bytes: token.isWellFormed() ? [...Buffer.from(token)] : null,
      top_logprobs: [],
    })),
    refusal: null,
  };
}

function sendJson(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

function sendFault(response: ServerResponse, fault: FaultName, body: string, retryAfter: [string, string]): void {
  const half = body.slice(0, Math.floor(body.length / 2));
  switch (fault) {
    case 'rate-limit':
      response.setHeader(...retryAfter);
      sendJson(
        response,
        429,
        new RequestError(429, 'rate_limit_exceeded', 'Rate limit reached (injected fault).').body(),
      );
      return;
    case 'server-error':
      sendJson(
        response,
        500,
        new RequestError(500, 'server_error', 'The server had an error (injected fault).').body(),
      );
      return;
    case 'hang':
      return;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(half, () => response.socket?.resetAndDestroy());
      return;
    case 'malformed':
      sendJson(response, 200, `${half}\u0000<!-- upstream error -->`);
      return;
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.write(half, () => response.socket?.end());
      return;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new RangeError('The request body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
