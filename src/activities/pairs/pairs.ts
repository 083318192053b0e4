/** Turns the findings about a trajectory into pairs with their certificates. Reads only what is stored, so its result does not depend on when it runs. */

import type { RecordedPair } from '../../domain/pairs/pair.ts';
import { keepBest } from '../../domain/pairs/rules.ts';
import type { Sameness } from '../../domain/pairs/sameness.ts';
import { addUnpaired, type SettledStep } from '../../domain/pairs/unpaired.ts';
import type { Step } from '../../domain/step.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { EndTaskInput, StepAddress } from '../../domain/wire/trajectory.ts';
import { seededFraction } from '../../models/seed.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { trajectoryOf } from '../acting/candidates.ts';
import { samenessOf } from '../acting/sameness.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { anchorProofs } from './anchor-proofs.ts';
import { certifier } from './certificate.ts';
import { contrastProofs } from './contrast-proofs.ts';
import type { Proof, ProofsOfStep } from './evidence.ts';
import { stepProofs } from './step-proofs.ts';

export function pairActivities(context: ActivityContext) {
  const { store, environments } = context;
  const certify = certifier(context);

  /** Emits the pairs of a trajectory, and notes at each step why it gave no other. @returns how many pairs it has */
  async function recordPairs({ runId, trajectoryId }: Omit<StepAddress, 'step'>): Promise<number> {
    const run = await store.runs.get(runId);
    const trajectory = await trajectoryOf(context, runId, trajectoryId);
    const { options } = run.config;
    if (!('pairsPerStep' in options)) return 0;
    const by = samenessOf(run.config, environments.get(run.environment));
    const proofsAt = await prover(run, trajectory, by);
    const pairs = new Map<string, RecordedPair>();
    const settled = new Map<number, SettledStep>();
    for (const step of await store.findings.steps(runId, trajectoryId)) {
      const state = await store.tree.state(step.nodeId);
      const order = (proof: Proof) => seededFraction(run.seed, `keep/${proof.chosen.id}/${proof.rejected.id}`);
      const { proofs, unpaired } = await proofsAt(step, state);
      const kept = keepBest(proofs, options.pairsPerStep, order);
      const own: SettledStep = { pairs: [], unpaired: { ...unpaired } };
      settled.set(step.step, own);
      addUnpaired(own.unpaired, 'step-limit', proofs.length - kept.length);
      for (const proof of kept) {
        const pair = await certify(run, trajectory, state, proof);
        // Two steps of IPR may give the same pair: the same rest of two trajectories.
        if (pairs.has(pair.id)) addUnpaired(own.unpaired, 'shared');
        else {
          pairs.set(pair.id, pair);
          own.pairs.push(pair.id);
        }
      }
    }
    const balanced = keepBestOfTrajectory([...pairs.values()], options.pairsPerTask, run.seed);
    const keptIds = new Set(balanced.map(({ id }) => id));
    for (const own of settled.values()) {
      const given = own.pairs.filter((id) => keptIds.has(id));
      addUnpaired(own.unpaired, 'task-limit', own.pairs.length - given.length);
      own.pairs = given;
    }
    await store.findings.replacePairs(runId, trajectoryId, balanced, settled);
    return balanced.length;
  }

  /** What proves the pairs of a trajectory's steps, by the method's kind of evidence. */
  async function prover(
    run: Run,
    trajectory: Trajectory,
    by: Sameness,
  ): Promise<(step: Step, state: State) => Promise<ProofsOfStep>> {
    const { method, options } = run.config;
    if (method === 'anchor') return anchorProofs(context, run, trajectory, by);
    // ETO and IPR compare whole continuations with those of the expert.
    if (method === 'eto' || method === 'ipr')
      return (step, state) => contrastProofs(store, run, options, step, state, trajectory, by);
    return (step, state) => stepProofs(store, run, step, state, by, trajectory.sample);
  }

  /** Ends a task: stores its result, with the number of pairs that its trajectory gives. @returns that number */
  async function endTask({ runId, result, pairsOf }: EndTaskInput): Promise<number> {
    const pairs = await recordPairs({ runId, trajectoryId: pairsOf });
    await store.runs.finishTask(runId, result.position, { ...result, pairs });
    return pairs;
  }

  return { recordPairs, endTask };
}

function keepBestOfTrajectory(pairs: RecordedPair[], most: number | null, seed: number): RecordedPair[] {
  if (most === null || pairs.length <= most) return pairs;
  const posterior = ({ certificate }: RecordedPair) => certificate.verification.posterior ?? 0;
  const order = ({ id }: RecordedPair) => seededFraction(seed, `keep/${id}`);
  return pairs.toSorted((one, other) => posterior(other) - posterior(one) || order(one) - order(other)).slice(0, most);
}
