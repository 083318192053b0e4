/** The worker entry: a process that runs workflows, activities, or both, for one store. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { metrics } from '@opentelemetry/api';
import {
  DefaultLogger,
  IllegalStateError,
  type LogEntry,
  Runtime,
  Worker,
  type WorkerDeploymentOptions,
} from '@temporalio/worker';
import { agentActivities, roundActivities, trainingActivities } from '../activities/index.ts';
import type { ActivityContext } from '../activities/runtime/context.ts';
import { type CruxConfig, cruxHome, givenModels } from '../config/config.ts';
import { trainingQueue } from '../domain/improve/training-queue.ts';
import { isCostly } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { SessionCache } from '../environments/sessions/session-cache.ts';
import { isStoreAway } from '../errors.ts';
import { CallObserver } from '../models/call-observer.ts';
import { Gateway } from '../models/gateway.ts';
import { stepAccount } from '../models/limits/step-costs.ts';
import { askModel } from '../models/session-questions.ts';
import { activitySpans } from '../observe/activity-spans.ts';
import { makeInstruments } from '../observe/instruments.ts';
import { type Log, silent } from '../observe/log.ts';
import { placeOfWorkflow } from '../observe/place.ts';
import type { Telemetry } from '../observe/telemetry.ts';
import type { Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import type { WorkerBuild } from '../temporal/deployment.ts';
import { ownPlace } from '../temporal/process-identity.ts';
import { holderQueue, taskQueue, type WorkerRole } from '../temporal/task-queues.ts';
import { releaseLeft } from '../training/servers/supervised.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { observeWorker } from './gauges.ts';
import { limitHeapGrowth } from './heap-growth.ts';
import { workflowCode } from './workflow-code.ts';

export type WorkerOptions = {
  config: CruxConfig;
  store: Store;
  temporal: Pick<TemporalConnection, 'nativeConnection' | 'namespace'> &
    Partial<Pick<TemporalConnection, 'dataConverter'>>;
  roles: WorkerRole[];
  /** Folder of all state, for models and their trainings. Default: `CRUX_HOME`, else `.crux`. */
  home?: string;
  /** The command that it belongs to, for `crux status`; null for none. */
  command?: string | null;
  /** Stops the start: nothing is left running then. */
  signal?: AbortSignal;
  /** The worker deployment and build that it belongs to. Default: none, and any worker takes any work. */
  build?: WorkerBuild | undefined;
  /** Where events go; default: nowhere. Events of Temporal's SDK go where the first worker of the process sends its own. */
  log?: Log;
  /** Default: the metrics of the program's own OpenTelemetry, if it has set that up. */
  telemetry?: Pick<Telemetry, 'instruments' | 'sdkMetrics'>;
  /** How long an activity plays out before any worker may take it up, in milliseconds. Default: ten minutes. */
  yieldAfterMs?: number;
};

export type RunningWorker = {
  /** Its id in the store. */
  id: string;
  /** Model calls that it has paid for so far, by run. */
  calls(): ReadonlyMap<string, number>;
  /** Resolves when the worker has stopped, rejects if it broke. */
  done: Promise<void>;
  /** Takes no more work. Calls in progress are finished and journaled; rollouts give up at their next step. */
  stop(): void;
  /** Removes it from the living workers of the store. Its end does this too. */
  leave(): Promise<void>;
};

/** Calls in progress may finish for this long after `stop`. */
const graceMs = 20_000;
const announceEveryMs = 20_000;
const idleMs = 10_000;
const yieldAfterMs = 600_000;

let runtimeInstalled = false;

