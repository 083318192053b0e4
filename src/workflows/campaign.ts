import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { methods } from '../domain/methods/index.ts';
import { CampaignState } from '../domain/run/campaign-state.ts';
import type { CeilingChanges } from '../domain/run/ceilings.ts';
import type { CampaignInput, CampaignResult } from '../domain/wire/campaign.ts';
import type { TrajectoryResult } from '../domain/wire/trajectory.ts';
import { isHistoryLong } from './history.ts';
import {
  blockedSignal,
  cancelUpdate,
  pauseUpdate,
  progressQuery,
  resumeUpdate,
  retuneUpdate,
  trajectoryDoneSignal,
} from './messages.ts';
import { orders } from './proxies.ts';
import { cruxPairs, cruxStatus } from './search-attributes.ts';
import { TasksBySlots } from './tasks/by-slots.ts';
import { TasksByWorkflows } from './tasks/by-workflows.ts';
import type { TasksInProgress } from './tasks/in-progress.ts';

/** A run over many tasks: a sliding window of trajectories. */
export async function campaign(input: CampaignInput): Promise<CampaignResult> {
  const run = new Campaign(input);
  setHandler(trajectoryDoneSignal, (result) => run.settle(result));
  setHandler(blockedSignal, (words) => run.showBlock(words));
  setHandler(progressQuery, () => run.at.progress);
  setHandler(pauseUpdate, () => run.control('paused'));
  setHandler(resumeUpdate, () => run.control('running'));
  setHandler(cancelUpdate, () => run.control('cancelled'));
  setHandler(retuneUpdate, (ceilings) => run.retune(ceilings));
  // A cancellation through Temporal itself is the user's order, like the update: it ends the run in good order.
  CancellationScope.current().cancelRequested.catch(() =>
    CancellationScope.nonCancellable(() => run.control('cancelled')),
  );
  return CancellationScope.nonCancellable(async () => {
    await run.open();
    await run.toTheEnd();
    return run.finish();
  });
}

class Campaign {
  readonly at: CampaignState;
  readonly #input: CampaignInput;
  /** Null until the campaign is open. */
  #tasks: TasksInProgress | null = null;
  /** Counts everything that may let the main loop continue. */
  #changes = 0;
  /** Orders in progress. */
  #orders = 0;

  constructor(input: CampaignInput) {
    this.#input = input;
    this.at = new CampaignState(input.window, input.cursor);
  }

  async open(): Promise<void> {
    const { runId, cursor } = this.#input;
    const opened = await orders('open the run').openCampaign({ runId, isContinued: cursor !== undefined });
    if (!cursor) this.at.open(opened);
    this.#tasks = this.at.isInSlots
      ? new TasksBySlots(this.#input, this.at, () => this.#changes++)
      : new TasksByWorkflows(this.#input, opened.environment, this.at);
  }

  async toTheEnd(): Promise<void> {
    const tasks = this.#tasks!;
    await tasks.look();
    for (;;) {
      await tasks.fill();
      this.#show();
      if (this.#isOver) return;
      const seen = this.#changes;
      const changed = await condition(
        () => this.#changes !== seen || this.#mayContinueAsNew || this.#isOver,
        tasks.lookEveryMs,
        { summary: 'look up the tasks in flight' },
      );
      if (!changed) await tasks.look();
      if (this.#mayContinueAsNew) {
        await tasks.standDown();
        if (this.#isIdle) await continueAsNew<typeof campaign>({ ...this.#input, cursor: this.at.cursor });
      }
    }
  }

  settle(result: TrajectoryResult): void {
    if (this.at.settle(result)) this.#changes++;
  }

  /** Calls obey the control row: the campaign only shows why they wait. @param words null when the run is taken up again */
  showBlock(words: string | null): void {
    this.at.showBlock(words);
    this.#changes++;
    upsertSearchAttributes([{ key: cruxStatus, value: this.at.progress.state }]);
    this.#show();
  }

  /** Every call obeys the control row. The workflow's own state only says whether it starts more. */
  async control(state: 'paused' | 'running' | 'cancelled'): Promise<void> {
    await this.#order(async () => {
      await orders(`control: ${state}`).writeControl({ runId: this.#input.runId, state });
      this.at.control(state);
      if (this.at.block !== null) this.showBlock(null);
      if (state === 'cancelled') await this.#tasks!.cancel();
    });
  }

  async retune(ceilings: CeilingChanges): Promise<void> {
    await this.#order(async () => {
      const state = this.at.retunedState;
      await orders('control: ceilings').writeControl({ runId: this.#input.runId, state, ceilings });
      this.at.retune(state);
    });
  }

  async finish(): Promise<CampaignResult> {
    const state = this.at.closingState;
    const stored = await orders('close the run').finishRun({ runId: this.#input.runId, state });
    const result = this.at.close(state, stored);
    this.#show();
    upsertSearchAttributes([
      { key: cruxStatus, value: result.state },
      { key: cruxPairs, value: result.pairs },
    ]);
    return result;
  }

  get #isOver(): boolean {
    return this.at.isOver && this.#isIdle;
  }

  get #isIdle(): boolean {
    return this.#orders === 0 && allHandlersFinished();
  }

  get #mayContinueAsNew(): boolean {
    return (this.#tasks!.isLong || isHistoryLong(this.#input.historyLimit)) && this.#isIdle;
  }

  /** Carries an order out, unless the run is cancelled. The campaign neither ends nor continues as new before the order is done. */
  async #order(carryOut: () => Promise<void>): Promise<void> {
    this.#orders++;
    try {
      // An opening still in progress would overwrite the order with the older state that it read.
      await condition(() => this.#tasks !== null);
      if (this.at.state !== 'cancelled') await carryOut();
    } finally {
      this.#orders--;
      this.#changes++;
    }
  }

  #show(): void {
    const { state, done, total, inFlight, criticalSteps, branches, pairs, endings } = this.at.progress;
    const { block } = this.at;
    const rows: [string, string | number][] = [
      ['state', state],
      ...(block === null ? [] : [['waits', block.replace(/[|\n]/g, ' ')] as [string, string]]),
      ['tasks', `${done} of ${total} done, ${inFlight} in flight`],
      [
        'endings',
        Object.entries(endings)
          .map(([name, count]) => `${name} ${count}`)
          .join(', ') || '–',
      ],
      ...(methods[this.#input.method].findsCriticalSteps
        ? [['candidate critical steps', criticalSteps] as [string, number]]
        : []),
      ['branches', branches],
      ['pairs', pairs],
    ];
    setCurrentDetails(['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'));
  }
}
