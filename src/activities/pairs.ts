/** Turns what was found out about a trajectory into pairs with their certificates. Reads only what is stored, so it gives the same whenever it runs. */
import type { Certificate } from '../domain/pair.ts';
import type { StepAddress } from '../domain/wire.ts';
import { seededFraction } from '../models/seed.ts';
import type { Run } from '../store/runs.ts';
import type { PairTable, StepTable } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { activity } from './boundary.ts';
import { certifier } from './certificate.ts';
import type { ActivityContext } from './context.ts';
import { csoProofs } from './cso-proofs.ts';
import type { Proof } from './proof.ts';
import { rroProofs } from './rro-proofs.ts';
import { stepDpoProofs } from './step-dpo-proofs.ts';

export function pairActivities(context: ActivityContext) {
  const { store } = context;
  const certify = certifier(context);

  /** Emits the pairs of a trajectory. @returns how many pairs it has */
  async function recordPairs({ runId, trajectoryId }: Omit<StepAddress, 'step'>): Promise<number> {
    const run = await store.runs.get(runId);
    const { options } = run.config;
    // An evaluation looks for none.
    if (!('pairsPerStep' in options)) return 0;
    const trajectory = await store.findings.trajectory(runId, trajectoryId);
    if (!trajectory) throw new Error(`Run ${runId} has no trajectory ${trajectoryId}.`);
    const rows: PairTable[] = [];
    for (const step of await store.findings.steps(runId, trajectoryId)) {
      const state = await store.tree.state(step.node_id);
      const kept = keepBest(await proofsOf(run, step, state), options.pairsPerStep, run.seed);
      for (const proof of kept) rows.push(await certify(run, trajectory, step, state, proof));
    }
    const balanced = keepBestRows(rows, options.pairsPerTask, run.seed);
    await store.findings.replacePairs(runId, trajectoryId, balanced);
    return balanced.length;
  }

  /** All (chosen, rejected) of a step, by the method's own proof. */
  function proofsOf(run: Run, step: StepTable, state: State): Promise<Proof[]> {
    const { config } = run;
    switch (config.method) {
      case 'cso':
        return csoProofs(store, run.id, config.options, step, state);
      case 'rro':
        return rroProofs(store, run.id, config.options, step, state);
      case 'step-dpo':
        return stepDpoProofs(store, run.id, step, state);
      case 'evaluate':
        return Promise.resolve([]);
    }
  }

  return { recordPairs: activity(recordPairs) };
}

/** By posterior where there is one, else in a seeded random order; never by score gap, which selects the PRM's overconfidence. */
function keepBest(proofs: Proof[], most: number | null, seed: number): Proof[] {
  const order = (proof: Proof) => seededFraction(seed, `keep/${proof.chosen.id}/${proof.rejected.id}`);
  return proofs
    .toSorted((one, other) => (other.posterior ?? 0) - (one.posterior ?? 0) || order(one) - order(other))
    .slice(0, most ?? undefined);
}

function keepBestRows(rows: PairTable[], most: number | null, seed: number): PairTable[] {
  if (most === null || rows.length <= most) return rows;
  const posterior = (row: PairTable) => (JSON.parse(row.certificate) as Certificate).verification.posterior ?? 0;
  const order = (row: PairTable) => seededFraction(seed, `keep/${row.id}`);
  return rows.toSorted((one, other) => posterior(other) - posterior(one) || order(one) - order(other)).slice(0, most);
}
