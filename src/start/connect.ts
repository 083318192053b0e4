/** Crux from a script: `const crux = await connect(); const run = await crux.start(cso(), { split: 'train' });` */
import type { Client } from '@temporalio/client';
import { type CruxConfigInput, checkConfig, cruxHome, loadConfig, storeLocation } from '../config/config.ts';
import type { CeilingChanges } from '../domain/run/ceilings.ts';
import type { AuditResult } from '../domain/wire/audit.ts';
import type { CampaignProgress, CampaignResult } from '../domain/wire/campaign.ts';
import type { ImproveProgress, ImproveResult } from '../domain/wire/improve.ts';
import type { Run } from '../store/runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { order } from '../temporal/order.ts';
import { workerRoles } from '../temporal/task-queues.ts';
import { type AuditRequest, launchAudit, prepareAudit } from './audits.ts';
import { unlessBlocked, usualPatienceMs } from './blocked-run.ts';
import { retuneImprovement } from './improvement-ceilings.ts';
import { type ImproveRequest, launchImprovement, prepareImprovement } from './improvements.ts';
import { launchRun, retuneRun } from './launch.ts';
import { prepareRun } from './prepare.ts';
import type { RunRequest } from './request.ts';
import { type RunOrder, steerRun, told } from './steer-run.ts';

export type ConnectOptions = {
  /** Path of the configuration, or the configuration itself. Default `crux.config.ts`. */
  config?: string | CruxConfigInput;
  /** Folder of all state. Default: `CRUX_HOME`, else `.crux`. */
  home?: string;
  /** Gets a line for each thing that happens while a Temporal server is found and started. */
  report?: (line: string) => void;
};

export type ResultOptions = {
  /** How long to wait for a blocked run, in milliseconds. Default a minute (`CRUX_BLOCKED_PATIENCE`); `Infinity` waits until the user has acted. */
  blockedPatienceMs?: number;
};

export type StartedRun = {
  id: string;
  progress(): Promise<CampaignProgress>;
  /**
   * Waits for the end of the run.
   * @throws CruxError `Run.Blocked` if the run has been blocked for a minute: it continues only after the user has acted. `result` can be called
   *   again
   */
  result(options?: ResultOptions): Promise<CampaignResult>;
  /** Written to the store: it holds although no worker lives. @throws CruxError `User.NotFound`, `User.Config` for a run that is over */
  pause(): Promise<void>;
  /** The same. It starts the campaign again if there is none. */
  resume(): Promise<void>;
  cancel(): Promise<void>;
  /**
   * Replaces the run's own ceilings, and those of tasks and steps if they are given. A run that stopped for its budget continues with its remaining
   * tasks.
   */
  retune(ceilings: CeilingChanges): Promise<void>;
};

export type StartedImprovement = {
  id: string;
  progress(): Promise<ImproveProgress>;
  /** Waits for its end. `improvementView` of the store reads what came of it. */
  result(): Promise<ImproveResult>;
  /** No new call and no new phase begins; a training in progress goes on to its end. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  cancel(): Promise<void>;
  /** Replaces the ceilings of the whole, and those of tasks and steps if they are given. One that a ceiling ended goes on. */
  retune(ceilings: CeilingChanges): Promise<void>;
};

export type Crux = {
  store: Store;
  client: Client;
  /** URL of the Temporal UI; null if the server is not Crux's own. */
  uiAddress: string | null;
  /** Starts a run, or takes up the one of this id. It needs a worker: `crux up`, `crux worker`, or `work()`. */
  start(
    method: Pick<RunRequest, 'method' | 'options'>,
    request?: Omit<RunRequest, 'method' | 'options'>,
  ): Promise<StartedRun>;
  /** A run that was started before. */
  run(id: string): StartedRun;
  /**
   * Starts an improvement, or takes up the one of this id. It needs a worker that also trains: `crux up`, `crux worker --roles train`, or `work()`.
   */
  improve(request?: ImproveRequest): Promise<StartedImprovement>;
  /** An improvement that was started before. */
  improvement(id: string): StartedImprovement;
  /**
   * Rolls the actions of a finished run out again, and waits for the end. `auditView` reads the results. It needs a worker.
   * @throws CruxError `User.Config`, `User.NotFound`, and `Run.Blocked` like `result` of a run
   */
  audit(runId: string, request?: AuditRequest): Promise<AuditResult>;
  /** Runs a worker in this process until the returned function is called. */
  work(): Promise<() => Promise<void>>;
  close(): Promise<void>;
};

