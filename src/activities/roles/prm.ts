import type { Candidate, ScorePurpose } from '../../domain/candidate.ts';
import type { ScoredCandidate } from '../../domain/methods/cso-rule.ts';
import { meanScore } from '../../domain/methods/step-dpo-rule.ts';
import { alternativeOptionsOf, modelOf } from '../../domain/run/run-config.ts';
import type { StepAddress } from '../../domain/wire/trajectory.ts';
import { promptsOf } from '../../models/prompts.ts';
import { readScored } from '../../models/scoring/scoring-answer.ts';
import type { Run } from '../../store/runs.ts';
import type { State } from '../../store/tree.ts';
import { candidateId, trajectoryStep } from '../acting/candidates.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { rewardsOfRollouts, type ScoredAt } from './monte-carlo.ts';
import { isCut, mostScoreAsks, readScore, scoreCall } from './score-call.ts';

/** What a process reward model does for the methods that ask it: it scores the actions of a step. */
export function scorer(context: ActivityContext) {
  const { store, gateway } = context;

  /** The policy's own action at a step, and the alternatives to it in the order in which they were drawn. */
  async function actionsOf(
    address: StepAddress,
  ): Promise<{ state: State; policy: Candidate; alternatives: Candidate[] }> {
    const { state, message } = await trajectoryStep(context, address);
    // Another trajectory may have come through the same state with another action, and shares the alternatives.
    const candidates = await store.findings.candidatesOf(address.runId, state.id);
    const policy = candidates.find(({ id }) => id === candidateId(state, message, 'own'));
    if (!policy)
      throw new Error(`The action of step ${address.step} is not among the candidates of state ${state.id}.`);
    const alternatives = candidates.filter(
      ({ position, canonical }) => position >= 0 && (canonical === null || canonical !== policy.canonical),
    );
    return { state, policy, alternatives };
  }

  /** @returns the scores in the order of the candidates */
  async function allScored(
    run: Run,
    at: ScoredAt,
    candidates: readonly Candidate[],
    signal: AbortSignal,
    purpose: ScorePurpose = 'score',
  ): Promise<ScoredCandidate[]> {
    const { monteCarlo } = run.config;
    const keep = async ({ id: candidateId }: Candidate, samples: (number | null)[]): Promise<ScoredCandidate> => {
      const score = meanScore(samples);
      await store.findings.addScore({ runId: run.id, candidateId, purpose, score, samples });
      return { candidateId, score };
    };
    if (monteCarlo) {
      const rewards = await rewardsOfRollouts(context, run, monteCarlo, at, candidates, purpose, signal);
      return Promise.all(candidates.map((candidate, index) => keep(candidate, rewards[index]!)));
    }
    return Promise.all(
      candidates.map(async (candidate) =>
        keep(candidate, await askedSamples(run, at.state, candidate, purpose, signal)),
      ),
    );
  }

  function askedSamples(
    run: Run,
    state: State,
    candidate: Candidate,
    purpose: ScorePurpose,
    signal: AbortSignal,
  ): Promise<(number | null)[]> {
    const { prmSamples } = alternativeOptionsOf(run.config);
    return Promise.all(
      Array.from({ length: prmSamples }, (_, sample) => asked(run, state, candidate, { purpose, sample }, signal)),
    );
  }

  /** @returns process reward in [0, 1]; null when no answer holds one */
  async function asked(
    run: Run,
    state: State,
    candidate: Candidate,
    { purpose, sample }: { purpose: ScorePurpose; sample: number },
    signal: AbortSignal,
  ): Promise<number | null> {
    const { scoring } = modelOf(run.config, 'prm');
    if (scoring) {
      // The same request has the same number: to ask again would be paid, and change nothing.
      const answer = await gateway.answer(scoreCall(run, state, candidate, { purpose, sample, ask: 0 }), signal);
      const score = readScored(answer.message.content, scoring);
      return typeof score === 'number' ? score : null;
    }
    let isBrief = false;
    for (let ask = 0; ask < mostScoreAsks; ask++) {
      const answer = await gateway.answer(scoreCall(run, state, candidate, { purpose, sample, ask }, isBrief), signal);
      const value = readScore(answer.message.content ?? '', promptsOf(run.config).score);
      if (value !== null) return value;
      isBrief ||= isCut(run, answer);
    }
    return null;
  }

  return { actionsOf, allScored };
}
