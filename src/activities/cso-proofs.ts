import type { CsoOptions } from '../domain/run-config.ts';
import { type Tally, tally, verdictOn } from '../domain/verification.ts';
import type { CandidateTable, StepTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';
import { branchOutcome, leadsToTheSame, type Proof } from './proof.ts';

/** All (chosen, rejected) of a step that its branches prove. */
export async function csoProofs(
  { tree, findings }: Store,
  runId: string,
  options: CsoOptions,
  step: StepTable,
  state: State,
): Promise<Proof[]> {
  if (step.verdict !== 'critical') return [];
  const candidates = await findings.candidatesOf(runId, state.id);
  // By state, not by trajectory: two trajectories that came through one state share its branches.
  const all = await findings.branchesAt(runId, state.id);
  const policy = candidates.find(({ id }) => id === step.policy_candidate_id)!;
  const of = (candidate: CandidateTable, purpose: string) =>
    all.filter((row) => row.candidate_id === candidate.id && row.purpose === purpose);
  const alternatives = (JSON.parse(step.alternatives) as string[]).map(
    (id) => candidates.find((other) => other.id === id)!,
  );
  const [chosenSource, rejectedSource] = options.pairSources.split('/');
  const baseline = of(policy, 'baseline');
  const policyTally = tally(baseline.map(branchOutcome));

  const proofs: Proof[] = [];
  for (const chosen of alternatives.filter(({ source }) => source === chosenSource)) {
    const verified = of(chosen, 'verify');
    const chosenTally = tally(verified.map(branchOutcome));
    const verdict = options.verify
      ? verdictOn(chosenTally, policyTally, options.verification)
      : { verdict: 'accepted' as const, rule: 'none' as const, posterior: null };
    if (verdict.verdict !== 'accepted') continue;
    const rejectedOnes =
      rejectedSource === 'policy'
        ? [{ candidate: policy, branches: baseline }]
        : alternatives
            .filter((other) => other.source === 'expert' && other.id !== chosen.id)
            .map((candidate) => ({ candidate, branches: of(candidate, 'verify') }))
            .filter(({ branches }) => isFailure(tally(branches.map(branchOutcome))));
    for (const rejected of rejectedOnes) {
      if (await leadsToTheSame(tree, state, chosen, rejected.candidate)) continue;
      proofs.push({
        chosen,
        rejected: rejected.candidate,
        rule: verdict.rule,
        posterior: verdict.posterior,
        values: null,
        chosenTally,
        rejectedTally: tally(rejected.branches.map(branchOutcome)),
        branches: [
          ...verified.map((row) => ({ side: 'chosen' as const, row })),
          ...rejected.branches.map((row) => ({ side: 'rejected' as const, row })),
        ],
      });
      // Without verification a step gives one pair: its best alternative.
      if (!options.verify) return proofs;
    }
  }
  return proofs;
}

function isFailure({ successes, rollouts }: Tally): boolean {
  return rollouts > 0 && successes === 0;
}
