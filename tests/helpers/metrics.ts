import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { onTestFinished } from 'vitest';
import { type Instruments, makeInstruments } from '../../src/observe/instruments.ts';

/** Samples by name with labels, as on a page for Prometheus: `crux_model_calls_total{role="policy",endpoint="models"}`. */
export type Samples = { [nameAndLabels: string]: number };

/** Instruments that count, and what they have come to. */
export function countingInstruments(): { instruments: Instruments; samples(): Promise<Samples> } {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return {
    instruments: makeInstruments(provider.getMeter('crux')),
    samples: async () => samplesOf(serializer.serialize((await reader.collect()).resourceMetrics)),
  };
}

export function samplesOf(page: string): Samples {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
