/** Ceilings as they are configured, and what they need of the models. */
import type { CruxConfig } from './config.ts';
import { type Ceilings, ceilingLevels, ceilingOf, ceilingsFrom } from './domain/ceilings.ts';
import { askedModels, type RunConfig } from './domain/run-config.ts';
import { CruxError } from './errors.ts';

type Configured = CruxConfig['run']['ceilings']['task'];

/** Ceilings of the configuration, whose costs are dollars. */
export function configuredCeilings(config: CruxConfig): Ceilings {
  const { task, step, ...run } = config.run.ceilings;
  return ceilingsFrom({ ...inMicroUsd(run), task: inMicroUsd(task), step: inMicroUsd(step) });
}

/** @throws CruxError `User.Config` for a ceiling on cost while a model that the run asks has no price: it would never be reached */
export function checkPriced(run: Pick<RunConfig, 'method' | 'models'>, ceilings: Ceilings): void {
  if (ceilingLevels.every((level) => ceilingOf(ceilings, level).costMicroUsd === null)) return;
  const unpriced = Object.entries(askedModels(run)).filter(([, model]) => model.price === null);
  if (unpriced.length === 0) return;
  throw new CruxError(
    'User.Config',
    `A ceiling on cost needs prices, and these models have none: ${unpriced.map(([role]) => role).join(', ')}.`,
    { remedy: 'Set `price` of each model in crux.config.ts, or use a ceiling on calls or tokens.' },
  );
}

function inMicroUsd({ cost, ...others }: Configured) {
  return { ...others, costMicroUsd: cost === null ? null : Math.round(cost * 1e6) };
}
