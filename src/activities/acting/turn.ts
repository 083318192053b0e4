/** The two halves of a step: the policy's turn and the environment's answer. Single activities and rollouts share them. */
import type { CallRule, Malformed } from '../../domain/action.ts';
import type { Details, Ending } from '../../domain/ending.ts';
import type { AssistantMessage } from '../../domain/message.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { callRuleOf, modelOf, type PromptVersions } from '../../domain/run/run-config.ts';
import { ownsTransitions } from '../../domain/run/transitions.ts';
import { stateFormat } from '../../environments/formats/state-format.ts';
import type { StepCaller } from '../../environments/sessions/step-caller.ts';
import { CruxError, errorText } from '../../errors.ts';
import type { Asked } from '../../models/gateway.ts';
import { isWordless } from '../../models/model-call.ts';
import { promptsOf } from '../../models/prompts.ts';
import { recordCut } from '../../store/cut-observations.ts';
import { recorderOf } from '../../store/environment-steps.ts';
import type { Answer } from '../../store/journal.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';
import { takeCalls } from './calls.ts';

/** `isNew`: whether the answer was not in the journal. */
export type ModelTurn = { kind: 'answer'; answer: Answer; isNew: boolean } | { kind: 'ended'; ending: Ending };

/** What a step led to. */
export type StepTaken = {
  state: State;
  /** Tool that was called, or several with commas; null for a malformed message. */
  tool: string | null;
  done: boolean;
  reward: number | null;
  success: boolean | null;
  details: Details | null;
};

/** A message that becomes a step, with the ids that its server gave the tool calls, if a server wrote it. */
export type SaidMessage = { message: AssistantMessage; callIds?: Answer['callIds'] };

/** Who acts, and in which stream of calls. */
export type TurnAddress = { role: 'policy' | 'expert'; purpose: Purpose; stream: string };

/** Asks a model for its next message in a state. Truncated and unparsable messages are answers: they are what the model does. */
export async function modelTurn(
  context: ActivityContext,
  run: Run,
  state: State,
  where: TurnAddress,
  signal: AbortSignal,
): Promise<ModelTurn> {
  const model = modelOf(run.config, where.role);
  let asked: Asked;
  try {
    asked = await context.gateway.ask(
      {
        run,
        taskId: state.taskId,
        address: { nodeId: state.id, ...where, sample: 0, ask: 0 },
        messages: state.messages,
        callIds: state.callIdsOf(model.endpoint),
        tools: state.tools,
        step: state.step + 1,
      },
      signal,
    );
  } catch (error) {
    if (error instanceof CruxError && error.kind === 'Model.ContextLength')
      return { kind: 'ended', ending: 'token-limit' };
    throw error;
  }
  const { answer, isNew } = asked;
  if (answer.finishReason === 'content_filter') return { kind: 'ended', ending: 'refused' };
  // The model spent its whole length limit on thoughts, and said nothing that could be a step.
  const tellsReasoning = model.reasoning !== undefined;
  if (tellsReasoning && answer.finishReason === 'length' && isWordless(answer.message))
    return { kind: 'ended', ending: 'token-limit' };
  const { tokenLimit } = run.config;
  const used = (answer.promptTokens ?? 0) + (answer.completionTokens ?? 0);
  if (tokenLimit !== null && used > tokenLimit) return { kind: 'ended', ending: 'token-limit' };
  return { kind: 'answer', answer, isNew };
}

/** For whom a step is taken, and how its observation is read. */
export type Taker = {
  caller: StepCaller;
  /** The run whose models read the observation, and how much of it they read; null if nothing is cut. */
  reader: { runId: string; observationLimit: number | null | undefined } | null;
  /** Which calls of a message are executed. */
  calls: CallRule;
  /** Version of the hint that answers a message without an action. */
  hints: PromptVersions['hint'];
  /** Endpoint whose server gave the ids of the message's tool calls; null if none did. */
  server: string | null;
};

/** For whom a run takes a step. */
export function callerOf(run: Run, { purpose, stream }: { purpose: string; stream: string }): StepCaller {
  return { recordedBy: recorderOf(run, purpose), run, purpose, stream };
}

/** @param where purpose and stream of the call that wrote the action */
export function takerOf(run: Run, where: { purpose: string; stream: string }): Taker {
  const { observationLimit } = run.config;
  const { hint } = promptsOf(run.config);
  return {
    caller: callerOf(run, where),
    reader: { runId: run.id, observationLimit },
    calls: callRuleOf(run.config),
    hints: hint,
    server: run.config.models.policy.endpoint,
  };
}

/**
 * Takes the step that an assistant message stands for. The same message in the same state always leads to the same state. The transition
 * keeps the whole observation; the reader's models read as much of it as its limit allows.
 */
export async function takeStep(
  context: Pick<ActivityContext, 'store' | 'environments' | 'sessions'>,
  state: State,
  { message, callIds = null }: SaidMessage,
  { caller, reader, calls, hints, server }: Taker,
  signal: AbortSignal,
): Promise<StepTaken> {
  const { store, sessions } = context;
  const environment = context.environments.get(state.environment);
  const format = stateFormat(environment, state, calls);
  const { reached, observation, isRewritten, tools, leftOut, last } = await takeCalls(
    state,
    message,
    format.parse(message),
    {
      format,
      observationLimit: reader?.observationLimit,
      hintOf: (call) => hintOf(call, hints),
      rewritten(position, conversation) {
        try {
          return stateFormat(environment, position, calls).conversation(conversation);
        } catch (error) {
          const where = `step ${state.step + 1} of task ${state.taskId}`;
          const words = `The environment ${environment.name} failed in ${where}: ${errorText(error)}`;
          throw new CruxError('Environment.Fault', words, { cause: error });
        }
      },
      step: (position, action) =>
        insist(environment, `a step of ${state.taskId}`, signal, () => sessions.step(position, action, signal, caller)),
    },
  );
  const next = await store.tree.addStep({
    parent: state,
    assistant: message,
    callIds: callIds && server !== null ? { server, ids: callIds } : null,
    observation,
    isRewritten,
    reached,
    isOwn: caller.run !== null && ownsTransitions(caller.run.config),
  });
  if (reader && leftOut > 0) await recordCut(store.database, reader.runId, next.id, leftOut);
  return {
    state: next,
    tool: tools.length === 0 ? null : tools.join(', '),
    done: last?.done ?? false,
    reward: last?.reward ?? null,
    success: last?.success ?? null,
    details: last?.details ?? null,
  };
}

function hintOf({ hint, firstHint }: Malformed, version: PromptVersions['hint']): string {
  return version === 'hint-1' ? (firstHint ?? hint) : hint;
}

/** A state in which nothing has been done yet. */
export function standing(state: State): StepTaken {
  return { state, tool: null, done: false, reward: null, success: null, details: null };
}
