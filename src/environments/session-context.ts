/**
 * What a session gets while it opens or takes a step: the way to ask models. It is valid only until then, and a question that failed ends the
 * step, whatever the session makes of it: no result that rests on a missing answer is ever recorded.
 */
import { z } from 'zod';
import { askPurposes } from '../domain/ask.ts';
import { CruxError, errorText } from '../errors.ts';
import type { AskRequest, Environment, SessionContext } from './contract.ts';

/** Answers a question of a session. @param number of the question in this step, from 0 */
export type AnswerQuestion = (request: AskRequest, number: number, signal: AbortSignal) => Promise<string>;

/** A session that asked when it may not: it may have built on the failure, so it takes no more steps. */
export type Misuse = {
  fault: CruxError | null;
  /** Told of the first such question, also of one that comes when the session is closed: no step fails by that. */
  report?: (fault: CruxError) => void;
};

export type Asked = {
  environment: Pick<Environment, 'name' | 'asks'>;
  /** E.g. `step 3 of task t-7`. */
  where: string;
  answer: AnswerQuestion;
  signal: AbortSignal;
  /** Gets a question that comes when the work is over. */
  misuse?: Misuse;
};

/**
 * Lets an environment open a session, or take a step, with a context.
 * @throws CruxError the fault of the question with the lowest number that failed, else what the environment throws
 */
export async function inContext<Result>(
  { environment, where, answer, signal, misuse = { fault: null } }: Asked,
  work: (context: SessionContext) => Promise<Result>,
): Promise<Result> {
  const { name, asks = [] } = environment;
  const failed: { error: unknown }[] = [];
  const pending: Promise<string>[] = [];
  let isOver = false;
  const answered = async (request: AskRequest): Promise<string> => {
    const number = pending.length;
    try {
      checkRequest(request);
      if (asks.includes(request.purpose)) return await answer(request, number, signal);
      throw new Error(`it asks a model for the purpose "${request.purpose}", which its \`asks\` does not name`);
    } catch (thrown) {
      const error =
        signal.aborted || thrown instanceof CruxError
          ? thrown
          : new CruxError('Environment.Fault', `The environment ${name} failed in ${where}: ${errorText(thrown)}`, {
              cause: thrown,
            });
      failed[number] = { error };
      throw error;
    }
  };
  const ask = (request: AskRequest): Promise<string> => {
    if (isOver) {
      if (misuse.fault === null) {
        misuse.fault = lateQuestion(name, where);
        misuse.report?.(misuse.fault);
      }
      const refused = Promise.reject(misuse.fault);
      // A session that does not wait for it would end the whole process.
      refused.catch(() => {});
      return refused;
    }
    const result = answered(request);
    pending.push(result);
    // A session that does not wait for its answer is told of a failure by the end of the step.
    result.catch(() => {});
    return result;
  };
  if (misuse.fault) throw misuse.fault;
  try {
    return await work({ ask, signal });
  } finally {
    isOver = true;
    await Promise.allSettled(pending);
    const first = failed.find((failure) => failure !== undefined);
    // biome-ignore lint/correctness/noUnsafeFinally: what the session made of a failed question is of no use.
    if (first) throw first.error;
  }
}

/** Answers as the environment says that a simulated model would. */
export function simulatedAnswers({
  name,
  simulatedReply,
}: Pick<Environment, 'name' | 'simulatedReply'>): AnswerQuestion {
  return async (request) => {
    if (simulatedReply) return simulatedReply(request);
    throw new NoSimulatedReply(name);
  };
}

/** A question that only a real model could answer. */
export class NoSimulatedReply extends CruxError {
  constructor(environment: string) {
    super(
      'User.Config',
      `the environment ${environment} asks models, and has no \`simulatedReply\` to answer in their place`,
    );
  }
}

/** No model answers here. @param why a sentence */
export function noAnswers(why: string): AnswerQuestion {
  return () => Promise.reject(new CruxError('User.Config', why));
}

function lateQuestion(name: string, where: string): CruxError {
  return new CruxError('Environment.Fault', `The environment ${name} asked a model when ${where} was over.`, {
    remedy: 'Use the context that was given to this very call, and await each answer before it returns.',
  });
}

const message = z.union([
  z.looseObject({ role: z.enum(['system', 'user', 'tool']), content: z.string() }),
  z.looseObject({ role: z.literal('assistant'), content: z.string().nullable() }),
]);

const requestSchema = z.strictObject({
  purpose: z.enum(askPurposes),
  messages: z.array(message).min(1),
  maxTokens: z.int().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
});

/** @throws Error that names the first member that cannot be sent */
function checkRequest(request: AskRequest): void {
  const parsed = requestSchema.safeParse(request);
  if (parsed.success) return;
  const { path, message: words } = parsed.error.issues[0]!;
  throw new Error(`it asks a model with a request that cannot be sent: ${path.join('.') || 'request'}: ${words}`);
}
