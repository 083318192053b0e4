import { storeLocation } from '../config.ts';
import { CruxError } from '../errors.ts';
import { openStore } from '../store/store.ts';
import type { WorkerBuild } from '../temporal/deployment.ts';
import { agentQueue, workflowQueue } from '../temporal/task-queues.ts';
import type { WorkerRole } from '../worker.ts';
import { onInterrupt } from './interrupt.ts';
import { configOf, type GlobalOptions, homeOf, reachTemporal, say } from './setting.ts';

/** Server and worker, until Ctrl-C. A second one joins the server of the first, and is one more worker. */
export async function up(options: GlobalOptions): Promise<void> {
  await work(options, ['workflow', 'agent'], 'start');
}

export async function worker(
  options: GlobalOptions,
  given: { roles: string[]; deployment?: string; buildId?: string },
): Promise<void> {
  const unknown = given.roles.find((role) => role !== 'workflow' && role !== 'agent');
  if (unknown !== undefined) {
    throw new CruxError('User.Config', `There is no worker role "${unknown}".`, { remedy: 'Roles: workflow, agent.' });
  }
  await work(options, given.roles as WorkerRole[], 'join', buildOf(given));
}

function buildOf({ deployment, buildId }: { deployment?: string; buildId?: string }): WorkerBuild | undefined {
  // Container files leave variables empty that are not set.
  if (deployment && buildId) return { deploymentName: deployment, buildId };
  if (!deployment && !buildId) return undefined;
  throw new CruxError('User.Config', 'A worker with a build needs both the deployment and the build.', {
    remedy: 'Give --deployment and --build-id, or neither.',
  });
}

async function work(
  options: GlobalOptions,
  roles: WorkerRole[],
  embedded: 'start' | 'join',
  build?: WorkerBuild,
): Promise<void> {
  const tell = say(options);
  const config = await configOf(options);
  const store = await openStore(storeLocation(config, homeOf(options)));
  const interrupt = onInterrupt(() =>
    tell('Stopping: calls under way are finished and stored. Ctrl-C again to quit at once.'),
  );
  try {
    const temporal = await reachTemporal(options, embedded, interrupt.signal);
    try {
      if (temporal.source === 'configured' && store.engine === 'sqlite') {
        tell(
          `The store is the file ${store.location}: workers on other machines cannot see it. For several machines, set \`store\` to a Postgres address.`,
        );
      }
      const { startWorker } = await import('../worker.ts');
      const running = await startWorker({ config, store, temporal, roles, build });
      interrupt.signal.addEventListener('abort', () => running.stop());
      tell(`Temporal     ${temporal.address}, namespace ${temporal.namespace}`);
      if (temporal.uiAddress) tell(`Temporal UI  ${temporal.uiAddress}`);
      tell(`Store        ${store.location}`);
      tell(`Task queues  ${roles.map((role) => (role === 'agent' ? agentQueue : workflowQueue)(store.id)).join(', ')}`);
      tell(`Worker       ${roles.join(' + ')}, ready. Start runs with \`crux run\`; stop with Ctrl-C.`);
      if (build) {
        const { deploymentName, buildId } = build;
        tell(
          `Build        ${buildId}; it gets work once \`crux deployment ${deploymentName} --set-current ${buildId}\` was said.`,
        );
      }
      if (interrupt.signal.aborted) running.stop();
      await running.done;
    } finally {
      await temporal.close();
    }
  } finally {
    interrupt.release();
    await store.close();
  }
}
