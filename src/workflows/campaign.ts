import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { addResult } from '../domain/campaign-counts.ts';
import type { Ceilings, RunState } from '../domain/run-config.ts';
import type { CampaignCounts, CampaignInput, CampaignProgress, CampaignResult, NextTask, TrajectoryResult } from '../domain/wire.ts';
import { cancelUpdate, pauseUpdate, progressQuery, resumeUpdate, retuneUpdate, trajectoryDoneSignal } from './messages.ts';
import { bookkeeping } from './proxies.ts';
import { cruxEnvironment, cruxMethod, cruxPairs, cruxRun, cruxStatus, cruxTask } from './search-attributes.ts';
import type { trajectory } from './trajectory.ts';

/** How often tasks in flight are looked up, in case a signal was lost or a workflow terminated. */
const settleEvery = '2m';

/** A run over many tasks: a sliding window of trajectories. */
export async function campaign(input: CampaignInput): Promise<CampaignResult> {
  const opened = await bookkeeping('open the run').openCampaign({ runId: input.runId });
  const run = new Campaign(input, opened.counts, opened.state, opened.environment);
  setHandler(trajectoryDoneSignal, (result) => run.settle(result));
  setHandler(progressQuery, () => run.progress());
  setHandler(pauseUpdate, () => run.control('paused'));
  setHandler(resumeUpdate, () => run.control('running'));
  setHandler(cancelUpdate, () => run.control('cancelled'));
  setHandler(retuneUpdate, (ceilings) => run.retune(ceilings));
  try {
    await run.toTheEnd();
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await CancellationScope.nonCancellable(async () => {
      await run.control('cancelled');
      await run.toTheEnd();
    });
  }
  await condition(allHandlersFinished);
  return run.finish();
}

class Campaign {
  readonly #input: CampaignInput;
  readonly #environment: string;
  #counts: CampaignCounts;
  #state: RunState;
  #nextPosition: number;
  #exhausted = false;
  #startedBefore = false;
  readonly #inFlight = new Map<number, string>();
  /** Counts everything that may let the main loop go on. */
  #changes = 0;

  constructor(input: CampaignInput, counts: CampaignCounts, state: RunState, environment: string) {
    this.#input = input;
    this.#environment = environment;
    this.#counts = input.cursor?.counts ?? counts;
    this.#state = state;
    this.#nextPosition = input.cursor?.nextPosition ?? 0;
    for (const { position, workflowId } of input.cursor?.inFlight ?? []) this.#inFlight.set(position, workflowId);
  }

