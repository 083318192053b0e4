/** What methods are written with: one trajectory of one task, and what can be done in it. Everything shared lives here. */
import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  executeChild,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ContrastVerdict } from '../domain/contrast.ts';
import type { Ending } from '../domain/ending.ts';
import { endingOfFault, stopOfFault } from '../domain/fault-ending.ts';
import { isBetterBy, meanReward, valueAtBest } from '../domain/rising.ts';
import type { AlternativeOptions, CsoOptions, MethodOptions } from '../domain/run-config.ts';
import { seededRandom } from '../domain/statistics/random.ts';
import type {
  BranchInput,
  BranchResult,
  ChoiceInput,
  DrawnAction,
  JudgeResult,
  OpenedTask,
  OutcomeContrast,
  RankResult,
  RolloutsInput,
  ScoredOwnAction,
  StepContrast,
  StepInput,
  StepResult,
  TrajectoryCursor,
  TrajectoryInput,
  TrajectoryResult,
  TrajectorySummary,
  TurnInput,
} from '../domain/wire.ts';
import { faultWords } from '../domain/wire.ts';
import { branchWorkflowId } from '../domain/workflow-ids.ts';
import type { branch } from './branch.ts';
import { isHistoryLong } from './history.ts';
import { agent, bookkeeping, faultOf, holder } from './proxies.ts';
import { cruxPairs, cruxReward, cruxRun, cruxStatus, cruxStep } from './search-attributes.ts';
import { Slots } from './slots.ts';
import type { trajectory } from './trajectory.ts';

/** Activities that mining starts before the workflow may continue as new: at six events each, far from the server's end at 51,200 events. */
const activitiesPerChunk = 2_000;
const mostStepsPerChunk = 50;
/** Search attributes are in history: they are written at phase changes, and this often while exploring. */
const stepsPerUpsert = 25;

/** Where a step that is being chosen starts. */
export type StepStart = {
  nodeId: string;
  /** Number of the step, from 1. */
  step: number;
  /** Value of the state before it, null when unknown; undefined at the first step. */
  value: number | null | undefined;
};

/** What a method chose for a step, and the value that the next one starts from. */
export type ConstructedStep = { action: DrawnAction; value: number | null };

export class TaskRun<Options extends MethodOptions> {
  readonly options: Options;
  readonly #input: TrajectoryInput;
  readonly #task: OpenedTask;
  readonly #slots: Slots;
  #trajectory: TrajectorySummary | null = null;
  /** The expert's; undefined where none was asked for, null when nobody has one. */
  #expert: TrajectorySummary | null | undefined;
  /** Queue of the worker that holds the session; null where any worker will do. */
  #holder: string | null = null;
  #criticalSteps = 0;
  #branches = 0;
  #pairs = 0;
  #stepsLeftOut = 0;
  /** Whether the run was out of budget before the trajectory had an ending: nothing is recorded, and a higher ceiling lets it go on. */
  #isLeftOpen = false;
  /** Branches that are not over. */
  readonly #openBranches = new Set<Promise<unknown>>();
  #examples: number | undefined;
  /** The trajectory whose steps are mined: the policy's own, or under IPR the expert's. */
  #mined: string;
  #stoppedBy: TrajectoryResult['stoppedBy'] = null;
  #fault: string | null = null;

  private constructor(input: TrajectoryInput, task: OpenedTask) {
    this.#input = input;
    this.#task = task;
    this.options = task.options as Options;
    this.#slots = new Slots(task.parallel);
    this.#mined = task.trajectoryId;
    if (input.cursor?.phase === 'mine') {
      this.#trajectory = input.cursor.trajectory;
      this.#criticalSteps = input.cursor.criticalSteps;
      this.#branches = input.cursor.branches;
      this.#stepsLeftOut = input.cursor.stepsLeftOut ?? 0;
    }
  }

  static async open<Options extends MethodOptions>(input: TrajectoryInput): Promise<TaskRun<Options>> {
    const { runId, position } = input;
    return new TaskRun<Options>(input, await agent('open the task').openTask({ runId, position }));
  }

  /** The policy's own trajectory, call by call; a recorded one is taken as it is. */
  async explore(): Promise<TrajectorySummary> {
    this.#trajectory ??= this.#task.imported ?? (await this.#rollPolicy());
    this.#show('explored');
    return this.#trajectory;
  }

