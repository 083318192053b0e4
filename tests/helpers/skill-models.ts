/** Models that are a skill in a file, for improvements without a GPU: their trainer and their server are small scripts over the simulated policy. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { CruxConfigInput } from '../../src/config/config.ts';
import type { ImproveResult } from '../../src/domain/wire/improve.ts';
import { launchImprovement, prepareImprovement } from '../../src/start/improvements.ts';
import { freePort } from '../../src/temporal/ports.ts';
import type { Lab } from './lab.ts';

const script = (name: string) => join(import.meta.dirname, '../training/processes', name);

/** What a trainer does in which round (skill-trainer.js). */
export type TrainingPlan = {
  [round: number]: 'diverge' | 'fail' | 'fill' | 'memory' | 'nothing' | 'template' | 'wait';
};

export type SkillModels = {
  /** Of a configuration: the endpoint `served`. */
  endpoint: { baseUrl: string };
  policy: { endpoint: 'served'; model: 'base'; maxTokens: number; trainedOn: string[] };
  improve(
    changes?: Partial<NonNullable<CruxConfigInput['improve']>>,
    plan?: TrainingPlan,
  ): NonNullable<CruxConfigInput['improve']>;
};

/** @param home folder in which the base is made @param simulationUrl of the simulated models */
export async function skillModels(home: string, simulationUrl: string, skill = 0.4): Promise<SkillModels> {
  const base = join(home, 'base');
  mkdirSync(base, { recursive: true });
  writeFileSync(join(base, 'skill.json'), JSON.stringify({ skill }));
  const port = await freePort();
  return {
    endpoint: { baseUrl: `http://127.0.0.1:${port}/v1` },
    policy: { endpoint: 'served', model: 'base', maxTokens: 256, trainedOn: ['none'] },
    improve: (changes = {}, plan = {}) => ({
      base,
      rounds: 2,
      minPairs: 1,
      trainer: { kind: 'command', run: [process.execPath, script('skill-trainer.js'), JSON.stringify(plan)] },
      server: {
        kind: 'command',
        start: [process.execPath, script('skill-server.js'), '{model}', '{name}', '{port}', simulationUrl],
        health: '/health',
        port,
      },
      ...changes,
    }),
  };
}

/** Changes to an improvement's part of the configuration, what goes wrong in its trainings, and changes to the rest. */
export type Improving = {
  changes?: Parameters<SkillModels['improve']>[0];
  plan?: TrainingPlan;
  config?: Partial<CruxConfigInput>;
};

/** What a lab's workers and improvements need of the configuration. */
export function improvingConfig(
  lab: Lab,
  models: SkillModels,
  { changes, plan, config }: Improving = {},
): Partial<CruxConfigInput> {
  const { endpoints, models: roles } = lab.config();
  return {
    endpoints: { ...endpoints, served: models.endpoint },
    models: { ...roles, policy: models.policy } as CruxConfigInput['models'],
    improve: models.improve(changes, plan),
    ...config,
  };
}

/**
 * Starts an improvement of the mazes, or takes it up again. Names of models contain its id, and seeds depend on them, so it is the same in every run of a
 * test: nothing else on the test run's server has it.
 */
export async function startImprovement(
  lab: Lab,
  models: SkillModels,
  name: string,
  how: Improving = {},
): Promise<{ id: string; handle: WorkflowHandle; result(): Promise<ImproveResult> }> {
  const id = `skill-${name}`;
  const config = lab.config(improvingConfig(lab, models, how));
  const improvement = await prepareImprovement(config, lab.store, { id, environment: 'maze' });
  await launchImprovement(lab.client, lab.store, improvement);
  const handle = lab.client.workflow.getHandle(id);
  return { id, handle, result: () => handle.result() as Promise<ImproveResult> };
}
