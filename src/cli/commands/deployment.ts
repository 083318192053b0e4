import { storeLocation } from '../../config/config.ts';
import { CruxError } from '../../errors.ts';
import { openStore } from '../../store/store.ts';
import {
  type DeployedBuild,
  describeDeployment,
  rampBuild,
  setCurrentBuild,
  unversioned,
} from '../../temporal/deployment.ts';
import { taskQueue } from '../../temporal/task-queues.ts';
import { configIfValid, type GlobalOptions, homeOf, printResult, reachTemporal } from '../setting.ts';
import { table } from '../terminal/text.ts';

type Given = { setCurrent?: string; ramp?: string; percent?: number };

/** Shows the builds of a worker deployment. If asked, first changes which of them gets new work. */
export async function deployment(options: GlobalOptions, deploymentName: string, given: Given): Promise<void> {
  const { setCurrent, ramp, percent } = given;
  if ((ramp === undefined) !== (percent === undefined)) {
    throw new CruxError('User.Config', '--ramp and --percent belong together.', {
      remedy: 'Example: --ramp 0.2.0 --percent 10',
    });
  }
  if (percent !== undefined && percent > 100) {
    throw new CruxError('User.Config', `--percent is ${percent}.`, { remedy: 'Give a share of at most 100.' });
  }
  const temporal = await reachTemporal(options, await configIfValid(options), 'visit', 'crux deployment');
  try {
    if (ramp !== undefined) {
      await rampBuild(temporal, { deploymentName, buildId: ramp }, percent!, await queueOfStore(options));
    }
    if (setCurrent !== undefined) {
      const queue = setCurrent === unversioned ? '' : await queueOfStore(options);
      await setCurrentBuild(temporal, { deploymentName, buildId: setCurrent }, queue);
    }
    const builds = await describeDeployment(temporal, deploymentName);
    printResult(options, { deployment: deploymentName, builds }, () => textOf(builds));
  } finally {
    await temporal.close();
  }
}

async function queueOfStore(options: GlobalOptions): Promise<string> {
  const store = await openStore(storeLocation(await configIfValid(options), homeOf(options)));
  try {
    return taskQueue(store.id);
  } finally {
    await store.close();
  }
}

function textOf(builds: DeployedBuild[]): string {
  const rows = builds.map(({ buildId, status, rampPercentage, taskQueues }) => [
    buildId,
    rampPercentage === null ? status : `${status} ${rampPercentage} %`,
    taskQueues.map(({ name, roles }) => `${name} (${roles.join(' + ')})`).join(', ') || 'none',
  ]);
  return table(['build', 'status', 'task queues'], rows);
}
