/** A whole Crux for a test: simulated models over HTTP, a store in a folder of its own, workers, and runs. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { type CruxConfig, type CruxConfigInput, checkConfig } from '../../src/config/config.ts';
import { methodOptions } from '../../src/config/methods/index.ts';
import type { CsoOptions } from '../../src/domain/methods/index.ts';
import type { CampaignInput } from '../../src/domain/wire/campaign.ts';
import type { Environment } from '../../src/environments/contract.ts';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import type { LogEntry } from '../../src/simulation/request-log.ts';
import { type Simulation, type SimulationOptions, startSimulation } from '../../src/simulation/server.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { type StartedRun, startedRun } from '../../src/start/connect.ts';
import { launchRun } from '../../src/start/launch.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import type { RunRequest } from '../../src/start/request.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { WorkerBuild } from '../../src/temporal/deployment.ts';
import { taskQueue, type WorkerRole } from '../../src/temporal/task-queues.ts';
import { type RunningWorker, startWorker } from '../../src/worker/worker.ts';
import { cruxRun } from '../../src/workflows/search-attributes.ts';
import { connectionTo } from './connection.ts';
import { labConfig, sqlFolder } from './lab-config.ts';
import { worlds } from './mazes.ts';
import { outcomeOf } from './outcome.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

export { outcomeOf } from './outcome.ts';

export type LabRun = StartedRun & { handle: WorkflowHandle };

export type LabRequest = Partial<RunRequest> & {
  /** Changes to the lab's configuration, for this run alone. */
  config?: Partial<CruxConfigInput>;
  /** Makes what takes long in earnest happen in a test. */
  limits?: Pick<CampaignInput, 'historyLimit' | 'settleEveryMs'>;
};

export type LabOptions = Partial<SimulationOptions> & {
  /** host:port of the Temporal server: `inject('temporal').address` for the test run's shared one. */
  address: string;
  /** Whether there is the environment `sql-demo` beside the mazes. */
  sql?: boolean;
  /** Folder to use, which is made and goes when the lab is closed. Default: a new one. */
  home?: string;
  /** How long one model call may take. Default: that of the configuration. */
  callTimeoutMs?: number;
  /** Most calls at once to the simulated models. Default: that of the configuration. */
  concurrency?: number;
  /** How long activities of workers in this process play out before they hand their work over. Default: as in earnest. */
  yieldAfterMs?: number;
  /** Module that exports `environments` and `worlds` to use instead of the usual ones, in all processes. */
  stage?: string;
};

/** What a module of `LabOptions.stage` exports. */
export type Stage = { environments: Environment[]; worlds: SimulatedWorld[] };

export class Lab {
  readonly home: string;
  readonly address: string;
  readonly store: Store;
  readonly client: Client;
  readonly #options: LabOptions;
  readonly #stage: Stage | null;
  readonly #startModels: (port?: number) => Promise<Simulation>;
  #simulation: Simulation;
  readonly #connection: Connection;
  #nativeConnection: Promise<NativeConnection> | null = null;
  readonly #workers = new Set<RunningWorker>();
  readonly #processes = new Set<WorkerProcess>();
  #runs = 0;

  private constructor(
    options: LabOptions & { home: string },
    stage: Stage | null,
    store: Store,
    connection: Connection,
    startModels: (port?: number) => Promise<Simulation>,
    simulation: Simulation,
  ) {
    this.home = options.home;
    this.address = options.address;
    this.store = store;
    this.client = new Client({ connection });
    this.#options = options;
    this.#stage = stage;
    this.#connection = connection;
    this.#startModels = startModels;
    this.#simulation = simulation;
  }

  static async open(options: LabOptions): Promise<Lab> {
    const {
      address,
      sql = false,
      home: given,
      callTimeoutMs: _,
      concurrency: __,
      yieldAfterMs: ___,
      stage,
      ...simulation
    } = options;
    const home = given ?? (await mkdtemp(join(tmpdir(), 'crux-lab-')));
    const store = await openStore(join(home, 'crux.db'));
    const connection = await connectionTo(address);
    const folder = sqlFolder(home);
    if (sql) await writeDemoDataset(folder);
    const staged = stage === undefined ? null : ((await import(stage)) as Stage);
    const known = staged?.worlds ?? [...worlds(), ...(sql ? await simulationFromDataset(folder) : [])];
    const startModels = (port = simulation.port) =>
      startSimulation({ seed: 1, worlds: known, ...simulation, ...(port && { port }) });
    return new Lab({ ...options, home }, staged, store, connection, startModels, await startModels());
  }

  get simulation(): Simulation {
    return this.#simulation;
  }

  /** Ends the simulated models with the calls under way, and starts them again at the same address. */
  async restartModels(awayMs: number): Promise<void> {
    const { port } = this.#simulation;
    await this.#simulation.close();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    this.#simulation = await this.#startModels(port);
  }