/**
 * Starts a worker. When this returns, the worker has registered at Temporal, and in the store if that can be written.
 * @throws the signal's reason
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, store, temporal, roles, build, signal, log = silent } = options;
  const { instruments, sdkMetrics } = options.telemetry ?? { instruments: makeInstruments(metrics.getMeter('crux')) };
  limitHeapGrowth();
  // Before the connection: creating one fixes the runtime of the process.
  installRuntime(options.log, sdkMetrics);
  const connection = await unlessAborted(temporal.nativeConnection(), signal);
  const environments = new EnvironmentRegistry(config.environments);
  const gateway = new Gateway(store, config.endpoints, new CallObserver(instruments, log), givenModels(config));
  const sessions = new SessionCache(store.tree, environments, {
    ...{ instruments, log },
    ask: askModel(gateway),
    account: stepAccount(store),
  });
  const stopping = new AbortController();
  const id = randomUUID();
  const hasCostly = config.environments.some(isCostly);
  const context: ActivityContext = {
    store,
    config,
    environments,
    sessions,
    gateway,
    home: options.home ?? cruxHome(),
    log,
    holderQueue: hasCostly ? holderQueue(store.id, id) : null,
    stopping: stopping.signal,
    closing: stopping.signal,
    yieldAfterMs: options.yieldAfterMs ?? yieldAfterMs,
  };

  const shared = {
    connection,
    namespace: temporal.namespace,
    dataConverter: temporal.dataConverter,
    shutdownGraceTime: graceMs,
    shutdownForceTime: graceMs + 10_000,
    // A third of the heartbeat timeout (workflows/proxies.ts). It also bounds how late a cancellation is noticed.
    maxHeartbeatThrottleInterval: '4s' as const,
    defaultHeartbeatThrottleInterval: '4s' as const,
  };
  const acting = roles.includes('agent') && {
    activities: { ...agentActivities(context), ...roundActivities(context) },
    maxConcurrentActivityTaskExecutions: 400,
    interceptors: { activity: [activitySpans] },
  };
  const deciding = roles.includes('workflow') && {
    workflowBundle: await unlessAborted(workflowCode(temporal.dataConverter?.failureConverterPath), signal),
    // About 2 MB each, measured; more would only trade memory for replays.
    maxCachedWorkflows: 600,
    maxConcurrentWorkflowTaskExecutions: 40,
  };
  const workers = [
    await Worker.create({
      ...shared,
      ...(build && { workerDeploymentOptions: deploymentOptions(build) }),
      taskQueue: taskQueue(store.id),
      ...deciding,
      ...acting,
    }),
  ];
  if (roles.includes('train')) {
    const activities = trainingActivities(context);
    const taskQueueName = trainingQueue(taskQueue(store.id));
    workers.push(await Worker.create({ ...shared, activities, taskQueue: taskQueueName }));
  }
  if (acting && context.holderQueue !== null) {
    // Without a build: the queue belongs to this process alone, and no other build could ever serve it.
    workers.push(await Worker.create({ ...shared, ...acting, taskQueue: context.holderQueue }));
  }

  const startedAt = Date.now();
  const announce = () =>
    store.workers.announce({
      id,
      host: hostname(),
      command: options.command ?? null,
      process: ownPlace(),
      startedAt,
      roles,
      environments: environments.names,
      endpoints: Object.keys(config.endpoints),
    });
  // The next announcement makes up for a missed one, even for the first: work starts as soon as the store is well again.
  await announce().catch((error: unknown) => {
    if (!isStoreAway(error)) throw error;
    log('warn', 'the store cannot be written now', { error });
  });
  const announcing = setInterval(() => void announce().catch(() => {}), announceEveryMs);
  /** A worker that stops does not count as living, however long its last calls take. */
  const leave = () => {
    clearInterval(announcing);
    return store.workers.dismiss(id).catch(() => {});
  };
  const { namespace } = temporal;
  const stopObserving = observeWorker(instruments, { gateway, sessions, connection, namespace, storeId: store.id });
  log('info', 'worker started', { worker: id, roles, store: store.id });

  if (roles.includes('train')) {
    // Work begins meanwhile: a server may take its time to end.
    releaseLeft(context, stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) log('warn', 'a server of an improvement that is over may still run', { error });
    });
  }

  const done = (async () => {
    try {
      await Promise.all(
        workers.map(async (worker) => {
          try {
            await worker.run();
          } finally {
            for (const other of workers) stopWorker(other);
          }
        }),
      );
    } finally {
      stopObserving();
      await leave();
      // A last chance for calls that were sent, and for paid answers that the store could not take yet.
      await Promise.race([gateway.idle(), delay(idleMs, undefined, { ref: false })]);
      gateway.endCalls();
      await sessions.close();
      await environments.close();
      log('info', 'worker stopped', { worker: id });
    }
  })();
  // If `done` is awaited only later, an early failure must not have ended the process.
  done.catch(() => {});
  return {
    id,
    calls: () => gateway.paidCalls(),
    done,
    stop: () => {
      stopping.abort();
      for (const worker of workers) stopWorker(worker);
      void leave();
    },
    leave,
  };
}

/** A workflow moves to a new build unless it says that it stays with its own (workflows/index.ts). */
function deploymentOptions(version: WorkerBuild): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'AUTO_UPGRADE' };
}

function stopWorker(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** A program that has its own runtime, for its own workers, keeps it. */
function installRuntime(log: WorkerOptions['log'], sdkMetrics: Telemetry['sdkMetrics']): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  try {
    Runtime.install({
      logger: new DefaultLogger(log ? 'INFO' : 'ERROR', log ? (entry) => logOfSdk(log, entry) : () => {}),
      // The command handles signals: the first one stops, a second one quits.
      shutdownSignals: [],
      telemetryOptions: {
        logging: { filter: 'temporalio_sdk_core=WARN,temporal_client=WARN', forward: {} },
        metrics: sdkMetrics,
      },
    });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}

const levels = { TRACE: 'debug', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Messages of Temporal's SDK and of workflows, with the place that their workflow id names. */
function logOfSdk(log: Log, { level, message, meta }: LogEntry): void {
  const { workflowId, activityType, attempt, runId: temporalRun, error, sdkComponent } = meta ?? {};
  const place = typeof workflowId === 'string' ? placeOfWorkflow(workflowId) : {};
  const fields = { ...place, activity: activityType, attempt, workflowId, temporalRun, sdkComponent, error };
  log(levels[level], message, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
}
