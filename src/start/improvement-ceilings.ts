/** The ceilings of a whole improvement: what they leave for a campaign, and how they are replaced. */
import type { Client } from '@temporalio/client';
import type { PhaseRecord } from '../domain/improve/rounds.ts';
import {
  type CeilingChanges,
  type Ceilings,
  type CeilingUnit,
  ceilingsFrom,
  retunedCeilings,
} from '../domain/run/ceilings.ts';
import { askedModels } from '../domain/run/run-config.ts';
import { CruxError } from '../errors.ts';
import { checkCeilings } from '../models/limits/ceiling-needs.ts';
import type { Store } from '../store/store.ts';
import { order } from '../temporal/order.ts';

type Spending = { id: string; records: readonly PhaseRecord[] };

/** What an improvement has used, as far as it is known: its campaigns but one, and jobs of services that trained for it. */
export async function spentBy(
  store: Store,
  { id, records }: Spending,
  except: string | null,
): ReturnType<Store['runs']['spentUnder']> {
  const spent = await store.runs.spentUnder(`${id}/`, except ?? '');
  const jobs = records.map((record) => (record.phase === 'train' && record.result?.job?.costMicroUsd) || 0);
  return { ...spent, costMicroUsd: jobs.reduce((sum, cost) => sum + cost, spent.costMicroUsd) };
}

/** What the ceilings of the whole leave for a campaign: what the others, and jobs that trained, have not spent. At least 1: no run has less. */
export async function ceilingsLeft(
  store: Store,
  improvement: Spending,
  { calls, tokens, costMicroUsd, rollouts, ...levels }: CeilingChanges,
  runId: string,
): Promise<CeilingChanges> {
  const spent = await spentBy(store, improvement, runId);
  const left = (most: number | null | undefined, used: number) =>
    most === null || most === undefined ? null : Math.max(1, most - used);
  return {
    ...levels,
    calls: left(calls, spent.calls),
    tokens: left(tokens, spent.tokens),
    costMicroUsd: left(costMicroUsd, spent.costMicroUsd),
    rollouts: left(rollouts, spent.rollouts),
  };
}

/**
 * @param units that the campaign needs
 * @throws CruxError `Run.Budget` if the ceilings of the whole leave nothing of one for a campaign
 */
export async function requireLeft(
  store: Store,
  improvement: Spending,
  ceilings: CeilingChanges,
  runId: string,
  units: readonly CeilingUnit[],
): Promise<void> {
  const spent = await spentBy(store, improvement, runId);
  const over = units.find((unit) => ceilings[unit] != null && spent[unit] >= ceilings[unit]);
  if (over === undefined) return;
  const { id } = improvement;
  const most = over === 'costMicroUsd' ? `$${ceilings[over]! / 1e6}` : `${ceilings[over]} ${over}`;
  throw new CruxError('Run.Budget', `The improvement ${id} has used up its ceiling of ${most} before ${runId}.`, {
    remedy: `Raise it: crux budget ${id} …; crux resume ${id} then goes on.`,
  });
}

/**
 * Replaces the ceilings of the whole; those of tasks and steps stay unless they are given. The campaign in progress gets what they leave for it. One that
 * a ceiling ended goes on when it is started again.
 * @param place `client`: null if Temporal is not reached; the control rows are obeyed all the same
 * @returns the new ceilings
 * @throws CruxError `User.NotFound`; `User.Config` if it is over, or for a ceiling on cost if a model has no price; nothing was changed then
 */
export async function retuneImprovement(
  { store, client }: { store: Store; client: Client | null },
  id: string,
  given: CeilingChanges,
): Promise<Ceilings> {
  const { settings, state } = await store.improvements.get(id);
  if (state === 'finished' || state === 'cancelled')
    throw new CruxError('User.Config', `The improvement ${id} is over (${state}).`);
  const ceilings = retunedCeilings(ceilingsFrom(settings.ceilings), given);
  const runs = await store.runs.under(`${id}/`);
  for (const { config } of runs) checkCeilings(askedModels(config), ceilings);
  await store.improvements.retune(id, { ceilings });
  const improvement = { id, records: await store.improvements.phases(id) };
  for (const run of runs.filter(({ finishedAt }) => finishedAt === null)) {
    const left = await ceilingsLeft(store, improvement, ceilings, run.id);
    await store.runs.setControl(run.id, { ceilings: retunedCeilings(run.ceilings, left) });
    // A campaign that has no worker, or ends now, finds its control row later.
    if (client !== null) await order(client.workflow.getHandle(run.id), 'retune', [left]).catch(() => {});
  }
  return ceilings;
}
