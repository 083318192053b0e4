import { type CruxConfig, storeLocation } from '../../config/config.ts';
import { CruxError } from '../../errors.ts';
import type { Log, LogFormat, LogLevel } from '../../observe/log.ts';
import { makeLog } from '../../observe/make-log.ts';
import { openStore } from '../../store/store.ts';
import type { WorkerBuild } from '../../temporal/deployment.ts';
import { taskQueue, type WorkerRole, workerRoles } from '../../temporal/task-queues.ts';
import { configOf, type GlobalOptions, homeOf, reachTemporal } from '../setting.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { otherRuns, otherRunsText, takenUpText } from '../terminal/other-runs.ts';
import { printAside } from '../terminal/terminal.ts';

/** Options that are not given come from the configuration. */
type Observed = { metrics?: string; logFormat?: LogFormat; logLevel?: LogLevel };

/** Runs server and worker until Ctrl-C. A second `crux up` joins the server of the first and adds one more worker. */
export async function up(options: GlobalOptions, given: Observed): Promise<void> {
  await work(options, given, [...workerRoles], 'start', 'crux up');
}

export async function worker(
  options: GlobalOptions,
  given: Observed & { roles: string[]; deployment?: string; buildId?: string },
): Promise<void> {
  const unknown = given.roles.find((role) => !workerRoles.some((known) => known === role));
  if (unknown !== undefined) {
    throw new CruxError('User.Config', `There is no worker role "${unknown}".`, {
      remedy: `Roles: ${workerRoles.join(', ')}.`,
    });
  }
  await work(options, given, given.roles as WorkerRole[], 'join', 'crux worker', buildOf(given));
}

function buildOf({ deployment, buildId }: { deployment?: string; buildId?: string }): WorkerBuild | undefined {
  // Container files leave unset variables empty.
  if (deployment && buildId) return { deploymentName: deployment, buildId };
  if (!deployment && !buildId) return undefined;
  throw new CruxError('User.Config', 'A worker with a build needs both the deployment and the build.', {
    remedy: 'Give --deployment and --build-id, or neither.',
  });
}

async function work(
  options: GlobalOptions,
  given: Observed,
  roles: WorkerRole[],
  embedded: 'start' | 'join',
  command: string,
  build?: WorkerBuild,
): Promise<void> {
  const config = await configOf(options);
  const observe: CruxConfig['observe'] = { ...config.observe, ...given };
  const log = makeLog({ format: observe.logFormat, level: observe.logLevel });
  const tell = teller(options, observe.logFormat, log);
  const home = homeOf(options);
  const store = await openStore(storeLocation(config, home));
  const interrupt = onInterrupt(() =>
    tell('Stopping: calls in progress are finished and stored. Ctrl-C again to quit at once.'),
  );
  try {
    const { startTelemetry } = await import('../../observe/telemetry.ts');
    const telemetry = await startTelemetry({ metrics: observe.metrics, log });
    try {
      const temporal = await reachTemporal(options, config, embedded, command, {
        signal: interrupt.signal,
        report: tell,
      });
      try {
        if (temporal.source === 'configured' && store.engine === 'sqlite') {
          tell(
            `The store is the file ${store.location}: workers on other machines cannot see it. For several machines, set \`store\` to a Postgres address.`,
          );
        }
        const { startWorker } = await import('../../worker/worker.ts');
        const { signal } = interrupt;
        const running = await startWorker({
          ...{ config, store, temporal, home, roles, build, log, telemetry, command, signal },
        });
        signal.addEventListener('abort', () => running.stop());
        tell(`Temporal     ${temporal.address}, namespace ${temporal.namespace}`);
        if (temporal.uiAddress) tell(`Temporal UI  ${temporal.uiAddress}`);
        tell(`Store        ${store.location}`);
        tell(`Task queue   ${taskQueue(store.id)}`);
        if (telemetry.metricsAddress) tell(`Metrics      http://${telemetry.metricsAddress}/metrics`);
        tell(`Worker       ${roles.join(' + ')}, ready. Start runs with \`crux run\`; stop with Ctrl-C.`);
        if (build) {
          const { deploymentName, buildId } = build;
          const command = `crux deployment ${deploymentName} --set-current ${buildId}`;
          tell(`Build        ${buildId}; it gets work after \`${command}\`.`);
        }
        const taken = await takenUpText(store, config, null);
        if (taken !== null) tell(taken);
        if (signal.aborted) running.stop();
        await running.done;
        const worked = otherRunsText(otherRuns(running.calls(), null), null);
        if (worked !== null) tell(worked);
      } finally {
        await temporal.close();
      }
    } finally {
      await telemetry.close();
    }
  } finally {
    interrupt.release();
    await store.close();
  }
}

/** Reports progress: as log events if a machine reads the log, otherwise as plain lines. */
function teller({ json, verbose }: GlobalOptions, format: LogFormat, log: Log): (line: string) => void {
  if (format === 'json') return (line) => log('info', line.replace(/\s+/g, ' ').trim());
  return (line) => {
    if (!json || verbose) printAside(line);
  };
}
