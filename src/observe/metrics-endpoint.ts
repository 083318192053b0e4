/** `GET /metrics` of a worker, as Prometheus reads it: Crux's own metrics and those of Temporal's SDK on one page. */
import { createServer } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { MetricReader } from '@opentelemetry/sdk-metrics';
import { CruxError } from '../errors.ts';
import { listen } from '../listen.ts';
import type { Log } from './log.ts';

export type MetricsEndpoint = {
  /** For the meter provider. */
  reader: MetricReader;
  /** host:port at which the page is served. */
  address: string;
  close(): Promise<void>;
};

const sdkTimeoutMs = 2_000;

/**
 * Listens at `address`.
 * @param sdkAddress where Temporal's SDK serves its own metrics
 * @throws CruxError User.Config if the address makes no sense or is taken
 */
export async function openMetricsEndpoint(address: string, sdkAddress: string, log: Log): Promise<MetricsEndpoint> {
  const { host, port } = splitAddress(address);
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const page = async () => {
    const [{ resourceMetrics, errors }, sdk] = await Promise.all([exporter.collect(), sdkMetrics(sdkAddress, log)]);
    for (const error of errors) log('warn', 'a metric could not be read', { error });
    return `${serializer.serialize(resourceMetrics)}${sdk}`;
  };
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end('Metrics are at /metrics.\n');
      return;
    }
    page().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => {
        log('error', 'metrics could not be collected', { error });
        response.writeHead(500).end();
      },
    );
  });
  const bound = await listen(server, host, port, 'Another worker may have it: give each its own port with --metrics.');
  // A scraper must not keep a worker from ending.
  server.unref();
  return {
    reader: exporter,
    address: `${host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The metrics of Temporal's SDK. If it does not answer: empty, with a line in the log. */
async function sdkMetrics(address: string, log: Log): Promise<string> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(sdkTimeoutMs) });
    return await response.text();
  } catch (error) {
    log('warn', 'the metrics of the Temporal SDK could not be read', { error });
    return '';
  }
}

function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new CruxError('User.Config', `"${address}" is no address for metrics.`, {
      remedy: 'Write host:port, e.g. 127.0.0.1:9464, or 0.0.0.0:9464 for scrapers on other machines.',
    });
  }
  return { host: (match[1] ?? match[2])!, port };
}
