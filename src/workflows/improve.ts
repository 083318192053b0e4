import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { type Phase, patience } from '../domain/improve/rounds.ts';
import type { CampaignResult } from '../domain/wire/campaign.ts';
import type {
  ImproveEnd,
  ImproveInput,
  ImprovePlan,
  ImproveProgress,
  ImproveResult,
  ImproveState,
  KeptServed,
  Served,
} from '../domain/wire/improve.ts';
import type { campaign } from './campaign.ts';
import { isHistoryLong } from './history.ts';
import { cancelUpdate, improvementQuery, pauseUpdate, resumeUpdate } from './messages.ts';
import { faultOf, rounds, tidying, training, watching } from './proxies.ts';
import { cruxEnvironment, cruxMethod, cruxRun, cruxStatus } from './search-attributes.ts';

/** Training that ends so has shown that its data or settings lead nowhere: the policy stays, and the next round begins. */
const endedTrainings: ReadonlySet<string> = new Set(['Train.Diverged', 'Train.Collapsed']);

/** Rounds of collect → export → train → serve → evaluate → decide. A phase that is over is never done again, also by a later start under the same id. */
export async function improve({ id }: ImproveInput): Promise<ImproveResult> {
  const run = new Improvement(id);
  setHandler(improvementQuery, () => run.progress);
  setHandler(pauseUpdate, () => run.steer('paused'));
  setHandler(resumeUpdate, () => run.steer('running'));
  setHandler(cancelUpdate, () => run.steer('cancelled'));
  return run.toTheEnd();
}

/** Ends an improvement early, in good order. */
class EarlyEnd extends Error {
  readonly state: ImproveEnd;
  readonly fault: ImproveResult['fault'];
  constructor(state: ImproveEnd, fault: ImproveResult['fault'] = null) {
    super(state);
    this.state = state;
    this.fault = fault;
  }
}

class Improvement {
  readonly #id: string;
  readonly #work = new CancellationScope();
  #plan: ImprovePlan | null = null;
  #state: ImproveState = 'running';
  #at: { round: number; phase: Phase | null } = { round: 0, phase: null };

  constructor(id: string) {
    this.#id = id;
  }

