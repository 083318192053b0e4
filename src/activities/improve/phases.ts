/** Activities of an improvement that need the store alone: which campaign comes next, what was decided, how it ended. */

import { Context } from '@temporalio/activity';
import { type Decision, decide } from '../../domain/improve/decide.ts';
import { selectedOn } from '../../domain/improve/lineage.ts';
import { collectedSamples, methodAt, methodsOf } from '../../domain/improve/plan.ts';
import { campaignId, earlierEvaluation, type Phase, patience, resultOf } from '../../domain/improve/rounds.ts';
import { samplesToSee } from '../../domain/improve/samples.ts';
import { methods } from '../../domain/methods/index.ts';
import { ceilingUnits } from '../../domain/run/ceilings.ts';
import type { Sample } from '../../domain/run/evaluation.ts';
import type {
  ImproveEnd,
  ImprovePlan,
  ImproveResult,
  PhaseAddress,
  PhaseCampaign,
  RoundEnd,
} from '../../domain/wire/improve.ts';
import { admitRun } from '../../models/limits/admit-run.ts';
import { ceilingsLeft, requireLeft } from '../../start/improvement-ceilings.ts';
import { readyRun } from '../../start/launch.ts';
import { prepareRun } from '../../start/prepare.ts';
import type { RunRequest } from '../../start/request.ts';
import { type SteeredState, steerImprovement as steer } from '../../start/steer-improvement.ts';
import { recordUse } from '../../store/data-uses.ts';
import { serverOf } from '../../training/servers/index.ts';
import { samplesOf } from '../../views/evaluation.ts';
import { activities } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { type Account, accountOf, lineageAt, policyAt, policyOf, seedAt } from './account.ts';
import { requireOutcomes } from './outcomes.ts';

