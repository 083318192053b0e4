/**
 * Worker deployments: Temporal's way to change code while work is running. Each worker names its build. New work goes to the current build, and a
 * trajectory stays with the build that began it (workflows/index.ts).
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { CruxError, errorText } from '../errors.ts';
import { type SharingRole, sharingRoles, taskTypes } from './task-queues.ts';

/** The deployment and build of a worker. */
export type WorkerBuild = {
  /** Name of the worker deployment: all workers that do the same work, whatever their code. */
  deploymentName: string;
  /** The version of their code: a release, a commit. */
  buildId: string;
};

/**
 * `created`: has workers, never had work. `current`: gets new work. `ramping`: gets a share of it. `draining`: finishes what it began. `drained`: has
 * nothing left, its workers may be stopped. `inactive`: gets no work, and none is known to be left.
 */
export type BuildStatus = 'created' | 'inactive' | 'current' | 'ramping' | 'draining' | 'drained' | 'unknown';

export type ServedQueue = { name: string; roles: SharingRole[] };

export type DeployedBuild = {
  buildId: string;
  status: BuildStatus;
  /** Share of new work in per cent while it ramps up; otherwise null. */
  rampPercentage: number | null;
  /** Task queues from which workers of this build have asked for work, and for what kind of work. */
  taskQueues: ServedQueue[];
};

/** Temporal, and the namespace of the deployment. */
export type DeploymentPlace = { connection: Pick<Connection, 'workflowService'>; namespace: string };

/** Temporal's own name for workers without a build. */
export const unversioned = '__unversioned__';

/** The server learns of a new worker some seconds after its start. */
const registrationMs = 60_000;
const lookEveryMs = 500;

/** Numbers of Temporal's enum WorkerDeploymentVersionStatus. */
const statuses: { [status: number]: BuildStatus } = {
  1: 'inactive',
  2: 'current',
  3: 'ramping',
  4: 'draining',
  5: 'drained',
  6: 'created',
};

/** Builds of a deployment, the newest first. @throws CruxError `User.NotFound` if no worker ever belonged to it */
export async function describeDeployment(place: DeploymentPlace, deploymentName: string): Promise<DeployedBuild[]> {
  const { connection, namespace } = place;
  const { workerDeploymentInfo: info } = await connection.workflowService
    .describeWorkerDeployment({ namespace, deploymentName })
    .catch((error: unknown) => {
      throw refusal(error, `There is no worker deployment "${deploymentName}" in the namespace "${namespace}"`);
    });
  const { rampingDeploymentVersion: ramping, rampingVersionPercentage } = info?.routingConfig ?? {};
  const summaries = (info?.versionSummaries ?? []).toSorted(
    (one, other) => Number(other.createTime?.seconds ?? 0) - Number(one.createTime?.seconds ?? 0),
  );
  return Promise.all(
    summaries.map(async ({ deploymentVersion, status }) => {
      const buildId = deploymentVersion?.buildId ?? '';
      return {
        buildId,
        status: statuses[status ?? 0] ?? 'unknown',
        rampPercentage: buildId === ramping?.buildId ? (rampingVersionPercentage ?? null) : null,
        taskQueues: await taskQueuesOf(place, { deploymentName, buildId }),
      };
    }),
  );
}

/**
 * Routes new work to a build, or with `unversioned` to workers without one. Waits until workers of the build have both roles.
 * @param taskQueue which the build's workers must serve: if a build lacked a role, half of the work would not be done
 * @throws CruxError `User.NotFound` if no such worker appears within a minute, `Temporal.Unavailable` if the server refuses
 */
export async function setCurrentBuild(
  place: DeploymentPlace,
  { deploymentName, buildId }: WorkerBuild,
  taskQueue: string,
): Promise<void> {
  if (buildId !== unversioned) await untilServed(place, { deploymentName, buildId }, taskQueue);
  const { connection, namespace } = place;
  await connection.workflowService
    .setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName,
      buildId: buildId === unversioned ? '' : buildId,
      allowNoPollers: buildId === unversioned,
    })
    .catch((error: unknown) => {
      throw refusal(error, `Build "${buildId}" of "${deploymentName}" cannot be made current`);
    });
}

/** Routes a share of new work to a build, the rest to the current one; 0 ends that. See `setCurrentBuild`. */
export async function rampBuild(
  place: DeploymentPlace,
  { deploymentName, buildId }: WorkerBuild,
  percentage: number,
  taskQueue: string,
): Promise<void> {
  await untilServed(place, { deploymentName, buildId }, taskQueue);
  const { connection, namespace } = place;
  await connection.workflowService
    .setWorkerDeploymentRampingVersion({
      namespace,
      deploymentName,
      buildId: percentage === 0 ? '' : buildId,
      percentage,
    })
    .catch((error: unknown) => {
      throw refusal(error, `Build "${buildId}" of "${deploymentName}" cannot get a share`);
    });
}

async function untilServed(place: DeploymentPlace, build: WorkerBuild, taskQueue: string): Promise<void> {
  const giveUpAt = Date.now() + registrationMs;
  for (;;) {
    const served = (await taskQueuesOf(place, build)).find(({ name }) => name === taskQueue)?.roles ?? [];
    const missing = sharingRoles.filter((role) => !served.includes(role));
    if (missing.length === 0) return;
    if (Date.now() > giveUpAt) {
      throw new CruxError(
        'User.NotFound',
        `No worker of build "${build.buildId}" of "${build.deploymentName}" serves ${taskQueue} as ${missing.join(' or ')}.`,
        { remedy: 'Start its workers first, of both roles: crux worker --deployment … --build-id …' },
      );
    }
    await sleep(lookEveryMs);
  }
}

/** Empty for a build that the server does not know (yet). */
async function taskQueuesOf({ connection, namespace }: DeploymentPlace, build: WorkerBuild): Promise<ServedQueue[]> {
  const { versionTaskQueues } = await connection.workflowService
    .describeWorkerDeploymentVersion({ namespace, deploymentVersion: build })
    .catch((error: unknown) => {
      if (grpcCode(error) === notFound) return { versionTaskQueues: [] };
      throw refusal(error, `Build "${build.buildId}" of "${build.deploymentName}" cannot be looked up`);
    });
  const byName = Map.groupBy(versionTaskQueues ?? [], ({ name }) => name ?? '');
  return [...byName]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, kinds]) => ({
      name,
      roles: sharingRoles.filter((role) => kinds.some(({ type }) => type === taskTypes[role])),
    }));
}

const notFound = 5;

function grpcCode(error: unknown): number | undefined {
  return (error as { code?: number }).code;
}

function refusal(error: unknown, what: string): CruxError {
  if (grpcCode(error) === notFound) {
    return new CruxError('User.NotFound', `${what}.`, {
      remedy: 'Workers make it known when they start: crux worker --deployment … --build-id …',
      cause: error,
    });
  }
  return new CruxError('Temporal.Unavailable', `${what}: ${errorText(error)}`, {
    remedy: 'Worker deployments need a Temporal server of 1.28 or newer that has them switched on.',
    cause: error,
  });
}
