/** Sessions outside runs: checks, walks, a pair that is verified. No run pays there for what they ask. */
import type { Json } from '../domain/canonical-json.ts';
import type { Task } from '../domain/task.ts';
import type { CruxError } from '../errors.ts';
import type { Environment, Session } from './contract.ts';
import { type AnswerQuestion, inContext, type Misuse } from './session-context.ts';

/** How long an environment may take to open a session. */
const openingLimitMs = 120_000;

export type AnsweredSession = Session & {
  /** What it is at fault for if it asked when no step was taken; else null. Also after it was closed. */
  lateQuestion(): CruxError | null;
};

/**
 * Opens a session that gets these answers when it asks, in every step.
 * @param answer what answers: `simulatedAnswers`, or `noAnswers`
 */
export async function openAnswered(
  environment: Environment,
  task: Task,
  answer: AnswerQuestion,
  snapshot?: Json,
): Promise<AnsweredSession> {
  const misuse: Misuse = { fault: null };
  const asked = (where: string, signal: AbortSignal) => ({ environment, where, answer, signal, misuse });
  const opening = asked(`the opening of task ${task.id}`, AbortSignal.timeout(openingLimitMs));
  const session = await inContext(opening, (context) => environment.open(task, snapshot, context));
  let steps = 0;
  return {
    ...(session.opening && { opening: session.opening }),
    ...(session.tools && { tools: session.tools }),
    step: (action, signal) =>
      inContext(asked(`step ${++steps} of task ${task.id}`, signal), (context) =>
        session.step(action, signal, context),
      ),
    ...(session.snapshot && { snapshot: () => session.snapshot!() }),
    ...(session.recall && { recall: (action, result) => session.recall!(action, result) }),
    ...(session.stateHash && { stateHash: () => session.stateHash!() }),
    ...(session.outcome && {
      outcome: () => {
        const where = `the outcome so far after step ${steps} of task ${task.id}`;
        const limited = asked(where, AbortSignal.timeout(openingLimitMs));
        return inContext(limited, (context) => session.outcome!(context));
      },
    }),
    close: async () => session.close?.(),
    lateQuestion: () => misuse.fault,
  };
}
