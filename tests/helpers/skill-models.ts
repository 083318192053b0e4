/** Models that are a skill in a file, for improvements without a GPU: their trainer and their server are small scripts over the simulated policy. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CruxConfigInput } from '../../src/config/config.ts';
import { freePort } from '../../src/temporal/ports.ts';

const script = (name: string) => join(import.meta.dirname, '../training/processes', name);

/** What a trainer does in which round (skill-trainer.js). */
export type TrainingPlan = { [round: number]: 'diverge' | 'fail' | 'wait' };

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
