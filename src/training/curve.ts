/** The course of a training, thinned for the store and the report. */
import type { TrainingMetrics } from '../domain/improve/contract.ts';
import { MetricsFile, parseMetrics } from './metrics.ts';

const mostPoints = 200;

/** Lines of a metrics file, thinned. A training that went on from a checkpoint took some steps again: the later line counts. */
export function readCurve(path: string): TrainingMetrics[] {
  const bySteps = new Map<number, TrainingMetrics>();
  for (const line of new MetricsFile(path).newLines()) {
    const metrics = parseMetrics(line);
    if (metrics !== null) bySteps.set(metrics.step, metrics);
  }
  return thinned([...bySteps.values()].toSorted((a, b) => a.step - b.step));
}

/** At most so many lines as the store keeps, evenly chosen, the first and the last among them. @param lines in their order */
export function thinned(lines: TrainingMetrics[]): TrainingMetrics[] {
  if (lines.length <= mostPoints) return lines;
  const every = (lines.length - 1) / (mostPoints - 1);
  return Array.from({ length: mostPoints }, (_, index) => lines[Math.round(index * every)]!);
}
