/** What the provider reported when the messages of a pair were written: their lengths, and how likely the policy found its own. */

import { actionsOf } from '../../domain/action.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import type { AssistantMessage } from '../../domain/message.ts';
import type { CertifiedAction } from '../../domain/pairs/pair.ts';
import { purposesThat } from '../../domain/purpose.ts';
import { sumOrNull } from '../../domain/statistics/sums.ts';
import { streamOf, streamOfSample } from '../../domain/stream.ts';
import type { Trajectory } from '../../domain/trajectory.ts';
import type { Answer } from '../../store/journal.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { runFormat } from '../acting/run-format.ts';
import type { ActivityContext } from '../runtime/context.ts';

/** A side of a pair: the action that it begins with, and its last state if it is more than that action. */
export type Side = { candidate: Candidate; leafId: string | undefined };

type Told = Required<Pick<CertifiedAction, 'promptTokens' | 'completionTokens' | 'policyLogprob'>>;

export async function toldOfSide(
  context: ActivityContext,
  run: Run,
  trajectory: Trajectory,
  state: State,
  { candidate, leafId }: Side,
): Promise<Told> {
  const role = candidate.source;
  const writing = (at: State, message: AssistantMessage) =>
    answerThatSays(context, { run, trajectory, origin: state, role }, at, message);
  const messages = [{ at: state, message: candidate.message }];
  if (leafId !== undefined) {
    const path = (await context.store.tree.path(leafId)).slice(state.step + 1);
    messages.push(...path.slice(1).map((next, index) => ({ at: path[index]!, message: next.assistant! })));
  }
  const answers = await Promise.all(messages.map(({ at, message }) => writing(at, message)));
  const isWordForWord = answers.every((answer, index) => answer && isSame(answer.message, messages[index]!.message));
  return {
    promptTokens: answers[0]?.promptTokens ?? null,
    completionTokens: sumOrNull(answers.map((answer) => answer?.completionTokens ?? null)),
    policyLogprob:
      role === 'policy' && isWordForWord ? sumOrNull(answers.map((answer) => answer?.logprob ?? null)) : null,
  };
}

/**
 * The answer that a message comes from, even if it was rewritten in the policy's format. Answers of other samples, and of rollouts through
 * the state, do not count: whether they exist yet depends on which is first.
 */
async function answerThatSays(
  context: ActivityContext,
  side: { run: Run; trajectory: Trajectory; origin: State; role: string },
  at: State,
  message: AssistantMessage,
): Promise<Answer | null> {
  const format = runFormat(context, side.run, at);
  const rendered = ({ message: written }: Answer): AssistantMessage => {
    const parsed = format.parse(written);
    const actions = actionsOf(parsed);
    return actions.length > 0 ? format.render(parsed.thought, actions, at.step + 1) : written;
  };
  const answers = await context.store.journal.inState(side.run.id, at.id, purposesThat('writesSides'));
  const own = answers.filter((answer) => answer.role === side.role && belongsTo(answer, side));
  // Samples of one prompt may say the same: the first of them is the one that was kept.
  const inOrder = own.toSorted((one, other) => one.sample - other.sample || one.ask - other.ask);
  return (
    inOrder.find((answer) => isSame(answer.message, message)) ??
    inOrder.find((answer) => isSame(rendered(answer), message)) ??
    null
  );
}

function belongsTo({ stream }: Answer, { trajectory, origin }: { trajectory: Trajectory; origin: State }): boolean {
  const sample = streamOfSample(trajectory.sample);
  const contrast = streamOf({ nodeId: origin.id, candidateId: '', rollout: 0 });
  return stream === '' || stream === sample || stream.startsWith(`${sample}/draw-`) || stream === contrast;
}

function isSame(one: AssistantMessage, other: AssistantMessage): boolean {
  return canonicalJson(one as unknown as Json) === canonicalJson(other as unknown as Json);
}
