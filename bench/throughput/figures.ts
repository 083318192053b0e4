/** Medians and ratios of what takes turns. */
import { quantile } from '../../src/domain/statistics/interval.ts';

/** Time of one turn, and processor time of this process in it: worker, loop and simulated models together. */
export type Turn = { steps: number; ms: number; cpuMs: number };

/** @param work says how many steps it took */
export async function timed(work: () => Promise<number>): Promise<Turn> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  const steps = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { steps, ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

/** Median of steps a second. */
export function rateOf(turns: Turn[]): number {
  return median(turns.map(({ steps, ms }) => (1000 * steps) / ms));
}

/** Median processor time of a step, in milliseconds. */
export function cpuOf(turns: Turn[]): number {
  return median(turns.map(({ steps, cpuMs }) => cpuMs / steps));
}

/** @param values at least one */
export function median(values: number[]): number {
  return quantile(values, 0.5)!;
}
