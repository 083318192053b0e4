import type { AuditSettings } from '../domain/run/audit.ts';
import type { AuditedAction, AuditPage } from '../domain/wire/audit.ts';
import { actionsOf, auditSample } from '../store/audit-sample.ts';
import type { Run } from '../store/runs.ts';
import type { ActivityContext } from './runtime/context.ts';

export function auditActivities({ store }: ActivityContext) {
  /** The actions of the audit that was asked for last: pairs are long to read, and each page needs them all. */
  let known: { of: string; actions: AuditedAction[] } | null = null;

  async function actionsOfAudit(run: Run, audit: AuditSettings): Promise<AuditedAction[]> {
    const of = JSON.stringify([run.id, run.createdAt, run.finishedAt, audit.sample]);
    if (known?.of !== of) known = { of, actions: actionsOf(await auditSample(store, run, audit)) };
    return known.actions;
  }

  /** The next actions of a run's audit whose reference rollouts are not all there. @returns at most `limit`; none when there are no more */
  async function nextAudited(input: { runId: string; from: number; limit: number }): Promise<AuditPage> {
    const { runId, from, limit } = input;
    const run = await store.runs.get(runId);
    const audit = await store.findings.audit(runId);
    if (!audit) throw new Error(`Run ${runId} has no audit.`);
    const all = await actionsOfAudit(run, audit);
    const page: AuditPage = { actions: [], next: from, total: all.length };
    while (page.next < all.length && page.actions.length < limit) {
      const some = all.slice(page.next, page.next + limit - page.actions.length);
      const states = [...new Set(some.map(({ nodeId }) => nodeId))];
      const there = await store.findings.countReferences(runId, audit.rollouts, states);
      const isOpen = ({ nodeId, candidateId }: AuditedAction) =>
        (there.get(`${nodeId}/${candidateId}`) ?? 0) < audit.rollouts;
      page.actions.push(...some.filter(isOpen));
      page.next += some.length;
    }
    return page;
  }

  return { nextAudited };
}