/**
 * Opens store and Temporal. Starts the embedded server if no other is configured.
 * @throws CruxError
 */
export async function connect(options: ConnectOptions = {}): Promise<Crux> {
  usualPatienceMs();
  const home = options.home ?? cruxHome();
  const config =
    typeof options.config === 'object'
      ? checkConfig(options.config)
      : await loadConfig(options.config ?? 'crux.config.ts');
  const store = await openStore(storeLocation(config, home));
  const { connectTemporal } = await import('../temporal/connection.ts');
  const temporal = await connectTemporal({
    home,
    report: options.report ?? (() => {}),
    embedded: 'start',
    codecKeyEnv: config.temporal.codecKeyEnv,
  }).catch(async (error) => {
    await store.close();
    throw error;
  });
  const { client } = temporal;
  const steer = async (id: string, what: RunOrder) => {
    await steerRun(store, id, what, async (run, isServed) => {
      const isTold = await told(client, () => passOn(client, store, run, what, isServed));
      return isTold && isServed;
    });
  };
  const ownRun = (id: string): StartedRun => ({
    ...startedRun(client, id),
    pause: () => steer(id, 'pause'),
    resume: () => steer(id, 'resume'),
    cancel: () => steer(id, 'cancel'),
    result: ({ blockedPatienceMs } = {}) =>
      unlessBlocked({ client, store }, id, () => startedRun(client, id).result(), blockedPatienceMs),
    // Works even if the campaign is over: the store knows what is left to do.
    retune: (ceilings) => retuneRun(client, store, id, ceilings),
  });
  return {
    store,
    client,
    uiAddress: temporal.uiAddress,
    start: async (method, request = {}) => {
      const run = await prepareRun(config, store, { ...request, ...method });
      await launchRun(client, store, run);
      return ownRun(run.id);
    },
    run: ownRun,
    improve: async (request = {}) => {
      const improvement = await prepareImprovement(config, store, request);
      await launchImprovement(client, store, improvement);
      return startedImprovement(client, store, improvement.id);
    },
    improvement: (id) => startedImprovement(client, store, id),
    audit: async (runId, request) => {
      const run = await prepareAudit(store, runId, request);
      return unlessBlocked({ client, store }, runId, () => launchAudit(client, store, run));
    },
    work: async () => {
      const { startWorker } = await import('../worker/worker.ts');
      const worker = await startWorker({ config, store, temporal, home, roles: [...workerRoles] });
      return async () => {
        worker.stop();
        await worker.done;
      };
    },
    close: async () => {
      await temporal.close();
      await store.close();
    },
  };
}

/** Gives an order, which the store has already, to the campaign of a run. @param isServed whether a worker lives that carries it out */
export async function passOn(client: Client, store: Store, run: Run, what: RunOrder, isServed: boolean): Promise<void> {
  if (what === 'resume') await launchRun(client, store, run);
  if (isServed) await startedRun(client, run.id)[what]();
}

/** Refers to messages by name, so that no workflow code is loaded here. */
export function startedRun(client: Client, id: string): StartedRun {
  const handle = client.workflow.getHandle(id);
  return {
    id,
    progress: () => handle.query('progress'),
    result: () => handle.result() as Promise<CampaignResult>,
    pause: () => order(handle, 'pause'),
    resume: () => order(handle, 'resume'),
    cancel: () => order(handle, 'cancel'),
    retune: (ceilings) => order(handle, 'retune', [ceilings]),
  };
}

function startedImprovement(client: Client, store: Store, id: string): StartedImprovement {
  const handle = client.workflow.getHandle(id);
  return {
    id,
    progress: () => handle.query('progress'),
    result: () => handle.result() as Promise<ImproveResult>,
    pause: () => order(handle, 'pause'),
    resume: () => order(handle, 'resume'),
    cancel: () => order(handle, 'cancel'),
    retune: async (ceilings) => {
      await retuneImprovement({ store, client }, id, ceilings);
      const { state } = await store.improvements.get(id);
      if (state === 'budget') await launchImprovement(client, store, await store.improvements.get(id));
    },
  };
}