  /** The expert's trajectory of the task: its model's, a recorded one, or the environment's script. @returns null when nobody has one */
  async demonstrate(): Promise<TrajectorySummary | null> {
    const { runId, position } = this.#input;
    this.#expert = await agent('expert trajectory').demonstrate({ runId, position });
    return this.#expert;
  }

  /** More trajectories of the policy, numbered from 1: the first one is its own. */
  async sampleAgain(count: number): Promise<void> {
    this.#status('sampling');
    const nodeId = this.#task.rootId;
    const rollouts = Array.from({ length: count }, (_, index) => index + 1);
    await Promise.all(
      rollouts.map((rollout) => this.branch(1, { nodeId, candidateId: '', purpose: 'sample', rollout })),
    );
  }

  /** Stores the trajectories to imitate, by the method's rule. */
  async keepExamples(): Promise<void> {
    const { runId, position } = this.#input;
    const { trajectoryId } = this.#task;
    this.#examples = await agent('keep the examples').keepExamples({ runId, position, trajectoryId });
  }

  /**
   * Compares the policy's whole trajectory with the expert's. What is found out from here on belongs to the expert's.
   * @returns whether one is preferred, and whether its luck is measured
   */
  contrastOutcomes(expert: TrajectorySummary): Promise<OutcomeContrast> {
    this.#mined = expert.trajectoryId;
    const { runId } = this.#input;
    return bookkeeping('contrast the outcomes').contrastOutcomes({ runId, trajectoryId: this.#mined });
  }

  /** Compares the policy's way on from one of the expert's states with the expert's own. */
  async contrastStep(step: number): Promise<StepContrast> {
    const { nodeId } = await bookkeeping(`step ${step}: state`).expertState(this.#address(step));
    await this.branch(step, { nodeId, candidateId: '', purpose: 'contrast', rollout: 0 });
    return bookkeeping(`step ${step}: contrast the outcomes`).contrastStep(this.#address(step));
  }

  /** Records what the values of two steps say. @returns whether its pair is in the seeded sample that is valued again */
  recordContrast(
    { nodeId, step }: StepStart,
    verdict: ContrastVerdict,
    expert: DrawnAction,
    policy: DrawnAction,
  ): Promise<{ revalue: boolean }> {
    const ids = { expertId: expert.candidateId, policyId: policy.candidateId };
    return bookkeeping(`step ${step}: record the contrast`).recordContrast({
      ...this.#address(step),
      nodeId,
      verdict,
      ...ids,
    });
  }

  /** Fresh trajectories of the policy from the task's first state. */
  fromTheStart(purpose: 'baseline' | 're-estimate', count: number): Promise<BranchResult[]> {
    const nodeId = this.#task.rootId;
    const rollouts = Array.from({ length: count }, (_, rollout) => rollout);
    return Promise.all(rollouts.map((rollout) => this.branch(1, { nodeId, candidateId: '', purpose, rollout })));
  }

  /**
   * Builds the policy's trajectory step by step, each chosen by the method, to its ending.
   * @param choose chooses and values a step; what it does must be the same whenever it is done again
   */
  async construct(choose: (start: StepStart) => Promise<ConstructedStep>): Promise<TrajectorySummary> {
    const cursor = this.#input.cursor?.phase === 'construct' ? this.#input.cursor : null;
    let nodeId = cursor?.nodeId ?? this.#task.rootId;
    let step = cursor?.step ?? 0;
    let value = cursor?.value;
    this.#branches = cursor?.branches ?? 0;
    this.#status('constructing');
    this.#trajectory = await this.#toTheEnding(
      () => ({ nodeId, step }),
      true,
      async () => {
        for (;;) {
          if (step !== (cursor?.step ?? 0)) {
            await this.#continueAsNewIfLong({
              phase: 'construct',
              nodeId,
              step,
              value: value ?? null,
              branches: this.#branches,
            });
          }
          const chosen = await choose({ nodeId, step: step + 1, value });
          const { ending, reward, success } = chosen.action;
          nodeId = chosen.action.nodeId;
          step += 1;
          value = chosen.value;
          if (ending !== null) return await this.#record(nodeId, ending, reward, success);
          if (step % stepsPerUpsert === 0) upsertSearchAttributes([{ key: cruxStep, value: step }]);
        }
      },
    );
    return this.#trajectory;
  }

  /** A number in [0, 1) that depends on the run's seed and the text only. */
  luck(text: string): number {
    return seededRandom(`${this.#task.seed}/${text}`).next();
  }

  /** Draws an action of the policy in a state, and takes it. */
  draw({ nodeId, step }: StepStart, draw: number): Promise<DrawnAction> {
    const { runId } = this.#input;
    const sample = this.#task.sample;
    return this.#slots.run(() =>
      agent(`step ${step}: draw action ${draw + 1}`).drawAction({ runId, nodeId, sample, draw }),
    );
  }

