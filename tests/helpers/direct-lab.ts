/**
 * Runs without a Temporal server: simulated models over HTTP, a store in a folder of its own, the activities of a worker, and the trajectory workflow of
 * every task, called in this process. It is for what a run finds. How runs are steered, cut short, resumed and replayed needs a server (`Lab`).
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { type Activities, agentActivities } from '../../src/activities/index.ts';
import type { ActivityContext } from '../../src/activities/runtime/context.ts';
import { type CruxConfig, type CruxConfigInput, checkConfig, givenModels } from '../../src/config/config.ts';
import { methodOptions } from '../../src/config/methods/index.ts';
import type { CsoOptions, MethodName } from '../../src/domain/methods/index.ts';
import type { CampaignResult } from '../../src/domain/wire/campaign.ts';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { SessionCache } from '../../src/environments/sessions/session-cache.ts';
import { Gateway } from '../../src/models/gateway.ts';
import { stepAccount } from '../../src/models/limits/step-costs.ts';
import { askModel } from '../../src/models/session-questions.ts';
import { silent } from '../../src/observe/log.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { type Simulation, type SimulationOptions, startSimulation } from '../../src/simulation/server.ts';
import { prepareRun } from '../../src/start/prepare.ts';
import type { RunRequest } from '../../src/start/request.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { quietEnvironment } from '../activities/workplace.ts';
import type { Stage } from './lab.ts';
import { labConfig, sqlFolder } from './lab-config.ts';
import { worlds } from './mazes.ts';
import { outcomeOf } from './outcome.ts';
import { callActivities, trajectory } from './without-server.ts';

export type DirectRequest = Partial<RunRequest> & {
  /** Changes to the lab's configuration, for this run alone. */
  config?: Partial<CruxConfigInput>;
};

export type DirectRun = { id: string; result(): Promise<CampaignResult> };

export type DirectOptions = Partial<SimulationOptions> & {
  /** Whether there is the environment `sql-demo` beside the mazes. */
  sql?: boolean;
  /** Changes to the worker's configuration. */
  worker?: (url: string) => Partial<CruxConfigInput>;
  /** Module that exports `environments` and `worlds` to use instead of the usual ones. */
  stage?: string;
  /** How long activities play out before they hand their work over. Default: they never do. */
  yieldAfterMs?: number;
};

export class DirectLab {
  readonly home: string;
  readonly store: Store;
  readonly simulation: Simulation;
  readonly #stage: Stage | null;
  readonly #context: ActivityContext;
  readonly #activities: Activities;
  readonly #made: { request: DirectRequest; id: Promise<string> }[] = [];
  #runs = 0;
  /** How often an activity was repeated. */
  repeats = 0;

