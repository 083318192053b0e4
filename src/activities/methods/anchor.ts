/** Activities of anchor: which of the actions that a task's trajectories took in one state did best. */
import type { AnchoredAction, AnchorGroup } from '../../domain/methods/anchor-rule.ts';
import { outcomeKind } from '../../domain/outcome-kind.ts';
import type { UnpairedReason } from '../../domain/pairs/unpaired.ts';
import type { Preference } from '../../domain/wire/action.ts';
import type { TaskAddress } from '../../domain/wire/trajectory.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateOf } from '../acting/candidates.ts';
import { exploredSamples } from '../acting/explored-samples.ts';
import { isRevalued } from '../acting/revalued.ts';
import { lookedAt, samenessOf, whySame } from '../acting/sameness.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { type AnchoredSamples, anchoredSamples, groupOfPlace } from './anchor-samples.ts';

export type PairOfStep = { step: number; pair: Preference };

const reasons: { [verdict: string]: UnpairedReason } = {
  alone: 'no-alternative',
  unknown: 'no-outcome',
  tie: 'tie',
  gap: 'gap',
  elsewhere: 'shared',
  'same-action': 'same-action',
  'same-state': 'same-state',
};

export function anchorActivities(context: ActivityContext) {
  const { store } = context;

  /**
   * Compares a trajectory with the others of its task, once all of them are explored, and records what each of its steps gives. The pair of a state
   * belongs to the trajectory that took the rejected action; a state without one, to the first trajectory that came through it.
   * @returns the pairs of this trajectory
   */
  async function compareSamples(
    { runId, position, trajectoryId }: TaskAddress & { trajectoryId: string },
    signal: AbortSignal,
  ): Promise<PairOfStep[]> {
    const run = await store.runs.get(runId);
    const by = samenessOf(run.config, context.environments.get(run.environment));
    const all = await anchoredSamples(context, run, await exploredSamples(context, { runId, position }));
    const trajectory = all.samples.findIndex((sample) => sample.trajectory.id === trajectoryId);
    const pairs: PairOfStep[] = [];
    for (const [index, state] of all.samples[trajectory]!.path.slice(0, -1).entries()) {
      const step = { runId, trajectoryId, step: index + 1, nodeId: state.id };
      const group = groupOfPlace(all, { trajectory, step: index });
      const sides = group?.pair ? await sidesOf(run, all, group.pair, state) : null;
      const same = sides && (await whySame(context, run, state, [sides.chosen, sides.rejected], signal));
      const verdict = same ?? group?.verdict ?? 'elsewhere';
      const taken = sides ? { ownId: sides.rejected.id, lookedAt: lookedAt(by, [sides.chosen.id]) } : {};
      if (sides === null || same !== null) {
        await store.findings.addStep({
          ...step,
          ...taken,
          verdict,
          ruledOut: { [reasonOf(verdict, all, group)]: 1 },
        });
        continue;
      }
      const [best, worst] = [sides.chosen.id, sides.rejected.id];
      await store.findings.addStep({ ...step, ...taken, verdict, chosenId: best, rejectedId: worst, ruledOut: {} });
      pairs.push({ step: index + 1, pair: { nodeId: state.id, best, worst, revalue: isRevalued(run, state.id) } });
    }
    return pairs;
  }

  /** Both actions as candidates of the pair's own state, wherever the chosen one was drawn. */
  async function sidesOf(
    run: Run,
    { samples }: AnchoredSamples,
    pair: { chosen: AnchoredAction; rejected: AnchoredAction },
    state: State,
  ) {
    const candidate = ({ place }: AnchoredAction, position: number) => {
      const { trajectory, path } = samples[place.trajectory]!;
      const source = trajectory.origin === 'imported' ? ('imported' as const) : ('policy' as const);
      const { assistant, executed } = path[place.step + 1]!;
      // Trajectories are compared by what was executed of their messages.
      return candidateOf(context, state, assistant!, { run, source, model: trajectory.model, position, executed });
    };
    const sides = { chosen: candidate(pair.chosen, 0), rejected: candidate(pair.rejected, -1) };
    await store.findings.addCandidates([sides.rejected, sides.chosen]);
    return sides;
  }

  return { compareSamples };
}

/** Returns that are unknown because of successes that are none have a reason of their own. */
function reasonOf(verdict: string, { samples }: AnchoredSamples, group: AnchorGroup | null): UnpairedReason {
  if (verdict !== 'unknown' || group === null) return reasons[verdict]!;
  const kinds = group.visits.map((visit) => outcomeKind(samples[visit.trajectory]!.trajectory));
  return (['flagged', 'coincidental'] as const).find((kind) => kinds.includes(kind)) ?? reasons.unknown!;
}