  get progress(): ImproveProgress {
    return { state: this.#state, ...this.#at, rounds: this.#plan?.rounds ?? 0 };
  }

  async toTheEnd(): Promise<ImproveResult> {
    let end: ImproveEnd = 'finished';
    let fault: ImproveResult['fault'] = null;
    try {
      await this.#work.run(() => this.#improve());
    } catch (error) {
      const known = faultOf(error);
      if (error instanceof EarlyEnd) [end, fault] = [error.state, error.fault];
      else if (isCancellation(error) || known?.kind === 'Run.Cancelled') end = 'cancelled';
      else if (known?.kind === 'Run.Budget') [end, fault] = ['budget', known];
      else if (known !== null) [end, fault] = ['failed', known];
      else throw error;
    }
    return CancellationScope.nonCancellable(async () => {
      if (end === 'cancelled') {
        // Of a job that may go on, status and page say so.
        await tidying('cancel the training')
          .cancelTraining({ id: this.#id })
          .catch(() => {});
      }
      // If no worker is there that can, `crux cancel` or the next worker ends the server.
      await tidying('end the server')
        .releaseServer({ id: this.#id })
        .catch(() => {});
      const result = await rounds('close the improvement').finishImprovement({ id: this.#id, state: end, fault });
      this.#show(result.state);
      await condition(allHandlersFinished);
      return result;
    });
  }

  async #improve(): Promise<void> {
    const plan = await rounds('open the improvement').openImprovement({ id: this.#id });
    this.#plan = plan;
    if (plan.warmStart) await this.#warmUp(plan);
    else await this.#serve(0);
    await this.#campaign(0, 'evaluate');
    let unpromoted = 0;
    for (let round = 1; round <= plan.rounds && unpromoted < (plan.patience ?? patience); round += 1) {
      unpromoted = (await this.#round(round)) ? 0 : unpromoted + 1;
    }
    if (plan.hasTest) await this.#test();
  }

  /** Makes the starting policy, without which there is nothing to improve. */
  async #warmUp({ minRows }: ImprovePlan): Promise<void> {
    const fault = await this.#learn(0);
    if (fault === null) return;
    const message = `The expert's trajectories gave fewer than ${minRows} rows for the warm start (improve.minPairs).`;
    throw new EarlyEnd('failed', fault === 'few' ? { kind: 'User.Config', message } : fault);
  }

  /** @returns whether its candidate is the policy from now on */
  async #round(round: number): Promise<boolean> {
    // The policy collects, so it must be the one that is served.
    await this.#serve(round, 'policy');
    const fault = await this.#learn(round);
    if (fault === 'few') return this.#decide(round);
    if (fault !== null) return this.#decide(round, fault);
    await this.#campaign(round, 'evaluate');
    return this.#decide(round);
  }

  /** Collects, trains on it, and serves the candidate. @returns why there is no candidate; null if there is one */
  async #learn(round: number): Promise<'few' | { kind: string; message: string } | null> {
    const id = this.#id;
    await this.#campaign(round, 'collect');
    const { rows } = await this.#during(round, 'export', () =>
      training(`export round ${round}`).exportRound({ id, round }),
    );
    if (rows < this.#plan!.minRows) return 'few';
    try {
      await this.#during(round, 'train', () => this.#train(round));
    } catch (error) {
      const fault = faultOf(error);
      if (fault !== null && endedTrainings.has(fault.kind)) return fault;
      throw error;
    }
    await this.#serve(round);
    return null;
  }

  /** A trainer of our own trains in one activity. A service's job is looked at from time to time, and nothing waits in between. */
  async #train(round: number): Promise<void> {
    for (let looks = 0; ; looks += 1) {
      const againMs = await training(`train round ${round}`).trainRound({ id: this.#id, round, looks });
      if (againMs === null) return;
      await sleep(againMs);
      // The store knows every phase that is over, so nothing is carried along.
      if (isHistoryLong(undefined) && allHandlersFinished()) await continueAsNew<typeof improve>({ id: this.#id });
    }
  }

  /** @param whose the candidate of the round, or the policy at its start */
  #serve(round: number, whose: 'candidate' | 'policy' = 'candidate'): Promise<void> {
    const id = this.#id;
    return this.#during(round, 'serve', () =>
      training(`serve the ${whose} of round ${round}`).serveModel({ id, round, whose }),
    );
  }

  async #decide(round: number, fault?: { kind: string; message: string }): Promise<boolean> {
    const decision = { id: this.#id, round, ...(fault && { fault }) };
    const { isPromoted } = await this.#during(round, 'decide', () =>
      rounds(`decide round ${round}`).decideRound(decision),
    );
    return isPromoted;
  }

  /** The test tasks are looked at once, at the end: by the policy that it began with, and by the one that it ended with. */
  async #test(): Promise<void> {
    for (const phase of ['test-start', 'test-final'] as const) await this.#campaign(0, phase);
  }

  /** Runs the campaign of a phase, which has the model that it asks served first. */
  async #campaign(round: number, phase: Phase): Promise<void> {
    const address = { id: this.#id, round, phase };
    await this.#during(round, phase, async () => {
      const whose = servedIn(phase);
      if (whose === phase) await training(`serve for ${phase}`).serveModel({ id: this.#id, round, whose });
      const next = await rounds(`prepare ${phase}`).beginCampaign(address);
      if (next === null) return;
      const { runId, method, window, title, environment } = next;
      const watch = this.#keepServed({ id: this.#id, round, whose, runId });
      const { state }: CampaignResult = await executeChild<typeof campaign>('campaign', {
        workflowId: runId,
        args: [{ runId, method, window }],
        // The one before was terminated with its improvement, or ended for its budget.
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: title,
        typedSearchAttributes: [
          { key: cruxRun, value: runId },
          { key: cruxMethod, value: method },
          { key: cruxEnvironment, value: environment },
          { key: cruxStatus, value: 'running' },
        ],
      }).finally(() => watch.cancel());
      if (state === 'cancelled' || state === 'budget') throw new EarlyEnd(state);
      await rounds(`close ${phase}`).endCampaign(address);
    });
  }

  /** Looks after the model of a campaign where its server may forget it. @returns what ends that */
  #keepServed(kept: KeptServed): CancellationScope {
    const watch = new CancellationScope();
    if (this.#plan!.forgets) watch.run(() => watching('keep the model served').keepModelServed(kept)).catch(() => {});
    return watch;
  }

  async #during<T>(round: number, phase: Phase, work: () => Promise<T>): Promise<T> {
    this.#at = { round, phase };
    this.#show(this.#state);
    return work();
  }

  /** The order is written where every phase and every call obeys it. */
  async steer(state: 'paused' | 'running' | 'cancelled'): Promise<void> {
    await rounds(`control: ${state}`).steerImprovement({ id: this.#id, state });
    this.#show(state);
    if (state === 'cancelled') this.#work.cancel();
  }

  #show(state: ImproveState): void {
    this.#state = state;
    const { round, phase } = this.#at;
    upsertSearchAttributes([{ key: cruxStatus, value: state === 'running' && phase !== null ? phase : state }]);
    const of = this.#plan === null ? '' : ` of ${this.#plan.rounds}`;
    setCurrentDetails(`| | |\n|---|---|\n| state | ${state} |\n| round | ${round}${of} |\n| phase | ${phase ?? '–'} |`);
  }
}

/** Whose model a campaign asks. */
function servedIn(phase: Phase): Served {
  switch (phase) {
    case 'evaluate':
      return 'candidate';
    case 'test-start':
    case 'test-final':
      return phase;
    default:
      return 'policy';
  }
}
