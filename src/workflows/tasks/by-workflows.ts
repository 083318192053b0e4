import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { CampaignState } from '../../domain/run/campaign-state.ts';
import type { CampaignInput, NextTask } from '../../domain/wire/campaign.ts';
import type { TrajectoryWorkflow } from '../../domain/wire/trajectory.ts';
import { isHistoryLong } from '../history.ts';
import { orders } from '../proxies.ts';
import { cruxEnvironment, cruxMethod, cruxRun, cruxStatus, cruxTask } from '../search-attributes.ts';
import type { TasksInProgress } from './in-progress.ts';

const usualSettleEveryMs = 120_000;
/**
 * Half of what the server suggests. A new worker must replay all events within the time limit of a workflow task, 10 s, next to the
 * trajectories in flight; otherwise it never takes the campaign up. 4,000 events take 2 s of processor time.
 */
const mostEvents = 2_000;
/** How often a task is started whose workflow is not over, and how long between: a workflow ends within moments of its report. */
const mostStarts = 4;
const startAgainMs = 1_000;

/** Every task has a workflow of its own, its whole life: a sliding window of them. Each signals its result. */
export class TasksByWorkflows implements TasksInProgress {
  readonly lookEveryMs: number;
  isLong = false;
  readonly #input: CampaignInput;
  readonly #environment: string;
  readonly #at: CampaignState;
  /** Settles when all ordered children have started. */
  #starting: Promise<unknown> = Promise.resolve();

  constructor(input: CampaignInput, environment: string, at: CampaignState) {
    this.#input = input;
    this.#environment = environment;
    this.#at = at;
    this.lookEveryMs = input.settleEveryMs ?? usualSettleEveryMs;
  }

  async fill(): Promise<void> {
    while (this.#at.room > 0) {
      // While tasks end as fast as they start, there is always one more to start, and the history would grow for ever.
      if (isHistoryLong(this.#input.historyLimit ?? mostEvents) && patched('campaign-continues-while-busy')) {
        this.isLong = true;
        return;
      }
      const { nextPosition: from, room: limit } = this.#at;
      const page = await orders('next tasks').nextTasks({ runId: this.#input.runId, from, limit });
      const waiting = this.#at.take(from, page);
      if (waiting === null) continue;
      this.#starting = Promise.all(waiting.map((task) => this.#start(task)));
      await this.#starting;
    }
  }

  async look(): Promise<void> {
    const { inFlight } = this.#at;
    if (inFlight.length === 0) return;
    const settled = await orders('settle tasks in flight').settleTasks({ runId: this.#input.runId, inFlight });
    for (const { result } of settled) this.#at.settle(result);
  }

  async cancel(): Promise<void> {
    // The server refuses a workflow task that both starts and cancels a child.
    await this.#starting;
    await Promise.all(
      this.#at.inFlight.map(async ({ workflowId }) => {
        try {
          await getExternalWorkflowHandle(workflowId).cancel();
        } catch {
          // It is over already: its result is in the store.
        }
      }),
    );
  }

  /** The workflows go on, and report to the campaign that follows. */
  async standDown(): Promise<void> {}

  async #start(task: NextTask, attempt = 1): Promise<void> {
    const { runId, method, historyLimit } = this.#input;
    try {
      await startChild<TrajectoryWorkflow>('trajectory', {
        workflowId: task.workflowId,
        args: [
          {
            runId,
            position: task.position,
            method,
            campaignId: workflowInfo().workflowId,
            ...(historyLimit && { historyLimit }),
          },
        ],
        // Children must survive when the campaign continues as new.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        // Only tasks without a result are started. If the workflow of such a task is over, it was cut short, and continues from tree and
        // journal.
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
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
      // It may have reported that a ceiling cut it short, and be about to end: then it would not report again.
      if (attempt < mostStarts && patched('started-once-ended')) {
        await sleep(startAgainMs);
        return this.#start(task, attempt + 1);
      }
      // An earlier campaign of this run started it, and it is still at work: it reports to this one.
    }
  }
}
