/**
 * What the programs of this folder share: store, Temporal and a worker in the folder `--out`, the simulated models in a process of their own,
 * and runs that go on where they were when a program is started again. Programs with the same `--out` share runs and answers.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { type CruxConfig, type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import { seededRandom, shuffled } from '../../src/domain/statistics/random.ts';
import type { CampaignResult } from '../../src/domain/wire/campaign.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { launchAudit, prepareAudit } from '../../src/start/audits.ts';
import { launchRun } from '../../src/start/launch.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { connectTemporal } from '../../src/temporal/connection.ts';
import { type RunSummary, runSummary } from '../../src/views/run-summary.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { benchmarkAt, tasksOf } from './benchmark.ts';
import { type Condition, runIdOf } from './condition.ts';

export type WorkbenchOptions = {
  /** Folder of all state and results. */
  out: string;
  /** Data set, as `crux import` made it. */
  data: string;
  /** Tasks of each seed: the seeds have none in common. */
  tasks: number;
  /** Pairs that are audited in each run, and steps under RRO; and reference rollouts of each of their actions. */
  audited: number;
  rollouts: number;
  /** Names of the only conditions that are made; null for all. */
  only: readonly string[] | null;
};

export class Workbench {
  readonly store: Store;
  readonly #options: WorkbenchOptions;
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #port: number;
  readonly #taskIds: string[];
  readonly #release: () => Promise<void>;

  private constructor(
    options: WorkbenchOptions,
    parts: {
      store: Store;
      client: Client;
      environment: Environment;
      port: number;
      taskIds: string[];
      release: () => Promise<void>;
    },
  ) {
    this.#options = options;
    this.store = parts.store;
    this.#client = parts.client;
    this.#environment = parts.environment;
    this.#port = parts.port;
    this.#taskIds = parts.taskIds;
    this.#release = parts.release;
  }

  static async open(options: WorkbenchOptions): Promise<Workbench> {
    const { out, data } = options;
    await mkdir(out, { recursive: true });
    const models = fork(join(import.meta.dirname, 'models.ts'), [data]);
    const [port] = (await once(models, 'message')) as [number];
    const benchmark = benchmarkAt(data);
    const environment = benchmark.open();
    const tasks = await tasksOf(benchmark, environment);
    const store = await openStore(join(out, 'crux.db'));
    const temporal = await connectTemporal({ home: out, report: () => {}, embedded: 'start' });
    const config = configOf(environment, port, {});
    const worker = await startWorker({ config, store, temporal, roles: ['workflow', 'agent'] });
    return new Workbench(options, {
      store,
      client: new Client({ connection: temporal.connection, namespace: temporal.namespace }),
      environment,
      port,
      taskIds: shuffled(tasks, seededRandom('bench/tasks')),
      release: async () => {
        worker.stop();
        await worker.done;
        await temporal.close();
        await store.close();
        models.disconnect();
      },
    });
  }

  /** Makes a run, or what is left of it. Answers of other runs of the seed are read again, which changes no figure. */
  async run(condition: Condition, seed: number): Promise<string> {
    const { name, request, ...models } = condition;
    const { tasks } = this.#options;
    const runId = runIdOf(name, seed);
    if (!this.makes(name)) return runId;
    const taskIds = this.#taskIds.slice((seed - 1) * tasks, seed * tasks);
    if (taskIds.length < tasks) throw new Error(`There are ${this.#taskIds.length} tasks: too few for seed ${seed}.`);
    const others = (await this.store.runs.list()).filter((run) => run.seed === seed && run.finishedAt !== null);
    const reuse = others.map(({ id }) => id).filter((id) => id !== runId);
    const config = configOf(this.#environment, this.#port, models);
    const run = await prepareRun(config, this.store, { ...request, runId, seed, taskIds, reuse });
    const { total } = await this.store.runs.countTasks(runId);
    if (total !== tasks) throw new Error(`${runId} has ${total} tasks, not ${tasks}: take another --out.`);
    if (run.finishedAt !== null) return runId;
    const startedAt = performance.now();
    await launchRun(this.#client, this.store, run);
    const { state, pairs } = (await this.#client.workflow.getHandle(runId).result()) as CampaignResult;
    if (state !== 'finished') throw new Error(`Run ${runId} ended as ${state}.`);
    say(`${runId}: ${pairs} pairs after ${seconds(startedAt)} s`);
    return runId;
  }

  makes(condition: string): boolean {
    return this.#options.only?.includes(condition) ?? true;
  }

  /** Audits a run, or what is left of it. */
  async audit(runId: string): Promise<void> {
    const { audited, rollouts } = this.#options;
    const known = await this.store.findings.audit(runId);
    const run = await prepareAudit(this.store, runId, { rollouts, sample: audited });
    const startedAt = performance.now();
    const { state, total } = await launchAudit(this.#client, this.store, run);
    if (state !== 'finished') throw new Error(`The audit of ${runId} ended as ${state}.`);
    if (!known) say(`${runId}: ${total} actions audited after ${seconds(startedAt)} s`);
  }

  summary(runId: string): Promise<RunSummary> {
    return runSummary(this.store, runId);
  }

  close(): Promise<void> {
    return this.#release();
  }
}

export function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

function seconds(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 1000);
}

function configOf(environment: Environment, port: number, { skill = 0.5, auc = 0.85 }: Partial<Condition>): CruxConfig {
  const role = (model: string, temperature: number) => ({ endpoint: 'simulated', model, temperature, maxTokens: 512 });
  const input: CruxConfigInput = {
    environments: [environment],
    endpoints: { simulated: { baseUrl: `http://127.0.0.1:${port}/v1` } },
    models: {
      policy: role(`sim-policy@skill=${skill}`, 1),
      expert: role('sim-expert@skill=0.9', 1),
      prm: role(`sim-prm@auc=${auc}`, 0),
    },
  };
  return checkConfig(input);
}
