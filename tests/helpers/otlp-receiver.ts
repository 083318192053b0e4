import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number };
type KeyValue = { key: string; value: Value };

export type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { code?: number; message?: string };
  attributes: { [name: string]: string | number };
};

export type OtlpReceiver = {
  url: string;
  /** All bodies as they came. */
  bodies: string[];
  /** Authorization headers of all requests. */
  authorizations: (string | undefined)[];
  spans(): ReceivedSpan[];
  /** Names of all metrics that came. */
  metricNames(): Set<string>;
  close(): void;
};

type Traces = {
  resourceSpans: { scopeSpans: { spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: KeyValue[] })[] }[] }[];
};
type Metrics = { resourceMetrics: { scopeMetrics: { metrics: { name: string }[] }[] }[] };

/** Takes traces and metrics by OTLP over HTTP in JSON, as a collector does. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const received: { path: string; body: string; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { url: path = '', headers } = request;
    received.push({ path, body: Buffer.concat(chunks).toString('utf8'), authorization: headers.authorization });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = <T>(path: string) =>
    received.filter((request) => request.path === path).map(({ body }) => JSON.parse(body) as T);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get bodies() {
      return received.map(({ body }) => body);
    },
    get authorizations() {
      return received.map(({ authorization }) => authorization);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
    spans: () =>
      at<Traces>('/v1/traces')
        .flatMap(({ resourceSpans }) =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
        )
        .map((span) => ({ ...span, attributes: attributesOf(span.attributes) })),
    metricNames: () =>
      new Set(
        at<Metrics>('/v1/metrics').flatMap(({ resourceMetrics }) =>
          resourceMetrics.flatMap(({ scopeMetrics }) =>
            scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
          ),
        ),
      ),
  };
}

function attributesOf(pairs: KeyValue[]): { [name: string]: string | number } {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue ?? value.doubleValue)]),
  );
}