  progress(): CampaignProgress {
    return { ...this.#counts, state: this.#state, inFlight: this.#inFlight.size };
  }

  async toTheEnd(): Promise<void> {
    await this.#settleFromStore();
    for (;;) {
      await this.#fill();
      if (this.#startedBefore) await this.#settleFromStore();
      this.#startedBefore = false;
      this.#show();
      if (this.#inFlight.size === 0 && (this.#exhausted || this.#isStopped)) return;
      const seen = this.#changes;
      const changed = await condition(() => this.#changes !== seen || this.#mayContinueAsNew, settleEvery);
      if (!changed) await this.#settleFromStore();
      if (this.#mayContinueAsNew) await this.#continueAsNew();
    }
  }

  settle(result: TrajectoryResult): void {
    if (!this.#inFlight.delete(result.position)) return;
    this.#counts = addResult(this.#counts, result);
    if (result.stoppedBy === 'budget' && this.#state === 'running') this.#state = 'budget';
    this.#changes++;
  }

  /** The control row is what every call goes by; the workflow's own state only says whether it starts more. */
  async control(state: 'paused' | 'running' | 'cancelled'): Promise<void> {
    if (this.#state === 'cancelled') return;
    await bookkeeping(`control: ${state}`).writeControl({ runId: this.#input.runId, state });
    this.#state = state;
    this.#changes++;
    if (state === 'cancelled') await this.#cancelInFlight();
  }

  async retune(ceilings: Ceilings): Promise<void> {
    const state = this.#state === 'budget' ? 'running' : this.#state;
    await bookkeeping('control: ceilings').writeControl({ runId: this.#input.runId, state, ceilings });
    this.#state = state;
    this.#changes++;
  }

  async finish(): Promise<CampaignResult> {
    const state = this.#state === 'running' || this.#state === 'paused' ? 'finished' : this.#state;
    await CancellationScope.nonCancellable(() => bookkeeping('close the run').finishRun({ runId: this.#input.runId, state }));
    this.#state = state;
    this.#show();
    upsertSearchAttributes([
      { key: cruxStatus, value: state },
      { key: cruxPairs, value: this.#counts.pairs },
    ]);
    return { ...this.#counts, state };
  }

  get #isStopped(): boolean {
    return this.#state === 'cancelled' || this.#state === 'budget';
  }

  get #mayContinueAsNew(): boolean {
    return workflowInfo().continueAsNewSuggested && allHandlersFinished();
  }

  async #fill(): Promise<void> {
    while (this.#state === 'running' && !this.#exhausted && this.#inFlight.size < this.#input.window) {
      const limit = this.#input.window - this.#inFlight.size;
      const { tasks, next } = await bookkeeping('next tasks').nextTasks({ runId: this.#input.runId, from: this.#nextPosition, limit });
      if (next === this.#nextPosition) this.#exhausted = true;
      this.#nextPosition = next;
      // In flight before they start: a result may come while the start is still being confirmed.
      for (const { position, workflowId } of tasks) this.#inFlight.set(position, workflowId);
      await Promise.all(tasks.map((task) => this.#start(task)));
    }
  }

  async #start(task: NextTask): Promise<void> {
    const { runId, method } = this.#input;
    try {
      await startChild<typeof trajectory>('trajectory', {
        workflowId: task.workflowId,
        args: [{ runId, position: task.position, method, campaignId: workflowInfo().workflowId }],
        // Children must survive when the campaign continues as new.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        staticSummary: task.title,
        typedSearchAttributes: [
          { key: cruxRun, value: runId },
          { key: cruxMethod, value: method },
          { key: cruxEnvironment, value: this.#environment },
          { key: cruxTask, value: task.taskId },
          { key: cruxStatus, value: 'starting' },
        ],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // Started by an earlier campaign of this run: it may be over already, and never report.
      this.#startedBefore = true;
    }
  }

  async #settleFromStore(): Promise<void> {
    if (this.#inFlight.size === 0) return;
    const inFlight = [...this.#inFlight].map(([position, workflowId]) => ({ position, workflowId }));
    const settled = await bookkeeping('settle tasks in flight').settleTasks({ runId: this.#input.runId, inFlight });
    for (const { result } of settled) this.settle(result);
  }

  async #cancelInFlight(): Promise<void> {
    await CancellationScope.nonCancellable(() =>
      Promise.all(
        [...this.#inFlight.values()].map(async (workflowId) => {
          try {
            await getExternalWorkflowHandle(workflowId).cancel();
          } catch {
            // It is over already: its result is in the store.
          }
        }),
      ),
    );
  }

  async #continueAsNew(): Promise<never> {
    const inFlight = [...this.#inFlight].map(([position, workflowId]) => ({ position, workflowId }));
    return continueAsNew<typeof campaign>({
      ...this.#input,
      cursor: { nextPosition: this.#nextPosition, inFlight, counts: this.#counts },
    });
  }

  #show(): void {
    const { done, total, criticalSteps, branches, pairs, endings } = this.#counts;
    const rows: [string, string | number][] = [
      ['state', this.#state],
      ['tasks', `${done} of ${total} done, ${this.#inFlight.size} in flight`],
      ['endings', Object.entries(endings).map(([name, count]) => `${name} ${count}`).join(', ') || '–'],
      ['candidate critical steps', criticalSteps],
      ['branches', branches],
      ['pairs', pairs],
    ];
    setCurrentDetails(['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'));
  }
}
