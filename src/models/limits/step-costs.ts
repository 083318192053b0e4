/** Holds what a step of an environment may cost against the ceilings of its run, task and step, and records what it cost. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { scopeOfCall } from '../../domain/stream.ts';
import type { StepAccount } from '../../environments/sessions/live-steps.ts';
import type { Store } from '../../store/store.ts';
import { untilStoreIsBack } from '../../store/until-store-is-back.ts';
import { admitRun } from './admit-run.ts';
import { holdWorstCase } from './call-ceilings.ts';
import { firstPauseMs, pause } from './pauses.ts';

/** A step waits this long for others that may leave room under a ceiling; then it is thrown, so that others can use the slot. */
const longestPatienceMs = 60_000;
/** What is held for a step goes by itself this long after its worker died. */
const holdMs = 120_000;
const renewMs = 30_000;

export function stepAccount(store: Store): StepAccount {
  return async ({ environment, state, caller, signal }) => {
    const { run, purpose, stream } = caller;
    // Nobody pays outside runs: in imports, and in checks.
    if (run === null) return () => Promise.resolve();
    const { maxStepCost } = environment;
    const mostMicroUsd = maxStepCost === undefined ? null : maxStepCost * 1e6;
    const id = `step ${randomUUID()}`;
    const scope = scopeOfCall(run.id, state.taskId, { nodeId: state.id, purpose, stream });
    if (mostMicroUsd !== null && mostMicroUsd > 0) await hold(store, { scope, id, mostMicroUsd }, signal);
    const renewing = setInterval(() => {
      // One that cannot be renewed now is renewed next time, or goes by itself.
      if (mostMicroUsd !== null) store.reservations.extend(run.id, id, holdMs).catch(() => {});
    }, renewMs);
    return async (cost) => {
      clearInterval(renewing);
      if (cost === undefined && mostMicroUsd === null) return;
      const costs = {
        ...{ id, scope, mostMicroUsd, purpose, stream },
        environment: environment.name,
        taskId: state.taskId,
        nodeId: state.id,
        costMicroUsd: cost === undefined ? null : cost * 1e6,
      };
      await untilStoreIsBack(() => store.environmentCosts.add(costs));
    };
  };
}

/** @throws CruxError `Run.Budget`, `Task.Budget`, `Step.Budget` if there is no room; `Run.Paused` and others if the run takes no work */
async function hold(
  store: Store,
  { scope, id, mostMicroUsd }: { scope: ReturnType<typeof scopeOfCall>; id: string; mostMicroUsd: number },
  signal: AbortSignal,
): Promise<void> {
  for (const until = performance.now() + longestPatienceMs; ; ) {
    const control = await store.runs.control(scope.runId);
    admitRun({ id: scope.runId, ...control });
    const worst = { calls: 0, tokens: 0, costMicroUsd: mostMicroUsd } as const;
    const later = await holdWorstCase(store, scope, id, worst, holdMs, control.ceilings);
    if (later === null) return;
    if (performance.now() > until) throw later;
    await pause(later.retryAfterMs ?? firstPauseMs, signal);
  }
}
