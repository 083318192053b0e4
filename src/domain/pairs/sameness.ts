/**
 * Whether two actions in one state lead to the same state. Then neither is preferred to the other, and no rollouts are paid for to compare
 * them. The environment's own state decides, because tools that write answer "ok" whatever they wrote.
 */

/** What is known of the environment's own state after a step. */
export type StateMark = {
  /** Hash of its content, the same in every process. */
  hash: string;
  /** Whether the environment gave it (`stateHash`), or it was taken of the snapshot's content. */
  by: 'environment' | 'snapshot';
  /** Whether it differs from the one before the step. */
  changed: boolean;
};

/** What an action led to. */
export type Reached = {
  /** What the agent reads. */
  observation: string;
  done: boolean;
  /** Outcome; null while the task continues. */
  reward: number | null;
  success: boolean | null;
  /** Null if the environment has neither hash nor snapshot, if the step ended the task, and in steps from earlier versions. */
  mark: StateMark | null;
};

/** An action with what it led to; null for a message that holds no action, and for an action that was not taken. */
export type Compared = {
  /** Equal for equal actions; null for a message that holds none. */
  canonical: string | null;
  reached: Reached | null;
};

/**
 * What two actions are compared by. `observation`: that alone, while the task continues; the rule of runs from earlier versions.
 * `all-observed`: observation and outcome, in an environment that never cuts an observation. `state`: the environment's state and the
 * outcome. `action`: nothing but the action, where a step may come out differently each time, so that taking it once shows nothing.
 */
export type Sameness = 'observation' | 'all-observed' | 'state' | 'action';

/** If an action was not taken, its state is unknown: then the two count as different. */
export function leadsToTheSame(one: Compared, other: Compared, by: Sameness): boolean {
  if (by === 'action') return isEqualAction(one, other);
  const { reached: first } = one;
  const { reached: second } = other;
  if (first === null || second === null) return false;
  switch (by) {
    case 'observation':
      return !first.done && !second.done && first.observation === second.observation;
    case 'all-observed':
      return hasEqualOutcome(first, second) && first.observation === second.observation;
    case 'state':
      return hasEqualOutcome(first, second) && (first.done || isEqualState(one, other));
  }
}

/** Why two actions that lead to the same state are no pair. */
export function sameReason(one: Compared, other: Compared): 'same-action' | 'same-state' {
  return isEqualAction(one, other) ? 'same-action' : 'same-state';
}

/** Whether the agent reads the same after two actions that count as different, although their states are unknown. */
export function isOnlyObservedEqual(one: Compared, other: Compared, by: Sameness): boolean {
  if (by !== 'state' || !one.reached || !other.reached || one.reached.done || other.reached.done) return false;
  return !isComparable(one.reached, other.reached) && one.reached.observation === other.reached.observation;
}

/** A text that is equal for actions that lead to the same state, so that only one of them is rolled out. If the states are unknown, the text of the action. */
export function samenessKey({ canonical, reached }: Compared, by: Sameness): string | null {
  if (reached !== null && (by === 'all-observed' || by === 'state')) {
    const { done, reward, success, observation, mark } = reached;
    if (by === 'all-observed') return JSON.stringify(['observed', done, reward, success, observation]);
    if (done) return JSON.stringify(['ended', reward, success]);
    if (mark) return JSON.stringify(['state', mark.by, mark.hash, mark.changed ? null : observation]);
  }
  return canonical === null ? null : `=${canonical}`;
}

function isEqualAction(one: Compared, other: Compared): boolean {
  return one.canonical !== null && one.canonical === other.canonical;
}

function hasEqualOutcome(one: Reached, other: Reached): boolean {
  return one.done === other.done && one.reward === other.reward && one.success === other.success;
}

/** If an action changes nothing, its result is all that it is worth: reading two different files leaves the same state. */
function isEqualState(one: Compared, other: Compared): boolean {
  const [first, second] = [one.reached!, other.reached!];
  if (!isComparable(first, second)) return isEqualAction(one, other);
  const isChanged = first.mark!.changed || second.mark!.changed;
  return first.mark!.hash === second.mark!.hash && (isChanged || first.observation === second.observation);
}

function isComparable({ mark: one }: Reached, { mark: other }: Reached): boolean {
  return one !== null && other !== null && one.by === other.by;
}
