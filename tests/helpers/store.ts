import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import type { CsoOptions } from '../../src/domain/methods/index.ts';
import { type CeilingChanges, ceilingsFrom } from '../../src/domain/run/ceilings.ts';
import type { RunConfig, RunSettings } from '../../src/domain/run/run-config.ts';
import type { TrajectoryResult } from '../../src/domain/wire/trajectory.ts';
import type { Run } from '../../src/store/runs.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { type PostgresForTests, postgresPrograms, startPostgres } from './postgres.ts';

/** A new folder that goes when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crux-test-'));
  // A process that the test started may still be closing its files.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

/** A new SQLite store that goes when the test is over. */
export async function temporaryStore(): Promise<Store> {
  const store = await openStore(join(temporaryFolder(), 'crux.db'));
  onTestFinished(() => store.close());
  return store;
}

/** What a transition tells that goes on: an observation, and nothing else. */
export function goesOn(observation: string) {
  return { observation, tools: null, done: false, reward: null, success: null, details: null, mark: null };
}

/** What became of a task: a success of one step, but for what is given. */
export function taskResult(changes: Partial<TrajectoryResult> = {}): TrajectoryResult {
  return {
    position: 0,
    taskId: 'task-1',
    ending: 'submitted',
    success: true,
    reward: 1,
    steps: 1,
    criticalSteps: 0,
    branches: 0,
    pairs: 0,
    stoppedBy: null,
    fault: null,
    ...changes,
  };
}

export type EngineForTests = {
  /** Opens a new, empty store. */
  open(): Promise<Store>;
  /** Opens a store that is there already, as another process would. */
  reopen(store: Store): Promise<Store>;
};

/** Runs a suite on SQLite, and on Postgres where that is installed. */
export function describeEngines(name: string, suite: (engine: EngineForTests) => void): void {
  describe(`${name} on SQLite`, () => {
    suite({ open: temporaryStore, reopen: async (store) => closing(await openStore(store.location)) });
  });
  const programs = postgresPrograms();
  describe.skipIf(programs === null)(`${name} on Postgres`, () => {
    let server: PostgresForTests | undefined;
    const schemas = new Map<string, string>();
    const openSchema = async (schema: string) => {
      const store = closing(await openStore(server!.url, { schema }));
      schemas.set(store.id, schema);
      return store;
    };
    beforeAll(async () => {
      server = await startPostgres(programs!);
    });
    afterAll(() => server?.stop());
    suite({
      open: () => openSchema(`crux_${randomUUID().replaceAll('-', '')}`),
      reopen: (store) => openSchema(schemas.get(store.id)!),
    });
  });
}

function closing(store: Store): Store {
  onTestFinished(() => store.close());
  return store;
}

type CsoSettings = Partial<RunSettings & { options: CsoOptions }>;

/** Settings of a run of CSO as published, with one endpoint for all roles. */
export function runConfig(changes: CsoSettings = {}): RunConfig {
  const role = {
    endpoint: 'models',
    model: 'test-model',
    temperature: 1,
    topP: null,
    maxTokens: 100,
    price: { input: 1, output: 2 },
    extraBody: {},
  };
  return {
    schemaVersion: 1,
    method: 'cso',
    preset: 'published',
    environment: 'doors',
    environmentVersion: '1',
    split: 'train',
    trajectories: 'policy',
    format: 'react',
    stepLimit: 5,
    tokenLimit: null,
    granularity: 'rollout',
    parallel: 10,
    window: 10,
    models: { policy: role, expert: { ...role, model: 'test-expert' }, prm: { ...role, model: 'test-prm' } },
    options: {
      alternatives: 3,
      gammaLow: 0.45,
      gammaHigh: 0.65,
      gate: true,
      verify: true,
      pairSources: 'expert/policy',
      thought: 'keep',
      branchesPerStep: null,
      stopAtFirst: false,
      verification: {
        rollouts: 1,
        baselineRollouts: 0,
        placeboRate: 0,
        confidence: 0.9,
        tieMass: 0.8,
        confirmOnVariants: true,
      },
      pairsPerStep: null,
      pairsPerTask: null,
      maxPassRate: null,
      prmSamples: 1,
      expertHints: false,
    },
    ...changes,
  };
}

type NewRun = Partial<Omit<Run, 'config' | 'ceilings'>> & {
  config?: CsoSettings;
  ceilings?: CeilingChanges;
  taskIds?: string[];
};

/** Records a run, by default `run-1` of one task, without ceilings. */
export async function addRun(store: Store, { taskIds = ['task-1'], config, ...run }: NewRun = {}): Promise<Run> {
  const id = run.id ?? 'run-1';
  await store.runs.create(
    {
      id,
      method: 'cso',
      environment: run.environment ?? 'doors',
      seed: run.seed ?? 1,
      config: runConfig(config),
      ceilings: ceilingsFrom(run.ceilings ?? {}),
      reuse: run.reuse ?? [],
    },
    taskIds.map((taskId, position) => ({ position, taskId, sample: 0, importedId: null })),
  );
  return store.runs.get(id);
}

export { answer } from '../store/processes/rows.ts';
