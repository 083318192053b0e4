/** Answers what sessions ask, by the models of the run that takes the step. */
import { rolesAsked } from '../domain/ask.ts';
import type { Purpose } from '../domain/purpose.ts';
import type { AskRequest } from '../environments/contract.ts';
import type { AnswerQuestion } from '../environments/session-context.ts';
import type { AskingPlace, AskModel } from '../environments/sessions/live-steps.ts';
import { nobody } from '../environments/sessions/step-caller.ts';
import { CruxError } from '../errors.ts';
import type { Journal } from '../store/journal.ts';
import type { Run } from '../store/runs.ts';
import { firstStateKey, type State } from '../store/tree.ts';
import { callKey, type Gateway } from './gateway.ts';
import type { ModelCall } from './model-call.ts';

export function askModel(gateway: Pick<Gateway, 'answer'>): AskModel {
  return async (request, number, place, signal) => {
    const { run } = place.caller;
    if (run === null)
      throw new CruxError(
        'User.Config',
        `In task ${place.taskId} a session asks a model, and there is no run that could pay for it.`,
      );
    if (run.config.models[rolesAsked[request.purpose]] === undefined)
      throw new CruxError(
        'User.Config',
        `The run ${run.id} began without a model for ${rolesAsked[request.purpose]}, which its environment asks now.`,
        {
          remedy: 'Give an environment another version when its sessions begin to ask models, and start another run.',
        },
      );
    const { message, finishReason } = await gateway
      .answer(sessionCall(run, request, number, place), signal)
      .catch((error: unknown) => {
        // A question that is too long is the environment's: it must not end the policy's trajectory as if the policy had run out of tokens.
        if (!(error instanceof CruxError) || error.kind !== 'Model.ContextLength') throw error;
        throw new CruxError('Model.Rejected', `A question of a session does not fit its model: ${error.message}`, {
          cause: error,
        });
      });
    if (finishReason === 'content_filter')
      throw new CruxError(
        'Model.Rejected',
        `The answer to a question of a session in task ${place.taskId} was withheld by a content filter.`,
      );
    return message.content ?? '';
  };
}

/**
 * Answers what a session asks while it opens as it was answered for a run, from the journal: no model is asked.
 * @param root the task's first state
 * @throws CruxError `Environment.Fault` for a question that the run's sessions did not ask
 */
export function answeredAtOpening(journal: Pick<Journal, 'read'>, run: Run, root: State): AnswerQuestion {
  return async (request, number) => {
    const isAsked = run.config.models[rolesAsked[request.purpose]] !== undefined;
    const { taskId, environment } = root;
    const key = firstStateKey({ environment, version: run.config.environmentVersion, taskId });
    const place = { taskId, nodeId: root.id, step: 1, key, caller: { ...nobody, run }, isOpening: true };
    const answer = isAsked ? await journal.read([run.id], callKey(sessionCall(run, request, number, place))) : null;
    if (answer) return answer.message.content ?? '';
    throw new CruxError(
      'Environment.Fault',
      `When it opens, a session of task ${root.taskId} asks a model what no session of run ${run.id} was answered.`,
    );
  };
}

/** The same question of the same step is the same call, so that a repeated attempt reads its answer. */
function sessionCall(
  run: Run,
  { purpose, messages, maxTokens, temperature }: AskRequest,
  number: number,
  { taskId, nodeId, step, key, caller, isOpening }: AskingPlace,
): ModelCall {
  return {
    run,
    taskId,
    address: {
      nodeId: key,
      role: rolesAsked[purpose],
      purpose,
      // All rollouts from a task's first state continue the one session that was opened there.
      stream: isOpening ? '' : caller.stream,
      sample: 0,
      ask: number,
    },
    within: { nodeId, purpose: caller.purpose as Purpose },
    messages,
    tools: [],
    step,
    sampling: { maxTokens, temperature },
  };
}
