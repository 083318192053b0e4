import { type Action, actionsOf } from '../../domain/action.ts';
import type { Candidate } from '../../domain/candidate.ts';
import { type AssistantMessage, messageText } from '../../domain/message.ts';
import { alternativeOptionsOf, modelOf, type RunConfig } from '../../domain/run/run-config.ts';
import type { ProposeResult } from '../../domain/wire/action.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { expertMessages, thoughtMessages } from '../../models/prompts.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateId, candidateOf, trajectoryStep } from '../acting/candidates.ts';
import { runFormat } from '../acting/run-format.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { insist } from '../runtime/insist.ts';

/** How often a proposer is asked again because its message holds no action. */
const mostAsks = 3;

type Proposer = 'expert' | 'policy';

export function expertActivities(context: ActivityContext) {
  const { store, environments, gateway } = context;

  /**
   * Draws K alternatives to the policy's action at a step, and stores those that are different actions. Drops what equals the policy's action
   * or an earlier alternative. Chooses by sample number, not by which answer came first.
   */
  async function proposeAlternatives(address: StepAddress, signal: AbortSignal): Promise<ProposeResult> {
    const run = await store.runs.get(address.runId);
    const { trajectory, state, message } = await trajectoryStep(context, address);
    const { alternatives: count } = alternativeOptionsOf(run.config);
    const proposers = proposersFor(run.config);
    const drawn = await Promise.all(
      proposers.flatMap((proposer, block) =>
        Array.from({ length: count }, async (_, sample) => {
          const proposed = await proposal(run, state, proposer, sample, signal);
          if (!proposed) return null;
          const { model } = modelOf(run.config, proposer);
          const position = block * count + sample;
          return candidateOf(context, state, proposed, { run, source: proposer, model, position });
        }),
      ),
    );
    const policyCandidate = candidateOf(context, state, message, {
      run,
      source: trajectory.origin === 'imported' ? 'imported' : 'policy',
      model: trajectory.model,
      position: -1,
    });
    const readable = drawn.filter((candidate) => candidate !== null);
    const different = readable.filter((candidate) => candidate.canonical !== policyCandidate.canonical);
    const distinct = firstOfEach(different);
    await store.findings.addCandidates([policyCandidate, ...distinct]);
    const result: ProposeResult = {
      alternatives: distinct.length,
      equalToPolicy: readable.length - different.length,
      duplicates: different.length - distinct.length,
      unreadable: drawn.length - readable.length,
    };
    await store.findings.addProposals({
      runId: run.id,
      trajectoryId: trajectory.id,
      step: address.step,
      sameAction: result.equalToPolicy,
      duplicates: result.duplicates,
      sameState: 0,
      unreadable: result.unreadable,
      lookedAt: [],
    });
    return result;
  }

  /** @returns null when none of the asks gave an action */
  async function proposal(
    run: Run,
    state: State,
    proposer: Proposer,
    sample: number,
    signal: AbortSignal,
  ): Promise<AssistantMessage | null> {
    const environment = environments.get(state.environment);
    const format = runFormat(context, run, state);
    const task = await environments.task(state.environment, state.taskId);
    const wantsHints = alternativeOptionsOf(run.config).expertHints && environment.hints !== undefined;
    const hints = wantsHints
      ? await insist(environment, `hints for ${task.id}`, signal, async () => environment.hints!(task))
      : null;
    const messages = proposer === 'expert' ? expertMessages(state.messages, hints) : state.messages;
    for (let ask = 0; ask < mostAsks; ask++) {
      const answer = await gateway.answer(
        {
          run,
          taskId: state.taskId,
          address: { nodeId: state.id, role: proposer, purpose: 'propose', stream: '', sample, ask },
          messages,
          callIds: state.callIdsOf(run.config.models.policy.endpoint),
          tools: state.tools,
          step: state.step + 1,
        },
        signal,
      );
      const parsed = format.parse(answer.message);
      // Rewritten in the policy's own format, so that the expert's habits of form stay out of the data.
      const actions = actionsOf(parsed);
      if (actions.length === 0) continue;
      const message = format.render(parsed.thought, actions, state.step + 1);
      const rewrite = proposer === 'expert' && alternativeOptionsOf(run.config).thought === 'policy';
      return rewrite ? withPolicyThought(run, state, message, actions, sample, signal) : message;
    }
    return null;
  }

  /** The expert's actions with a thought that the policy wrote for it, so that a pair differs in what is done and not in who speaks. */
  async function withPolicyThought(
    run: Run,
    state: State,
    message: AssistantMessage,
    actions: readonly Action[],
    sample: number,
    signal: AbortSignal,
  ): Promise<AssistantMessage> {
    const format = runFormat(context, run, state);
    const answer = await gateway.answer(
      {
        run,
        taskId: state.taskId,
        address: {
          nodeId: state.id,
          role: 'policy',
          purpose: 'propose',
          stream: `thought-${candidateId(state, message, 'proposed')}`,
          sample,
          ask: 0,
        },
        messages: thoughtMessages(state.messages, messageText(message)),
        callIds: state.callIdsOf(run.config.models.policy.endpoint),
        tools: state.tools,
        step: state.step + 1,
      },
      signal,
    );
    const parsed = format.parse(answer.message);
    const thought = actionsOf(parsed).length > 0 ? parsed.thought : (answer.message.content ?? '');
    return format.render(thought.trim(), actions, state.step + 1);
  }

  return { proposeAlternatives };
}

/** The models that must propose so that pairs of the run's sources (`chosen/rejected`) can exist; the policy's own a_t is there anyway. */
function proposersFor(config: RunConfig): Proposer[] {
  const { options } = config;
  if (!('pairSources' in options)) return ['expert'];
  const [chosen, rejected] = options.pairSources.split('/') as [Proposer, Proposer];
  return rejected === 'expert' && chosen !== 'expert' ? [chosen, 'expert'] : [chosen];
}

function firstOfEach(candidates: Candidate[]): Candidate[] {
  const seen = new Set<string | null>();
  return candidates.filter(({ canonical }) => !seen.has(canonical) && seen.add(canonical));
}
