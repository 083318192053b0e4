// Layer: the page for Prometheus over HTTP, with a stand-in for the page of Temporal's SDK.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect, it, onTestFinished } from 'vitest';
import { makeInstruments } from '../../src/observe/instruments.ts';
import { openMetricsEndpoint } from '../../src/observe/metrics-endpoint.ts';
import { samplesOf } from '../helpers/metrics.ts';

const nobody = '127.0.0.1:1';

async function endpointAt(address: string, sdkAddress = nobody) {
  const warned: string[] = [];
  const endpoint = await openMetricsEndpoint(address, sdkAddress, (level, event) => warned.push(`${level} ${event}`));
  onTestFinished(() => endpoint.close());
  const provider = new MeterProvider({ readers: [endpoint.reader] });
  return { ...endpoint, instruments: makeInstruments(provider.getMeter('crux')), warned };
}

async function sdkPage(text: string): Promise<string> {
  const server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('shows the metrics of Crux and of the SDK on one page', async () => {
  const sdk = await sdkPage('# TYPE temporal_request_total counter\ntemporal_request_total{operation="Poll"} 7\n');
  const { address, instruments } = await endpointAt('127.0.0.1:0', sdk);
  instruments.calls.add(2, { role: 'prm', endpoint: 'local' });
  const response = await fetch(`http://${address}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(samplesOf(await response.text())).toMatchObject({
    'crux_model_calls_total{role="prm",endpoint="local"}': 2,
    'temporal_request_total{operation="Poll"}': 7,
  });
});

it('shows its own metrics and says so in the log when the SDK does not answer', async () => {
  const { address, instruments, warned } = await endpointAt('127.0.0.1:0');
  instruments.divergences.add(1, { environment: 'maze' });
  const page = await (await fetch(`http://${address}/metrics`)).text();
  expect(samplesOf(page)).toEqual({ 'crux_replay_divergences_total{environment="maze"}': 1 });
  expect(warned).toEqual(['warn the metrics of the Temporal SDK could not be read']);
});

it('knows one page only', async () => {
  const { address } = await endpointAt('127.0.0.1:0');
  expect((await fetch(`http://${address}/`)).status).toBe(404);
  expect((await fetch(`http://${address}/metrics`, { method: 'POST' })).status).toBe(404);
});

it.each(['9464', 'host', 'host:port', '127.0.0.1:70000', '1:2:3'])('refuses "%s" as an address', async (address) => {
  await expect(openMetricsEndpoint(address, nobody, () => {})).rejects.toMatchObject({
    kind: 'User.Config',
    remedy: expect.stringContaining('127.0.0.1:9464'),
  });
});

it('refuses an address that is taken, naming it', async () => {
  const { address } = await endpointAt('127.0.0.1:0');
  await expect(openMetricsEndpoint(address, nobody, () => {})).rejects.toMatchObject({
    kind: 'User.Config',
    message: expect.stringContaining(address),
  });
});
