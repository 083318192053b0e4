/**
 * Sets up OpenTelemetry for a worker process: metrics for Prometheus if an address is given, metrics and traces by OTLP if the standard variables
 * (OTEL_EXPORTER_OTLP_ENDPOINT and its kin) say so. Otherwise nothing is loaded, opened or sent.
 */
import { context, DiagLogLevel, diag, metrics, trace } from '@opentelemetry/api';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { RuntimeOptions } from '@temporalio/worker';
import { freePort } from '../temporal/ports.ts';
import { type Instruments, makeInstruments } from './instruments.ts';
import type { Log } from './log.ts';
import type { MetricsEndpoint } from './metrics-endpoint.ts';
import { takeChosenTraceId } from './spans.ts';

export type Telemetry = {
  instruments: Instruments;
  /** What Temporal's SDK does with its own metrics; undefined: nothing. */
  sdkMetrics: NonNullable<RuntimeOptions['telemetryOptions']>['metrics'];
  /** host:port of the page for Prometheus; null if there is none. */
  metricsAddress: string | null;
  /** Sends the remaining data and closes everything. */
  close(): Promise<void>;
};

export type TelemetryOptions = {
  /** host:port to serve metrics at; null for none. */
  metrics: string | null;
  log: Log;
};

const flushTimeoutMs = 5_000;

/** Starts before the worker does. @throws CruxError User.Config if the address for metrics cannot be used */
export async function startTelemetry({ metrics: address, log }: TelemetryOptions): Promise<Telemetry> {
  const wanted = otlpWanted();
  if (address === null && !wanted.metrics && !wanted.traces) {
    // A program that has set up OpenTelemetry itself also gets Crux's metrics.
    const instruments = makeInstruments(metrics.getMeter('crux'));
    return { instruments, sdkMetrics: undefined, metricsAddress: null, close: async () => {} };
  }
  const { MeterProvider, PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics');
  reportFailures(log);
  const resource = await describeProcess();
  const readers: IMetricReader[] = [];
  let endpoint: MetricsEndpoint | null = null;
  let sdkMetrics: Telemetry['sdkMetrics'];
  if (address !== null) {
    const { openMetricsEndpoint } = await import('./metrics-endpoint.ts');
    const sdkAddress = `127.0.0.1:${await freePort()}`;
    endpoint = await openMetricsEndpoint(address, sdkAddress, log);
    readers.push(endpoint.reader);
    const prometheus = {
      bindAddress: sdkAddress,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
    };
    sdkMetrics = { prometheus };
  }
  if (wanted.metrics) {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
    const exportIntervalMillis = Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || 60_000;
    readers.push(new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), exportIntervalMillis }));
  }
  const meters = new MeterProvider({ resource, readers });
  const traces = wanted.traces ? await startTraces(resource) : null;
  return {
    instruments: makeInstruments(meters.getMeter('crux')),
    sdkMetrics,
    metricsAddress: endpoint?.address ?? null,
    close: async () => {
      await endpoint?.close();
      for (const part of [meters, traces]) {
        // An unreachable collector must not keep a worker from ending.
        await Promise.race([part?.shutdown().catch(() => log('warn', 'telemetry could not be sent')), flushTimeout()]);
      }
      if (traces) {
        trace.disable();
        context.disable();
      }
      diag.disable();
    },
  };
}

/** Reports failures without their words: a collector may repeat the request, and with it the header that holds its key. */
function reportFailures(log: Log): void {
  const quiet = () => {};
  const error = () => log('warn', 'telemetry could not be sent');
  diag.setLogger({ error, warn: quiet, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.ERROR);
}

type ProcessResource = Awaited<ReturnType<typeof describeProcess>>;

async function startTraces(resource: ProcessResource): Promise<{ shutdown(): Promise<void> }> {
  const { BatchSpanProcessor, RandomIdGenerator, TracerProvider } = await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const random = new RandomIdGenerator();
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
    idGenerator: {
      generateTraceId: () => takeChosenTraceId() ?? random.generateTraceId(),
      generateSpanId: () => random.generateSpanId(),
    },
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return provider;
}

async function describeProcess() {
  const { detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources');
  const { cruxVersion } = await import('../version.ts');
  const own = resourceFromAttributes({ 'service.name': 'crux-worker', 'service.version': cruxVersion() });
  // The user's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
  return own.merge(detectResources({ detectors: [envDetector] }));
}

/** Which signals the standard variables ask for. */
function otlpWanted(): { metrics: boolean; traces: boolean } {
  const variables = process.env;
  const off = variables.OTEL_SDK_DISABLED === 'true';
  const wants = (signal: 'METRICS' | 'TRACES') =>
    !off &&
    variables[`OTEL_${signal}_EXPORTER`] !== 'none' &&
    Boolean(variables.OTEL_EXPORTER_OTLP_ENDPOINT || variables[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
  return { metrics: wants('METRICS'), traces: wants('TRACES') };
}

function flushTimeout(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, flushTimeoutMs).unref());
}
