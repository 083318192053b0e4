import { ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import type { Sample } from '../../src/domain/run/evaluation.ts';
import type { EvaluationConfig, RoleSettings, RunConfig } from '../../src/domain/run/run-config.ts';
import type { Store } from '../../src/store/store.ts';
import { runConfig, taskResult } from './store.ts';

export type RecordedEvaluation = {
  /** Outcomes of the samples by task, and the task's group and difficulty. */
  tasks: {
    [taskId: string]: { group?: string; difficulty?: string | null; samples: Sample['outcome'][] };
  };
  leaked?: EvaluationConfig['leaked'];
  policy?: Partial<RoleSettings>;
};

/** Settings of an evaluation, with one endpoint. */
export function evaluationConfig(changes: Pick<RecordedEvaluation, 'leaked' | 'policy'> = {}): RunConfig {
  const { models, method: _method, options: _options, ...settings } = runConfig({ split: 'test' });
  return {
    ...settings,
    method: 'evaluate',
    options: { confirmOnVariants: true },
    leaked: changes.leaked ?? [],
    models: { ...models, policy: { ...models.policy, ...changes.policy } },
  };
}

/** Writes a finished evaluation straight into the store, without any workflow. Every task has a group of its own unless it names one. */
export async function recordEvaluation(store: Store, id: string, recorded: RecordedEvaluation): Promise<void> {
  const samples = Object.entries(recorded.tasks).flatMap(([taskId, { samples: outcomes, group, difficulty }]) =>
    outcomes.map((outcome, sample) => ({ taskId, sample, outcome, group: group ?? taskId, difficulty })),
  );
  await store.runs.create(
    {
      id,
      method: 'evaluate',
      environment: 'doors',
      seed: 1,
      config: evaluationConfig(recorded),
      ceilings: ceilingsFrom({}),
      reuse: [],
    },
    samples.map(({ taskId, sample, group, difficulty }, position) => ({
      ...{ position, taskId, sample, group, difficulty: difficulty ?? null },
      importedId: null,
    })),
  );
  for (const [position, { taskId, sample, outcome }] of samples.entries()) {
    if (outcome === 'open') continue;
    const isSuccess = outcome === 'success' || outcome === 'coincidental' || outcome === 'flagged';
    const ending = outcome === 'missing' ? 'model-fault' : isSuccess ? 'submitted' : 'step-limit';
    await store.findings.addTrajectory({
      runId: id,
      id: `${taskId} ${sample}`,
      taskId,
      sample,
      origin: 'policy',
      model: 'test-model',
      rootId: taskId,
      leafId: taskId,
      steps: 1,
      environmentSteps: 1,
      ending,
      reward: outcome === 'missing' ? null : Number(isSuccess),
      success: outcome === 'missing' ? null : isSuccess,
      confirmed: isSuccess ? outcome !== 'coincidental' : null,
      auditFlags: outcome === 'flagged' ? ['tests-edited'] : null,
      details: null,
    });
    await store.runs.finishTask(id, position, taskResult({ ending, taskId }));
  }
  await store.runs.finish(id, 'finished');
}
