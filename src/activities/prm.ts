import { z } from 'zod';
import { judgeStep } from '../domain/critical-step.ts';
import type { AssistantMessage } from '../domain/message.ts';
import { csoOptionsOf } from '../domain/run-config.ts';
import type { JudgeResult, StepAddress } from '../domain/wire.ts';
import { scoreRequest } from '../models/prompts.ts';
import { seededFraction } from '../models/seed.ts';
import type { Run } from '../store/runs.ts';
import type { CandidateTable } from '../store/schema.ts';
import type { State } from '../store/tree.ts';
import { activity } from './boundary.ts';
import type { ActivityContext } from './context.ts';
import { candidateId, trajectoryStep } from './trajectory-steps.ts';

/** How often the PRM is asked again because its answer holds no score. */
const mostAsks = 3;

const scoreSchema = z.object({ score: z.number().min(0).max(1) });

export function prmActivities(context: ActivityContext) {
  const { store, gateway } = context;

  /** Scores the actions of a step and says whether it is a candidate critical step. Without the gate, nobody is asked and every step is. */
  async function judgeCandidates(address: StepAddress, signal: AbortSignal): Promise<JudgeResult> {
    const run = await store.runs.get(address.runId);
    const { state, message } = await trajectoryStep(context, address);
    const options = csoOptionsOf(run.config);
    // Another trajectory may have come through the same state with another action, and shares the alternatives.
    const candidates = await store.findings.candidatesOf(run.id, state.id);
    const policy = candidates.find(({ id }) => id === candidateId(state, message, 'own'));
    if (!policy)
      throw new Error(`The action of step ${address.step} is not among the candidates of state ${state.id}.`);
    const alternatives = candidates.filter(
      ({ position, canonical }) => position >= 0 && (canonical === null || canonical !== policy.canonical),
    );

    const judged = options.gate
      ? judgeStep(
          await scored(run, state, policy, signal),
          await Promise.all(alternatives.map((candidate) => scored(run, state, candidate, signal))),
          options,
        )
      : ungated(alternatives);
    const branched = judged.branched.slice(0, options.branchesPerStep ?? undefined);
    const critical = judged.verdict === 'critical';
    const placebo = critical && seededFraction(run.seed, `placebo/${state.id}`) < options.verification.placeboRate;
    await store.findings.addStep({
      run_id: run.id,
      trajectory_id: address.trajectoryId,
      step: address.step,
      node_id: state.id,
      verdict: judged.verdict,
      policy_candidate_id: policy.id,
      alternatives: JSON.stringify(branched),
      placebo: Number(placebo),
    });
    return { verdict: judged.verdict, nodeId: state.id, policyCandidateId: policy.id, alternatives: branched, placebo };
  }

  async function scored(run: Run, state: State, candidate: CandidateTable, signal: AbortSignal) {
    const samples = await Promise.all(
      Array.from({ length: csoOptionsOf(run.config).prmSamples }, (_, sample) =>
        score(run, state, candidate, sample, signal),
      ),
    );
    const known = samples.filter((sample) => sample !== null);
    const mean = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    await store.findings.addScore({
      run_id: run.id,
      candidate_id: candidate.id,
      score: mean,
      samples: JSON.stringify(samples),
    });
    return { candidateId: candidate.id, score: mean };
  }

  /** @returns process reward in [0, 1]; null when none of the asks gave a readable one */
  async function score(
    run: Run,
    state: State,
    candidate: CandidateTable,
    sample: number,
    signal: AbortSignal,
  ): Promise<number | null> {
    const action = JSON.parse(candidate.message) as AssistantMessage;
    const request = scoreRequest(state.messages, state.tools, action);
    for (let ask = 0; ask < mostAsks; ask++) {
      const answer = await gateway.answer(
        {
          run,
          address: { nodeId: state.id, role: 'prm', purpose: 'score', stream: '', sample, ask },
          messages: request.messages,
          tools: [],
          responseFormat: request.responseFormat,
          step: state.step + 1,
        },
        signal,
      );
      const value = readScore(answer.message.content ?? '');
      if (value !== null) return value;
    }
    return null;
  }

  return { judgeCandidates: activity(judgeCandidates) };
}

function ungated(alternatives: CandidateTable[]) {
  return alternatives.length === 0
    ? { verdict: 'no-alternative' as const, branched: [] }
    : { verdict: 'critical' as const, branched: alternatives.map(({ id }) => id) };
}

/** The score in a judge's answer: JSON, alone or inside other text. */
function readScore(text: string): number | null {
  const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  try {
    const parsed = scoreSchema.safeParse(JSON.parse(json));
    return parsed.success ? parsed.data.score : null;
  } catch {
    return null;
  }
}
