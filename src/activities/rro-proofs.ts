import type { RroOptions } from '../domain/run-config.ts';
import { tally, verdictOn } from '../domain/verification.ts';
import type { CandidateTable, StepTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { State } from '../store/tree.ts';
import { actionValue, branchOutcome, leadsToTheSame, type Proof } from './proof.ts';

/** The pair of a step, if there is one: by the values that chose it, or under `sound` by fresh rollouts. */
export async function rroProofs(
  { tree, findings }: Store,
  runId: string,
  options: RroOptions,
  step: StepTable,
  state: State,
): Promise<Proof[]> {
  if (step.policy_candidate_id === '') return [];
  const candidates = await findings.candidatesOf(runId, state.id);
  const all = await findings.branchesAt(runId, state.id);
  const chosen = candidates.find(({ id }) => id === (JSON.parse(step.alternatives) as string[])[0]);
  const rejected = candidates.find(({ id }) => id === step.policy_candidate_id);
  if (!chosen || !rejected || (await leadsToTheSame(tree, state, chosen, rejected))) return [];
  const of = (candidate: CandidateTable, purpose: string) =>
    all.filter((row) => row.candidate_id === candidate.id && row.purpose === purpose);
  const value = (candidate: CandidateTable) => actionValue(tree, state, candidate, of(candidate, 'value'));
  const [better, worse] = [await value(chosen), await value(rejected)];
  if (better === null || worse === null || better - worse <= options.gap) return [];

  const isSound = options.verification.rollouts > 1;
  const ofChosen = of(chosen, isSound ? 'verify' : 'value');
  const ofRejected = of(rejected, isSound ? 'baseline' : 'value');
  const [chosenTally, rejectedTally] = [tally(ofChosen.map(branchOutcome)), tally(ofRejected.map(branchOutcome))];
  const verdict = isSound ? verdictOn(chosenTally, rejectedTally, options.verification) : null;
  if (verdict && verdict.verdict !== 'accepted') return [];
  return [
    {
      chosen,
      rejected,
      rule: verdict ? verdict.rule : 'values',
      posterior: verdict ? verdict.posterior : null,
      values: { chosen: better, rejected: worse },
      chosenTally,
      rejectedTally,
      branches: [
        ...ofChosen.map((row) => ({ side: 'chosen' as const, row })),
        ...ofRejected.map((row) => ({ side: 'rejected' as const, row })),
      ],
    },
  ];
}
