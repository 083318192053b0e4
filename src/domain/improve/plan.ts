/** What follows from the settings of an improvement. */
import { type MethodName, methods } from '../methods/index.ts';
import type { Loss, ServedModel } from './contract.ts';
import type { Improved } from './lineage.ts';
import type { PhaseRecord } from './rounds.ts';
import type { ImproveSettings } from './settings.ts';

type Methods = Pick<ImproveSettings, 'method'>;

/** The methods of the rounds, in their order. */
export function methodsOf({ method }: Methods): MethodName[] {
  return typeof method === 'string' ? [method] : method;
}

/** The method that collects in a round; round 0 is the warm start. */
export function methodAt(settings: Methods, round: number): MethodName {
  const methods = methodsOf(settings);
  return round === 0 ? 'sft' : methods[Math.min(round, methods.length) - 1]!;
}

/** Trajectories of a task that a round collects; null for as many as its method takes. */
export function collectedSamples(settings: ImproveSettings, round: number): number | null {
  const own = settings.collectBy?.samples[methodAt(settings, round)];
  return own ?? (round === 0 ? null : settings.samples.collect);
}

export function methodText(settings: Methods): string {
  return methodsOf(settings).join(', ');
}

/** How a model is trained on what a method finds. */
export function lossOf(method: MethodName): Loss {
  return methods[method].gives === 'examples' ? 'sft' : 'dpo';
}

/** The model that an improvement began with, before any warm start. Its hash is empty if it is not known. */
export function startModel({ config, base }: Pick<ImproveSettings, 'config' | 'base'>): ServedModel {
  return { name: config.models.policy.model, root: base.from, hash: base.hash ?? '' };
}

/** What lineage is told from. */
export function improvedOf(id: string, { config, data }: ImproveSettings, records: readonly PhaseRecord[]): Improved {
  return { id, records, data, known: config.models.policy.trainedOn };
}
