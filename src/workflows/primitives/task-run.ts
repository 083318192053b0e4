/** One trajectory of one task, as its method works on it: its findings and counts, what stops it, how it is shown. */

import { continueAsNew, isCancellation, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { stopOfFault } from '../../domain/fault-ending.ts';
import { type MethodOptions, methods } from '../../domain/methods/index.ts';
import { Places } from '../../domain/places.ts';
import {
  faultWords,
  type OpenedTask,
  type StepAddress,
  type TrajectoryCursor,
  type TrajectoryInput,
  type TrajectoryResult,
  type TrajectorySummary,
  type TrajectoryWorkflow,
} from '../../domain/wire/trajectory.ts';
import { isHistoryLong } from '../history.ts';
import { faultOf } from '../proxies.ts';
import { cruxStatus, cruxStep } from '../search-attributes.ts';

/** Search attributes are in history: they are written at phase changes, and this often in between. */
const stepsPerUpsert = 25;

export class TaskRun<Options extends MethodOptions = MethodOptions> {
  readonly input: TrajectoryInput;
  readonly opened: OpenedTask;
  readonly options: Options;
  /** Everything that asks models or environments takes a place. */
  readonly places: Places;
  /** The policy's own trajectory; null until there is one. */
  trajectory: TrajectorySummary | null = null;
  /** The expert's trajectory; undefined if none was asked for, null when there is none. */
  expert: TrajectorySummary | null | undefined;
  /** The trajectory whose steps are mined: the policy's own, or under IPR the expert's. */
  mined: string;
  /** Whether the run was out of budget before the trajectory had an ending. Then nothing is recorded, and a higher ceiling lets it continue. */
  isLeftOpen = false;
  criticalSteps = 0;
  branches = 0;
  pairs = 0;
  /** Whether pairs are to be stored when the task ends. */
  givesPairs = false;
  /** Undefined under methods that keep none. */
  examples: number | undefined;
  #stoppedBy: TrajectoryResult['stoppedBy'] = null;
  #fault: string | null = null;
  #stepsLeftOut = 0;
  /** Branches that are not over. */
  readonly #openBranches = new Set<Promise<unknown>>();

  constructor(input: TrajectoryInput, opened: OpenedTask, options: Options) {
    this.input = input;
    this.opened = opened;
    this.options = options;
    this.places = new Places(opened.parallel);
    this.mined = opened.trajectoryId;
    if (input.cursor?.phase === 'mine') {
      this.trajectory = input.cursor.trajectory;
      this.criticalSteps = input.cursor.criticalSteps;
      this.branches = input.cursor.branches;
      this.#stepsLeftOut = input.cursor.stepsLeftOut ?? 0;
    }
  }

  /** A step of the trajectory that is mined. */
  address(step: number): StepAddress {
    return { runId: this.input.runId, trajectoryId: this.mined, step };
  }

  /** What cut the method short; null if nothing did. */
  get stoppedBy(): TrajectoryResult['stoppedBy'] {
    return this.#stoppedBy;
  }

  get fault(): string | null {
    return this.#fault;
  }

  /** Empty if no step was left out. */
  get leftOut(): { stepsLeftOut?: number } {
    return this.#stepsLeftOut === 0 ? {} : { stepsLeftOut: this.#stepsLeftOut };
  }

  /** Whether something cut the method short after there was a trajectory to mine; one that was left open is not recorded. */
  get wasCutShort(): boolean {
    return this.#stoppedBy !== null && this.trajectory !== null && !this.isLeftOpen;
  }

  /** Stops. At a ceiling of task or step, lets the branches in progress end by themselves: the pairs so far are then final. */
  async cutShort(error: unknown): Promise<void> {
    this.#stop(error);
    if (this.#stoppedBy === 'task-budget' || this.#stoppedBy === 'step-budget') await this.#branchesAreOver();
  }

  /** Records a cancellation even if the work that it met has an ending of its own. */
  cancelled(): void {
    this.#stoppedBy = 'cancelled';
  }

  /**
   * Does `work` unless the method is stopped. A fault, or the ceiling of a step, ends this piece of work alone; the ceiling of the task or the
   * run stops the method. @throws what is no fault, and a cancellation
   */
  async unlessStopped(work: () => Promise<void>): Promise<void> {
    if (this.#stoppedBy !== null) return;
    try {
      await work();
    } catch (error) {
      if (isCancellation(error)) throw error;
      const fault = faultOf(error);
      const reason = fault && stopOfFault(fault.kind);
      if (!reason) throw error;
      if (reason === 'step-budget') {
        this.#stepsLeftOut++;
        await this.#branchesAreOver();
      } else if (reason !== 'fault') await this.cutShort(error);
    }
  }

  /** Counts branches as open until they are over. */
  untilOver<T>(branching: Promise<T>): Promise<T> {
    this.#openBranches.add(branching);
    const isOver = () => this.#openBranches.delete(branching);
    branching.then(isOver, isOver);
    return branching;
  }

  async continueAsNewIfLong(cursor: TrajectoryCursor): Promise<void> {
    if (isHistoryLong(this.input.historyLimit)) await continueAsNew<TrajectoryWorkflow>({ ...this.input, cursor });
  }

  status(status: string): void {
    upsertSearchAttributes([{ key: cruxStatus, value: status }]);
    this.show(status);
  }

  /** A step of the policy's own trajectory is taken. */
  stepped(step: number): void {
    if (step % stepsPerUpsert === 0) upsertSearchAttributes([{ key: cruxStep, value: step }]);
  }

  show(phase: string): void {
    const rows: [string, string | number | null | undefined][] = [
      ['phase', phase],
      ['task', this.opened.title.replace(/[|\n]/g, ' ')],
      ['ending', this.trajectory?.ending],
      ['reward', this.trajectory?.reward],
      ['steps', this.trajectory?.steps],
      ['candidate critical steps', methods[this.input.method].findsCriticalSteps ? this.criticalSteps : null],
      ['branches', this.branches],
      ['pairs', this.pairs],
    ];
    const known = rows.filter(([, value]) => value !== undefined && value !== null);
    setCurrentDetails(['| | |', '|---|---|', ...known.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'));
  }

  /** Records what cut the method short. @throws what is no fault but a defect */
  #stop(error: unknown): void {
    if (isCancellation(error)) {
      this.#stoppedBy = 'cancelled';
      return;
    }
    const fault = faultOf(error);
    if (!fault) throw error;
    const reason = stopOfFault(fault.kind);
    if (reason === null) throw error;
    if (this.#stoppedBy !== null) return;
    this.#stoppedBy = reason;
    if (this.#stoppedBy === 'fault') this.#fault = faultWords(fault);
  }

  async #branchesAreOver(): Promise<void> {
    await Promise.allSettled(this.#openBranches);
  }
}