  private constructor(
    home: string,
    store: Store,
    simulation: Simulation,
    stage: Stage | null,
    worker: DirectOptions['worker'],
    yieldAfterMs: number,
  ) {
    this.home = home;
    this.store = store;
    this.simulation = simulation;
    this.#stage = stage;
    const config = this.config(worker?.(`${simulation.url}/v1`));
    const environments = new EnvironmentRegistry(config.environments);
    const gateway = new Gateway(store, config.endpoints, undefined, givenModels(config));
    this.#context = {
      store,
      config,
      environments,
      sessions: new SessionCache(store.tree, environments, { ask: askModel(gateway), account: stepAccount(store) }),
      gateway,
      home: '/nonexistent',
      log: silent,
      holderQueue: null,
      stopping: new AbortController().signal,
      closing: new AbortController().signal,
      yieldAfterMs,
    };
    this.#activities = asTemporalCalls(agentActivities(this.#context), () => this.repeats++);
  }

  static async open({
    sql = false,
    worker,
    stage,
    yieldAfterMs = Number.POSITIVE_INFINITY,
    ...simulation
  }: DirectOptions = {}): Promise<DirectLab> {
    const home = await mkdtemp(join(tmpdir(), 'crux-lab-'));
    const folder = sqlFolder(home);
    if (sql) await writeDemoDataset(folder);
    const staged = stage === undefined ? null : ((await import(stage)) as Stage);
    const known = staged?.worlds ?? [...worlds(), ...(sql ? await simulationFromDataset(folder) : [])];
    const models = await startSimulation({ seed: 1, worlds: known, ...simulation });
    return new DirectLab(home, await openStore(join(home, 'crux.db')), models, staged, worker, yieldAfterMs);
  }

  config(changes: Partial<CruxConfigInput> = {}): CruxConfig {
    const staged = this.#stage && { environments: this.#stage.environments };
    return checkConfig({ ...labConfig(this.home, this.simulation.url), ...staged, ...changes });
  }

  /** Starts a run, in five mazes unless it says otherwise. One lab at a time can have runs in progress. */
  async start({ config = {}, ...wanted }: DirectRequest = {}): Promise<DirectRun> {
    const {
      id,
      config: { method },
    } = await prepareRun(this.config(config), this.store, {
      method: 'cso',
      environment: 'maze',
      limit: 5,
      runId: `run-${++this.#runs}-${this.store.id}`,
      ...wanted,
    });
    callActivities(this.#activities);
    const ended = this.#work(id, method);
    // Whoever asks for the result gets the failure; it must not end the process before.
    ended.catch(() => {});
    return { id, result: () => ended };
  }

  /**
   * Makes a run to its end, once for a request: who asks for the same again is told of the same run.
   * @returns its id
   * @throws Error when it ended otherwise than finished
   */
  made(request: DirectRequest = {}): Promise<string> {
    const known = this.#made.find((one) => isDeepStrictEqual(one.request, request));
    if (known) return known.id;
    const id = this.#finished(request);
    this.#made.push({ request, id });
    return id;
  }

  async #finished(request: DirectRequest): Promise<string> {
    const run = await this.start(request);
    const { state } = await run.result();
    if (state !== 'finished') throw new Error(`Run ${run.id} ended as ${state}.`);
    return run.id;
  }

  /** Makes a run. @returns what it came to */
  async outcome(request: DirectRequest = {}): Promise<string> {
    const run = await this.start(request);
    await run.result();
    return outcomeOf(this.store, run.id);
  }

  async #work(runId: string, method: MethodName): Promise<CampaignResult> {
    const tasks = await this.store.runs.tasks(runId);
    const results = await Promise.all(
      tasks.map(({ position }) => trajectory({ runId, position, method, campaignId: null })),
    );
    const isCutShort = results.some(({ stoppedBy }) => stoppedBy === 'budget');
    const { state, ...counts } = await this.#activities.finishRun({ runId, state: isCutShort ? 'budget' : 'finished' });
    return { ...counts, state: state! };
  }

  /** How a run without any options verifies. */
  verification(): CsoOptions['verification'] {
    return methodOptions('cso', this.config(), 'published').verification;
  }

  async close(): Promise<void> {
    await this.#context.gateway.idle();
    this.#context.gateway.endCalls();
    await this.#context.sessions.close();
    await this.#context.environments.close();
    await this.simulation.close();
    await this.store.close();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Activities as a worker runs them, again after a failure that Temporal would repeat them for. */
function asTemporalCalls(activities: ReturnType<typeof agentActivities>, onRepeat: () => void): Activities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      (input: unknown) => repeated(activity as never, input, onRepeat),
    ]),
  ) as unknown as Activities;
}

async function repeated<Input, Output>(
  activity: (input: Input) => Promise<Output>,
  input: Input,
  onRepeat: () => void,
): Promise<Output> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await quietEnvironment({ attempt }).run(activity, input);
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.nonRetryable) throw error;
      // Others go on meanwhile: this one may wait for what they do.
      onRepeat();
      await sleep(20);
    }
  }
}