  config(changes: Partial<CruxConfigInput> = {}): CruxConfig {
    const { callTimeoutMs, concurrency } = this.#options;
    const staged = this.#stage && { environments: this.#stage.environments };
    return checkConfig({
      ...labConfig(this.home, this.simulation.url, { callTimeoutMs, concurrency }),
      ...staged,
      ...changes,
    });
  }

  /** Starts a worker in this process. */
  async work(
    changes: Partial<CruxConfigInput> = {},
    roles: WorkerRole[] = ['workflow', 'agent'],
    build?: WorkerBuild,
  ): Promise<RunningWorker> {
    const temporal = { nativeConnection: () => this.#connectNatively(), namespace: 'default' };
    const { yieldAfterMs } = this.#options;
    const parts = {
      store: this.store,
      home: this.home,
      temporal,
      roles,
      build,
      ...(yieldAfterMs !== undefined && { yieldAfterMs }),
    };
    const worker = await startWorker({ config: this.config(changes), ...parts });
    this.#workers.add(worker);
    return worker;
  }

  /** Starts a worker in a process of its own. */
  async workApart(): Promise<WorkerProcess> {
    const process = await startWorkerProcess({
      home: this.home,
      address: this.address,
      simulationUrl: this.simulation.url,
      callTimeoutMs: this.#options.callTimeoutMs,
      concurrency: this.#options.concurrency,
      stage: this.#options.stage,
    });
    this.#processes.add(process);
    return process;
  }

  /** Starts a run in five mazes. Run ids are workflow ids, and the server is shared: they contain the store's id. */
  async start(request: LabRequest = {}): Promise<LabRun> {
    const { config = {}, limits, ...wanted } = request;
    const run = await prepareRun(this.config(config), this.store, {
      method: 'cso',
      environment: 'maze',
      limit: 5,
      runId: `run-${++this.#runs}-${this.store.id}`,
      ...wanted,
    });
    if (limits) {
      const input: CampaignInput = { runId: run.id, method: run.config.method, window: run.config.window, ...limits };
      await this.client.workflow.start('campaign', {
        workflowId: run.id,
        taskQueue: taskQueue(this.store.id),
        args: [input],
        typedSearchAttributes: [{ key: cruxRun, value: run.id }],
      });
    } else await launchRun(this.client, this.store, run);
    return { ...startedRun(this.client, run.id), handle: this.client.workflow.getHandle(run.id) };
  }

  /** Starts a run, waits for its end. @returns what it came to */
  async outcome(request: LabRequest = {}): Promise<string> {
    const run = await this.start(request);
    await run.result();
    return outcomeOf(this.store, run.id);
  }

  /** How a run without any options verifies. */
  verification(): CsoOptions['verification'] {
    return methodOptions('cso', this.config(), 'published').verification;
  }

  /** Keys of the answers in a run's journal. */
  async journaledKeys(runId: string): Promise<Set<string>> {
    const rows = await this.store.database.kysely
      .selectFrom('answers')
      .select('key')
      .where('run_id', '=', runId)
      .execute();
    return new Set(rows.map(({ key }) => key));
  }

  /** Keys of all requests that the simulated models got so far, in the order in which they were over. */
  async requestedKeys(): Promise<string[]> {
    return (await this.requests()).map(({ key }) => key);
  }

  /** All requests that the simulated models got so far, in the order in which they were over. */
  async requests(): Promise<LogEntry[]> {
    const log = await (await fetch(`${this.simulation.url}/log`)).text();
    return log
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogEntry);
  }

  /** Answers in a run's journal. */
  async countAnswers(runId: string): Promise<number> {
    const query = this.store.database.kysely
      .selectFrom('answers')
      .select(({ fn }) => fn.countAll<number>().as('count'));
    return Number((await query.where('run_id', '=', runId).executeTakeFirstOrThrow()).count);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process.end('SIGKILL')));
    for (const worker of this.#workers) worker.stop();
    await Promise.all([...this.#workers].map((worker) => worker.done));
    await (await this.#nativeConnection)?.close();
    await this.#connection.close();
    await this.simulation.close();
    await this.store.close();
    await rm(this.home, { recursive: true, force: true });
  }

  /** Not before the first worker, which fixes the process's runtime. */
  #connectNatively(): Promise<NativeConnection> {
    this.#nativeConnection ??= NativeConnection.connect({ address: this.address, grpcCompression: { codec: 'none' } });
    return this.#nativeConnection;
  }
}

/** Waits until something holds, looking every 20 ms. @throws Error after `forMs`, which is for what never comes: a busy machine takes its time */
export async function until(what: string, holds: () => Promise<boolean> | boolean, forMs = 300_000): Promise<void> {
  for (const giveUpAt = Date.now() + forMs; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (Date.now() > giveUpAt) throw new Error(`Waited ${forMs} ms in vain for: ${what}.`);
  }
}
