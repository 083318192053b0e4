/** What models are trained on besides pairs: trajectories to imitate, and actions with their outcomes. */
import type { AssistantMessage, HistoryChange, Message, Tool } from './message.ts';
import type { PromptVersions } from './run/run-config.ts';
import type { Split } from './task.ts';

/**
 * Who made a trajectory. `imported`: recorded elsewhere, and mined as the policy's own. For demonstrations: `expert`, the model; `scripted`,
 * the environment, from its gold answer; `recorded`, elsewhere.
 */
export type TrajectoryOrigin = 'policy' | 'imported' | 'expert' | 'scripted' | 'recorded';

/** A trajectory to imitate (SFT, RFT). */
export type Example = {
  id: string;
  runId: string;
  taskId: string;
  group: string;
  split: Split;
  /** The task's opening messages. */
  prompt: Message[];
  /** Tools offered; empty for text formats. */
  tools: Tool[];
  /** Everything after the prompt: assistant turns, which are trained on, and observations, which are not. */
  turns: Message[];
  /** Why no row can hold the turns; absent if one can. */
  change?: HistoryChange;
  /** Whether its task is sealed: a text of a benchmark that is not to be trained on. Absent: it is not. */
  sealed?: true;
  origin: TrajectoryOrigin;
  model: string;
  /** Outcome reward in [0, 1]; null when unknown. */
  reward: number | null;
  success: boolean | null;
  /** Whether the success held on variants of the task's data; null if the environment has none or confirmation was switched off. */
  confirmed: boolean | null;
};

/** An action in a state with its outcome: a row to train a process reward model on. */
export type ProcessExample = {
  id: string;
  runId: string;
  taskId: string;
  group: string;
  split: Split;
  /** t, from 1. */
  step: number;
  /** The policy's conversation up to s_t, without reasoning: as a judge reads it. */
  prompt: Message[];
  tools: Tool[];
  action: AssistantMessage;
  /** Mean outcome of the policy's rollouts after the action, in [0, 1]. No rollout was made, or left out, for the outcome of another one of it. */
  outcome: number;
  successes: number;
  rollouts: number;
  /** The PRM's own score of the action; null when it gave none. If the action also has a score for calibration, this is the one that decided about its step. */
  score: number | null;
  /**
   * Inverse of the probability that the action was rolled out, at least 1: weights of estimates over all actions drawn or scored. Null if it is
   * unknown, because outcomes of other rollouts decided which actions were rolled out.
   */
  weight: number | null;
  /** Whether its task is sealed: a text of a benchmark that is not to be trained on. Absent: it is not. */
  sealed?: true;
  /** What makes a step good, as the PRM was asked, if that is the user's own text. */
  rubric?: string;
  /** Version of the wording in which the run asks a judge for a score. Absent: that of new runs. */
  wording?: PromptVersions['score'];
};

/** A trajectory as it was kept to imitate, without its conversation. */
export type KeptExample = Pick<
  Example,
  'id' | 'runId' | 'taskId' | 'group' | 'origin' | 'model' | 'reward' | 'success' | 'confirmed'
> & {
  /** The run's trajectory that it was kept for. */
  trajectoryId: string;
  /** Where the trajectory ends; its id is a hash of that. */
  leafId: string;
};
