import type { Branch } from '../../src/domain/branch.ts';
import type { Step } from '../../src/domain/step.ts';

/** A branch that ended by itself, of the state `s`, unless told otherwise. */
export function branchRow(changes: Partial<Branch>): Branch {
  const { purpose = 'verify', candidateId = 'a', rollout = 0, success = true } = changes;
  return {
    runId: 'run-1',
    id: `${candidateId}/${purpose}/${rollout}`,
    trajectoryId: 't',
    nodeId: 's',
    ...{ candidateId, purpose, rollout, success },
    leafId: 'leaf',
    steps: 1,
    environmentSteps: 1,
    seed: 1,
    ending: success === null ? 'model-fault' : 'submitted',
    reward: success === null ? null : Number(success),
    confirmed: null,
    auditFlags: null,
    details: null,
    compared: 0,
    ...changes,
  };
}

/** A candidate critical step of the trajectory `t` in the state `s`, unless told otherwise. */
export function stepRow(changes: Partial<Step>): Step {
  return {
    ...{ runId: 'run-1', trajectoryId: 't', step: 1, nodeId: 's', verdict: 'critical', ownId: 'own' },
    ...{ chosenId: null, rejectedId: null, branched: ['a'], placebo: false },
    ...{ ruledOut: null, lookedAt: [], settled: null },
    ...changes,
  };
}