export function roundActivities(context: ActivityContext) {
  const { store } = context;
  const account = (id: string) => accountOf(store, context.config, id);

  async function openImprovement({ id }: { id: string }): Promise<ImprovePlan> {
    const { settings } = await store.improvements.get(id);
    const { rounds, warmStart, minRows } = settings;
    return {
      rounds,
      warmStart,
      minRows,
      hasTest: settings.tasks.test.length > 0,
      // Each method has its turn.
      patience: Math.max(patience, methodsOf(settings).length),
      forgets: serverOf(settings.server).forgets,
    };
  }

  /** Records the campaign of a phase. @returns null if the phase is over */
  async function beginCampaign({ id, round, phase }: PhaseAddress): Promise<PhaseCampaign | null> {
    const own = await account(id);
    if (resultOf(own.records, round, phase) !== null) return null;
    const known = phase === 'evaluate' ? earlierEvaluation(own.records, round) : null;
    if (known !== null) {
      await store.improvements.beginPhase(id, round, phase);
      await store.improvements.endPhase(id, round, phase, known);
      return null;
    }
    const request = await requestOf(own, round, phase);
    const units = ceilingUnits.filter((unit) => unit !== 'rollouts' || methods[request.method].branches);
    await requireLeft(store, own, own.settings.ceilings, campaignId(id, round, phase), units);
    await store.improvements.beginPhase(id, round, phase);
    const run = await prepareRun(own.config, store, request);
    // It may have ended early, with the workflow of the improvement or before it.
    const { total, wake } = (await readyRun(store, run)) ?? { total: 0, wake: async () => {} };
    await wake();
    const { method, window } = run.config;
    return {
      runId: run.id,
      method,
      window,
      environment: run.environment,
      title: `${method} on ${run.environment}, ${total} tasks`,
    };
  }

  async function requestOf(own: Account, round: number, phase: Phase): Promise<RunRequest> {
    const { id, settings } = own;
    const { environment, preset, seed, tasks, samples } = settings;
    const policy = policyOf(own, round, phase);
    const trainedOn = lineageAt(own, policy);
    const shared = {
      ...{ runId: campaignId(id, round, phase), isRound: true as const, environment, preset, seed },
      policy: { model: policy.model.name },
      ...(trainedOn && { trainedOn }),
      ceilings: await ceilingsLeft(store, own, settings.ceilings, campaignId(id, round, phase)),
    };
    switch (phase) {
      case 'collect': {
        const method = methodAt(settings, round);
        const drawn = collectedSamples(settings, round);
        const sample = settings.collectBy?.limit[method];
        return {
          ...shared,
          ...{ method, split: 'train', taskIds: tasks.collect, seed: await seedAt(store, own, round) },
          ...(drawn !== null && { samples: drawn }),
          ...(sample !== undefined && { sample }),
        };
      }
      case 'evaluate': {
        const { validation: least, mostValidation: most } = settings.samples;
        const taken = samplesToSee(settings.visible, tasks.validation.length, { least, most });
        return { ...shared, method: 'evaluate', split: 'train', taskIds: tasks.validation, samples: taken };
      }
      default:
        // What was chosen on the validation tasks has seen them.
        return {
          ...shared,
          ...(trainedOn && { trainedOn: [...selectedOn(own, policy.round), ...trainedOn] }),
          // The policy that it began with is not paid for twice.
          ...(phase === 'test-final' && policy.round === 0 && { reuse: [campaignId(id, 0, 'test-start')] }),
          method: 'evaluate',
          split: 'test',
          taskIds: tasks.test,
          samples: samples.test,
        };
    }
  }

  /**
   * The campaign of a phase is over.
   * @throws CruxError `Run.Broken`; the phase is not over then
   */
  async function endCampaign({ id, round, phase }: PhaseAddress): Promise<void> {
    const runId = campaignId(id, round, phase);
    const tasks = await store.runs.tasks(runId);
    await requireOutcomes(store, runId, phase, tasks);
    if (phase === 'evaluate') {
      // These groups decide, so a later test on them would be no test.
      await recordUse(
        store,
        runId,
        'selection',
        tasks.flatMap(({ group }) => group ?? []),
      );
    }
    await store.improvements.endPhase(id, round, phase, { runId });
  }

  /** Compares the candidate of a round with the policy. @param fault what ended the round before there was a candidate */
  async function decideRound({
    id,
    round,
    fault,
  }: {
    id: string;
    round: number;
    fault?: { kind: string; message: string };
  }): Promise<RoundEnd> {
    const own = await account(id);
    const known = resultOf(own.records, round, 'decide');
    if (known !== null) return { isPromoted: known.isPromoted };
    await store.improvements.beginPhase(id, round, 'decide');
    const decision = await decisionOf(own, round, fault);
    await store.improvements.endPhase(id, round, 'decide', decision);
    return { isPromoted: decision.isPromoted };
  }

  async function decisionOf(own: Account, round: number, fault: Decision['fault']): Promise<Decision> {
    const kept = { isPromoted: false, comparison: null, tasksToDecide: null };
    if (fault) return { ...kept, reason: 'training-ended', fault };
    if (resultOf(own.records, round, 'serve') === null) return { ...kept, reason: 'few-pairs' };
    const before = policyAt(own, round).round;
    return decide(await samples(own, before), await samples(own, round), own.settings.promote);
  }

  async function samples({ records }: Account, round: number): Promise<Sample[]> {
    return samplesOf(store, await store.runs.get(resultOf(records, round, 'evaluate')!.runId));
  }

  async function finishImprovement({
    id,
    state,
    fault,
  }: {
    id: string;
    state: ImproveEnd;
    fault: ImproveResult['fault'];
  }): Promise<ImproveResult> {
    const ended = await store.improvements.finish(id, state, fault);
    const own = await account(id);
    const policy = policyAt(own, Number.POSITIVE_INFINITY);
    return {
      state: ended,
      rounds: own.records.filter(({ phase, result }) => phase === 'decide' && result !== null).length,
      start: policyAt(own, 1).model.name,
      policy: policy.model.name,
      policyRound: policy.round,
      fault,
    };
  }

  async function steerImprovement({ id, state }: { id: string; state: SteeredState }): Promise<void> {
    await steer({ store, client: Context.current().client }, id, state);
  }

  const works = {
    openImprovement,
    beginCampaign,
    endCampaign,
    decideRound,
    finishImprovement,
    steerImprovement,
  };
  return activities(works, holdBackPhases(context));
}

/** Nothing new begins while an improvement is paused or cancelled. */
export function holdBackPhases({ store }: Pick<ActivityContext, 'store'>) {
  const always = new Set([
    ...['openImprovement', 'finishImprovement', 'steerImprovement', 'endCampaign'],
    ...['cancelTraining', 'releaseServer'],
  ]);
  return async (name: string, { id }: { id: string }): Promise<void> => {
    if (always.has(name)) return;
    const { state } = await store.improvements.get(id);
    admitRun({ id, state, block: null });
  };
}
