import { continueAsNew, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { endingOfFault } from '../domain/fault-ending.ts';
import { Places } from '../domain/places.ts';
import type { AuditedAction, AuditInput, AuditPage, AuditResult } from '../domain/wire/audit.ts';
import { isHistoryLong } from './history.ts';
import { agent, bookkeeping, faultOf } from './proxies.ts';
import { cruxStatus } from './search-attributes.ts';
import { whenAllSettled } from './when-all-settled.ts';

const actionsPerPage = 100;
/** Rollouts of one activity: one activity for each would cost more than the rollouts themselves, if these are short. */
const rolloutsPerActivity = 16;

/**
 * Rolls actions of a finished run out again, with the purpose `reference`: these rollouts share no answer with what made the pairs. Every
 * rollout is recorded as a branch, and an existing one is not made again.
 */
export async function audit(input: AuditInput): Promise<AuditResult> {
  const places = new Places(input.parallel);
  upsertSearchAttributes([{ key: cruxStatus, value: 'auditing' }]);
  let at: AuditPage = { actions: [], next: input.cursor?.from ?? 0, total: 0 };
  let state: AuditResult['state'] = 'finished';
  try {
    for (;;) {
      const page = { runId: input.runId, from: at.next, limit: actionsPerPage };
      at = await bookkeeping('next actions').nextAudited(page);
      show('auditing', at);
      if (at.actions.length === 0) break;
      await whenAllSettled(at.actions.flatMap((action) => reference(input, action, places)));
      if (isHistoryLong(input.historyLimit)) await continueAsNew<typeof audit>({ ...input, cursor: { from: at.next } });
    }
  } catch (error) {
    const fault = faultOf(error);
    const ending = fault && endingOfFault(fault.kind);
    if (ending !== 'budget' && ending !== 'cancelled') throw error;
    state = ending;
  }
  upsertSearchAttributes([{ key: cruxStatus, value: state }]);
  show(state, at);
  return { state, actions: at.next, total: at.total };
}

/** All reference rollouts of an action, some in each activity. */
function reference({ runId, rollouts }: AuditInput, action: AuditedAction, places: Places): Promise<unknown>[] {
  return Array.from({ length: Math.ceil(rollouts / rolloutsPerActivity) }, (_, index) => {
    const from = index * rolloutsPerActivity;
    const to = Math.min(rollouts, from + rolloutsPerActivity);
    const label = `reference ${action.candidateId.slice(0, 8)} #${from}–${to - 1}`;
    return places.run(() => agent(label).rollOutAll({ runId, ...action, purpose: 'reference', from, to }));
  });
}

function show(state: string, { next, total }: AuditPage): void {
  setCurrentDetails(`| | |\n|---|---|\n| state | ${state} |\n| actions | ${next} of ${total} |`);
}
