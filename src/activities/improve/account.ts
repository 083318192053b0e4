/** What an improvement's activities know of it: its settings, the phases that it went through, and who is the policy. */
import type { CruxConfig } from '../../config/config.ts';
import { trainedOnOf } from '../../domain/improve/lineage.ts';
import { improvedOf, methodAt, startModel } from '../../domain/improve/plan.ts';
import { roundSeed } from '../../domain/improve/round-seed.ts';
import {
  campaignId,
  incumbentAt,
  type Phase,
  type PhaseRecord,
  type Policy,
  resultOf,
} from '../../domain/improve/rounds.ts';
import type { ImproveSettings } from '../../domain/improve/settings.ts';
import { methods } from '../../domain/methods/index.ts';
import type { TrainedOn } from '../../domain/run/lineage.ts';
import { configFor } from '../../start/improvements.ts';
import type { Store } from '../../store/store.ts';

export type Account = {
  id: string;
  settings: ImproveSettings;
  records: PhaseRecord[];
  /** Of its campaigns. */
  config: CruxConfig;
};

/** @param workers the configuration of this worker, which brings environments and endpoints */
export async function accountOf(store: Store, workers: CruxConfig, id: string): Promise<Account> {
  const { settings } = await store.improvements.get(id);
  return { id, settings, records: await store.improvements.phases(id), config: configFor(settings, workers) };
}

/** The policy at the start of a round. */
export function policyAt({ settings, records }: Pick<Account, 'settings' | 'records'>, round: number): Policy {
  return incumbentAt(records, round, startModel(settings));
}

/** The seed by which a round collects and trains: its campaign keeps the one that it began with, also if an earlier version chose it. */
export async function seedAt(store: Store, own: Account, round: number): Promise<number> {
  const begun = await store.runs.find(campaignId(own.id, round, 'collect'));
  return begun?.seed ?? roundSeed(own.settings.seed, round, policyAt(own, round).round);
}

/** The policy whose weights the training of a round begins with: some methods always take the first one. */
export function trainedFrom(own: Pick<Account, 'settings' | 'records'>, round: number): Policy {
  const { from } = methods[methodAt(own.settings, round)].training!;
  return policyAt(own, from === 'start' ? 1 : round);
}

/** The model that a campaign asks: in its own round's evaluation the candidate, else the policy. */
export function policyOf(account: Account, round: number, phase: Phase): Policy {
  switch (phase) {
    case 'test-start':
      return { round: 0, model: policyAt(account, 1).model };
    case 'test-final':
      return policyAt(account, Number.POSITIVE_INFINITY);
    case 'evaluate': {
      const candidate = resultOf(account.records, round, 'serve');
      return candidate ? { round, model: candidate } : policyAt(account, round);
    }
    default:
      return policyAt(account, round);
  }
}

/** What a policy has seen; null if it is the model that the improvement began with, and the user said nothing. */
export function lineageAt({ id, settings, records }: Account, policy: Policy): TrainedOn {
  return trainedOnOf(improvedOf(id, settings, records), policy.round);
}

/** The folder of a round, on the machine that trains. */
export function folderOf(home: string, id: string, round: number): string {
  return `${home}/improve/${id}/round-${round}`;
}