  /**
   * Worth of an action in a state, or of the state itself: mean outcome reward of m rollouts by the policy; the outcome itself where the action
   * ends the task. Source: RRO (arXiv 2505.20737), process reward by Monte Carlo.
   * @returns in [0, 1]; null when no rollout gave an outcome
   */
  async value(
    { nodeId, step }: StepStart,
    action: DrawnAction | null,
    purpose: 'value' | 're-value' | 're-estimate',
  ): Promise<number | null> {
    if (action?.ending) return action.reward;
    const candidate = { nodeId, candidateId: action?.candidateId ?? '', purpose };
    if (this.#task.granularity === 'rollout') return meanReward(await this.#rollOutAll(step, candidate));
    const rollouts = Array.from({ length: this.#rolloutsPerValue }, (_, rollout) => rollout);
    return meanReward(await Promise.all(rollouts.map((rollout) => this.branch(step, { ...candidate, rollout }))));
  }

  /**
   * Worth of an action as `value` has it, two rollouts at a time, given up as soon as it cannot come out above `beat`.
   * @returns what it would be worth at best, where it was given up
   */
  async valueUnlessBeaten(
    state: StepStart,
    action: DrawnAction,
    beat: number,
  ): Promise<{ value: number | null; isBound: boolean }> {
    if (action.ending) return { value: action.reward, isBound: false };
    const planned = this.#rolloutsPerValue;
    const results: BranchResult[] = [];
    while (results.length < planned) {
      const { nodeId, step } = state;
      const numbers = [results.length, results.length + 1].filter((rollout) => rollout < planned);
      const candidate = { nodeId, candidateId: action.candidateId, purpose: 'value' as const };
      results.push(...(await Promise.all(numbers.map((rollout) => this.branch(step, { ...candidate, rollout })))));
      const atBest = valueAtBest(results, planned);
      if (results.length < planned && atBest !== null && !isBetterBy(atBest, beat, 0))
        return { value: atBest, isBound: true };
    }
    return { value: meanReward(results), isBound: false };
  }

  /** The m rollouts of a value in one activity: as they are short, an activity each would cost as much as they do. */
  async #rollOutAll(step: number, candidate: Omit<RolloutsInput, 'runId' | 'trajectoryId' | 'from' | 'to'>) {
    const { runId, trajectoryId } = this.#address(step);
    const to = this.#rolloutsPerValue;
    const label = `step ${step}: ${candidate.purpose} ${candidate.candidateId.slice(0, 8)} #0–${to - 1}`;
    const results = await this.#untilOver(
      this.#slots.run(() => agent(label).rollOutAll({ runId, trajectoryId, ...candidate, from: 0, to })),
    );
    this.#branches += to;
    this.#show('verifying');
    return results;
  }

  /** Records a choice among drawn actions. @returns whether its pair is in the seeded sample that is valued again */
  recordChoice(
    { nodeId, step }: StepStart,
    verdict: ChoiceInput['verdict'],
    accepted: DrawnAction,
    rejected: DrawnAction | null,
  ): Promise<{ revalue: boolean }> {
    const rejectedId = accepted.candidateId === '' || !rejected?.candidateId ? null : rejected.candidateId;
    const choice = { ...this.#address(step), nodeId, verdict, acceptedId: accepted.candidateId, rejectedId };
    return bookkeeping(`step ${step}: record the choice`).recordChoice(choice);
  }

  /** Whether the policy solves the task more often than `maxPassRate` allows, so that its failure is bad luck rather than a lesson. */
  async isMostlySolved(): Promise<boolean> {
    const { maxPassRate } = this.#cso;
    if (maxPassRate === null) return false;
    const { runId, position } = this.#input;
    const rate = await agent('pass rate of the task').passRate({ runId, position });
    return rate !== null && rate > maxPassRate;
  }

  /**
   * Does something at every step of a trajectory, all steps independent. A step whose calls came to a fault, or that reached its own ceiling,
   * is left out, and the others go on; a reached ceiling of the task or the run ends the mining.
   */
  async eachStep(trajectory: TrajectorySummary, mine: (step: number) => Promise<void>): Promise<void> {
    this.#status('mining');
    this.#mined = trajectory.trajectoryId;
    const cursor = this.#input.cursor;
    let next = cursor?.phase === 'mine' ? cursor.nextStep : 1;
    while (next <= trajectory.steps && this.#stoppedBy === null) {
      // Nothing was done yet where the last continuation ended: to continue again would never end.
      if (cursor?.phase !== 'mine' || next > cursor.nextStep) {
        const found = { criticalSteps: this.#criticalSteps, branches: this.#branches, ...this.#leftOut };
        await this.#continueAsNewIfLong({
          phase: 'mine',
          trajectory: this.#trajectory ?? trajectory,
          nextStep: next,
          ...found,
        });
      }
      const last = Math.min(trajectory.steps, next + stepsPerChunk(this.options) - 1);
      const steps = Array.from({ length: last - next + 1 }, (_, index) => next + index);
      await whenAllSettled(steps.map((step) => this.#unlessStopped(() => mine(step))));
      next = last + 1;
    }
  }

  /** Draws alternatives at a step. @returns how many different ones there are */
  async propose(step: number): Promise<number> {
    const { alternatives: count } = this.options as AlternativeOptions;
    const { alternatives } = await this.#slots.run(() =>
      agent(`step ${step}: propose ${count} alternatives`).proposeAlternatives(this.#address(step)),
    );
    return alternatives;
  }

  /** Scores the actions of a step: is it a candidate critical step, and which alternatives are to be verified? */
  async judge(step: number): Promise<JudgeResult> {
    const judged = await this.#slots.run(() =>
      agent(`step ${step}: score the actions`).judgeCandidates(this.#address(step)),
    );
    if (judged.verdict === 'critical') this.#criticalSteps++;
    this.#show('mining');
    return judged;
  }

  /** Steps of a successful trajectory that are drawn to calibrate the PRM. */
  calibrationSteps({ trajectoryId }: TrajectorySummary): Promise<number[]> {
    const { runId } = this.#input;
    return bookkeeping('draw steps to calibrate the PRM').calibrationSteps({ runId, trajectoryId });
  }

  /** Scores what the policy did at a step. */
  scoreOwnAction(step: number): Promise<ScoredOwnAction> {
    return this.#slots.run(() => agent(`step ${step}: score the action`).scoreOwnAction(this.#address(step)));
  }

  /** Scores the actions of a step: which is preferred to which? */
  rank(step: number): Promise<RankResult> {
    return this.#slots.run(() => agent(`step ${step}: score the actions`).rankCandidates(this.#address(step)));
  }

  /** Takes a candidate in its state and lets the policy continue to its own ending. */
  async branch(step: number, candidate: Omit<BranchInput, 'runId' | 'trajectoryId'>): Promise<BranchResult> {
    const { runId, trajectoryId } = this.#address(step);
    const { historyLimit } = this.#input;
    const input: BranchInput = { runId, trajectoryId, ...candidate };
    const label = `step ${step}: ${input.purpose} ${input.candidateId.slice(0, 8)} #${input.rollout}`;
    const branching = this.#slots.run(() =>
      this.#task.granularity === 'rollout'
        ? agent(label).rollOut(input)
        : executeChild<typeof branch>('branch', {
            workflowId: branchWorkflowId(workflowInfo().workflowId, { step, ...input }),
            args: [{ ...input, ...(historyLimit && { historyLimit }) }],
            staticSummary: label,
            typedSearchAttributes: [
              { key: cruxRun, value: runId },
              { key: cruxStatus, value: input.purpose },
              { key: cruxStep, value: step },
            ],
          }),
    );
    const result = await this.#untilOver(branching);
    this.#branches++;
    this.#show('verifying');
    return result;
  }

  /** Stores the pairs that what was found out so far proves, with their certificates. */
  async emitPairs(): Promise<void> {
    const { runId, trajectoryId } = this.#address(1);
    this.#pairs = await bookkeeping('record the pairs').recordPairs({ runId, trajectoryId });
  }

  /** Takes note of what cut the method short. @throws what is no fault but a defect */
  stop(error: unknown): void {
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

  /** Stops, and lets what is under way at a ceiling of task or step come to its own end: the pairs so far are then all that there will be. */
  async cutShort(error: unknown): Promise<void> {
    this.stop(error);
    if (this.#stoppedBy === 'task-budget' || this.#stoppedBy === 'step-budget') await this.#branchesAreOver();
  }

  /** Whether something cut the method short after there was a trajectory to mine; one that was left open is not recorded. */
  get wasCutShort(): boolean {
    return this.#stoppedBy !== null && this.#trajectory !== null && !this.#isLeftOpen;
  }

  /** Writes the result to the store: also when the trajectory was cancelled. */
  async finish(): Promise<TrajectoryResult> {
    // SFT has no trajectory of the policy.
    const trajectory = this.#trajectory ?? this.#expert;
    const lacksExpert = this.#trajectory === null && this.#expert === null;
    const result: TrajectoryResult = {
      position: this.#input.position,
      taskId: this.#task.taskId,
      ending: trajectory?.ending ?? (lacksExpert ? 'environment-fault' : 'cancelled'),
      success: trajectory?.success ?? null,
      reward: trajectory?.reward ?? null,
      steps: trajectory?.steps ?? 0,
      criticalSteps: this.#criticalSteps,
      branches: this.#branches,
      pairs: this.#pairs,
      ...(this.#examples !== undefined && { examples: this.#examples }),
      stoppedBy: this.#stoppedBy,
      ...this.#leftOut,
      fault: lacksExpert ? 'User.NotFound: nobody has an expert trajectory of this task' : this.#fault,
    };
    // Cut short by a ceiling of the run, the task is not done: with a higher one it goes on.
    if (result.stoppedBy !== 'budget')
      await bookkeeping('record the result').finishTask({ runId: this.#input.runId, result });
    upsertSearchAttributes([
      { key: cruxStatus, value: this.#stoppedBy ?? result.ending },
      { key: cruxStep, value: result.steps },
      { key: cruxPairs, value: result.pairs },
      ...(result.reward === null ? [] : [{ key: cruxReward, value: result.reward }]),
    ]);
    this.#show('finished');
    return result;
  }

  async #rollPolicy(): Promise<TrajectorySummary> {
    const { runId } = this.#input;
    const cursor =
      this.#input.cursor?.phase === 'explore' ? this.#input.cursor : { nodeId: this.#task.rootId, step: 0 };
    let { nodeId, step } = cursor;
    // An evaluation reads no answer that was drawn to learn from.
    const purpose: TurnInput['purpose'] = this.#input.method === 'evaluate' ? 'evaluate' : 'explore';
    this.#status('exploring');
    const explore = async () => {
      while (step < this.#task.stepLimit) {
        if (step !== cursor.step) await this.#continueAsNewIfLong({ phase: 'explore', nodeId, step });
        const where = { runId, nodeId, purpose, stream: `sample-${this.#task.sample}` };
        const turn = await agent(`step ${step + 1}: policy`).callPolicy(where);
        if (turn.kind === 'ended') return await this.#record(nodeId, turn.ending, 0, false);
        const { answerKey, tool } = turn;
        const label = `step ${step + 1}: ${tool ?? 'malformed action'}`;
        const taken = await this.#takeStep(label, { runId, nodeId, answerKey });
        nodeId = taken.nodeId;
        step = taken.step;
        if (taken.done) return await this.#record(nodeId, 'submitted', taken.reward, taken.success);
        if (step % stepsPerUpsert === 0) upsertSearchAttributes([{ key: cruxStep, value: step }]);
      }
      return await this.#record(nodeId, 'step-limit', 0, false);
    };
    return this.#toTheEnding(() => ({ nodeId, step }), false, explore);
  }

  /**
   * Runs `work`, and records how the trajectory ended where a fault, a ceiling or a cancellation ends it.
   * @param at where it stands
   * @param hasPairs whether steps of a trajectory without an ending may have pairs already: then it is recorded whatever ended it
   * @throws the fault of a ceiling that was reached: nothing can be learned from a trajectory without an ending of its own
   */
  async #toTheEnding(
    at: () => { nodeId: string; step: number },
    hasPairs: boolean,
    work: () => Promise<TrajectorySummary>,
  ): Promise<TrajectorySummary> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const fault = faultOf(error);
      const ending = isCancellation(error) ? 'cancelled' : fault && endingOfFault(fault.kind);
      if (!ending) throw error;
      if (ending === 'budget') {
        await this.#endAtCeiling(error, at(), hasPairs);
        throw error;
      }
      if (ending === 'cancelled') this.#stoppedBy = 'cancelled';
      return await CancellationScope.nonCancellable(() =>
        this.#record(at().nodeId, ending, null, null, fault?.message),
      );
    }
  }

  /** Where the run is out of budget the trajectory stays open, as a branch does. */
  async #endAtCeiling(error: unknown, { nodeId, step }: { nodeId: string; step: number }, hasPairs: boolean) {
    await this.cutShort(error);
    this.#isLeftOpen = this.#stoppedBy === 'budget' && !hasPairs;
    const open = { trajectoryId: this.#task.trajectoryId, success: null, reward: null, steps: step };
    this.#trajectory = this.#isLeftOpen
      ? { ...open, ending: 'budget' }
      : await this.#record(nodeId, 'budget', null, null, faultOf(error)?.message);
  }

  /** A step goes to the worker that holds the session, where there is one; when that fails, any worker becomes the new holder. */
  async #takeStep(label: string, input: StepInput): Promise<StepResult> {
    let taken: StepResult | null = null;
    if (this.#holder !== null) {
      try {
        taken = await holder(label, this.#holder).environmentStep(input);
      } catch (error) {
        if (isCancellation(error)) throw error;
      }
    }
    taken ??= await agent(label).environmentStep(input);
    this.#holder = taken.holder;
    return taken;
  }

  #record(leafId: string, ending: Ending, reward: number | null, success: boolean | null, fault: string | null = null) {
    const { runId, position } = this.#input;
    // A success of an evaluation is confirmed on variants of the data, which takes an environment, not only the store.
    const proxy = this.#input.method === 'evaluate' ? agent : bookkeeping;
    return proxy('record the trajectory').recordTrajectory({
      runId,
      position,
      leafId,
      ending,
      reward,
      success,
      fault,
    });
  }

  async #unlessStopped(work: () => Promise<void>): Promise<void> {
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

  /** Notes that branches are under way for as long as they are. */
  #untilOver<T>(branching: Promise<T>): Promise<T> {
    this.#openBranches.add(branching);
    const isOver = () => this.#openBranches.delete(branching);
    branching.then(isOver, isOver);
    return branching;
  }

  async #branchesAreOver(): Promise<void> {
    await Promise.allSettled(this.#openBranches);
  }

  get #leftOut(): { stepsLeftOut?: number } {
    return this.#stepsLeftOut === 0 ? {} : { stepsLeftOut: this.#stepsLeftOut };
  }

  async #continueAsNewIfLong(cursor: TrajectoryCursor): Promise<void> {
    if (isHistoryLong(this.#input.historyLimit)) await continueAsNew<typeof trajectory>({ ...this.#input, cursor });
  }

  /** Options of the primitives that only CSO uses. */
  get #cso(): CsoOptions {
    return this.options as CsoOptions;
  }

  get #rolloutsPerValue(): number {
    return 'rollouts' in this.options ? this.options.rollouts : 1;
  }

