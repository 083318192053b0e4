// Layer: OpenTelemetry as a worker sets it up, against collectors that are there, refuse, or are away.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { inRootSpan, inSpan, traceIdOf } from '../../src/observe/spans.ts';
import { startTelemetry } from '../../src/observe/telemetry.ts';
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts';

function logged() {
  const events: string[] = [];
  return {
    events,
    log: (level: string, event: string, fields?: object) =>
      void events.push(`${level} ${event} ${JSON.stringify(fields)}`),
  };
}

async function collectorThat(answers: RequestListener): Promise<string> {
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('sends nothing and opens nothing unless it is asked to', async () => {
  const telemetry = await startTelemetry({ metrics: null, log: () => {} });
  expect(telemetry).toMatchObject({ metricsAddress: null, sdkMetrics: undefined });
  // Work is done all the same.
  expect(await inSpan('a step', {}, async (span) => span.isRecording())).toBe(false);
  await telemetry.close();
});

it('sends what is left when it ends: spans below their activity, in the trace of their trajectory', async () => {
  const collector = await startOtlpReceiver();
  onTestFinished(collector.close);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  vi.stubEnv('OTEL_SERVICE_NAME', 'my-workers');
  const telemetry = await startTelemetry({ metrics: null, log: () => {} });
  telemetry.instruments.calls.add(1, { role: 'policy', endpoint: 'local' });
  const traceId = traceIdOf('run-1/task-1/0');
  await inRootSpan(traceId, 'callPolicy', {}, () => inSpan('model call policy', { 'crux.step': 2 }, async () => {}));
  await inSpan('elsewhere', {}, async () => {});
  await telemetry.close();
  const [call, activity, elsewhere] = ['model call policy', 'callPolicy', 'elsewhere'].map(
    (name) => collector.spans().find((span) => span.name === name)!,
  );
  expect(activity).toMatchObject({ traceId });
  expect(call).toMatchObject({ traceId, parentSpanId: activity!.spanId, attributes: { 'crux.step': 2 } });
  expect(elsewhere!.traceId).not.toBe(traceId);
  expect(collector.metricNames()).toEqual(new Set(['crux_model_calls']));
  expect(collector.bodies.join()).toContain('my-workers');
});

it.each([
  ['OTEL_SDK_DISABLED', 'true'],
  ['OTEL_TRACES_EXPORTER', 'none'],
])('with %s=%s no span is sent', async (name, value) => {
  const collector = await startOtlpReceiver();
  onTestFinished(collector.close);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  vi.stubEnv(name, value);
  const telemetry = await startTelemetry({ metrics: null, log: () => {} });
  await inSpan('a step', {}, async () => {});
  await telemetry.close();
  expect(collector.spans()).toEqual([]);
});

it('says when a collector refuses, and not with which words', async () => {
  const url = await collectorThat((request, response) => {
    response.writeHead(401).end(`wrong: ${request.headers.authorization}`);
  });
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=planted-Vc4hJ9sK');
  const { events, log } = logged();
  const telemetry = await startTelemetry({ metrics: null, log });
  await inSpan('a step', {}, async () => {});
  await telemetry.close();
  expect(events).toContain('warn telemetry could not be sent undefined');
  expect(events.join()).not.toContain('planted');
});

it('a failed span has the kind of its fault', async () => {
  const collector = await startOtlpReceiver();
  onTestFinished(collector.close);
  vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', `${collector.url}/v1/traces`);
  const telemetry = await startTelemetry({ metrics: null, log: () => {} });
  const fault = Object.assign(new Error('it rained'), { type: 'Weather.Rain' });
  await expect(inSpan('a walk', {}, () => Promise.reject(fault))).rejects.toBe(fault);
  await telemetry.close();
  expect(collector.spans()).toMatchObject([
    {
      name: 'a walk',
      status: { code: 2, message: 'Weather.Rain: it rained' },
      attributes: { 'error.type': 'Weather.Rain' },
    },
  ]);
  expect(collector.metricNames().size).toBe(0);
});