  #address(step: number) {
    return { runId: this.#input.runId, trajectoryId: this.#mined, step };
  }

  #status(status: string): void {
    upsertSearchAttributes([{ key: cruxStatus, value: status }]);
    this.#show(status);
  }

  #show(phase: string): void {
    const rows: [string, string | number | null | undefined][] = [
      ['phase', phase],
      ['task', this.#task.title.replace(/[|\n]/g, ' ')],
      ['ending', this.#trajectory?.ending],
      ['reward', this.#trajectory?.reward],
      ['steps', this.#trajectory?.steps],
      ['candidate critical steps', this.#input.method === 'cso' ? this.#criticalSteps : null],
      ['branches', this.#branches],
      ['pairs', this.#pairs],
    ];
    const known = rows.filter(([, value]) => value !== undefined && value !== null);
    setCurrentDetails(['| | |', '|---|---|', ...known.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'));
  }
}

function stepsPerChunk(options: MethodOptions): number {
  return Math.max(1, Math.min(mostStepsPerChunk, Math.floor(activitiesPerChunk / activitiesPerStep(options))));
}

/** Most activities that mining a step starts: proposals, scores, and all branches. */
function activitiesPerStep(options: MethodOptions): number {
  if (!('alternatives' in options && 'verification' in options)) return 2;
  const { alternatives, verification } = options;
  return 2 + alternatives * verification.rollouts + verification.baselineRollouts + alternatives;
}

/** Like `Promise.all`, but when one fails, the others are over too: nothing is under way any more when this returns. */
export async function whenAllSettled(works: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
