/** `crux improve`: rounds of collecting, training and evaluating, as one workflow. */
import { type CruxConfig, storeLocation } from '../../config/config.ts';
import { methodsOf, methodText } from '../../domain/improve/plan.ts';
import type { ImproveResult } from '../../domain/wire/improve.ts';
import { CruxError } from '../../errors.ts';
import { settingChangeText } from '../../report/improvement-text.ts';
import { blockedUnder } from '../../start/blocked-run.ts';
import { checkRunKeys } from '../../start/configure.ts';
import { launchImprovement, prepareImprovement } from '../../start/improvements.ts';
import { steerImprovement } from '../../start/steer-improvement.ts';
import type { Improvement } from '../../store/improvements.ts';
import { openStore, type Store } from '../../store/store.ts';
import { workerRoles } from '../../temporal/task-queues.ts';
import { improvementView } from '../../views/improvement.ts';
import type { Job } from '../job.ts';
import { configOf, type GlobalOptions, homeOf, printResult, reachTemporal, say } from '../setting.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { improvementText, lineOfImprovement, validationText } from '../terminal/improvement.ts';
import { assertWorker } from './run.ts';
import { workUntil } from './work.ts';

type Given = { runId?: string; env?: string; seed?: number; rounds?: number; detach?: boolean };

export async function improve(options: GlobalOptions, given: Given): Promise<void> {
  const config = await configOf(options);
  const { runId: id, env: environment, seed, rounds, detach = false } = given;
  const store = await openStore(storeLocation(config, homeOf(options)));
  try {
    if (detach) await assertWorkers(store, config, environment);
    const improvement = await prepareImprovement(config, store, { id, environment, seed, rounds });
    const { settings } = improvement;
    for (const method of detach ? [] : methodsOf(settings))
      checkRunKeys(config, { method, environment: settings.environment });
    if (detach) return await leave(options, store, improvement);
    const { collect, validation, test } = settings.tasks;
    say(options)(
      `Improvement ${improvement.id}: ${settings.rounds} rounds of ${methodText(settings)} (${settings.preset}) on ${settings.environment}: ${collect.length} tasks to learn from, ${validation.length} to validate, ${test.length} to test`,
    );
    for (const change of settings.changes ?? []) say(options)(`Changed: ${settingChangeText(change)}`);
    say(options)(validationText(settings));
    const { result, otherRuns } = await workUntil<ImproveResult>(options, config, store, jobOf(store, improvement));
    const view = await improvementView(store, improvement.id);
    printResult(
      options,
      { ...view, ...(otherRuns.length > 0 && { otherRuns }) },
      () => `${improvementText(view)}\n\nLook:    crux report ${improvement.id}`,
    );
    if (result.state === 'failed') {
      const { kind, message } = result.fault ?? { kind: 'Defect', message: 'unknown' };
      throw new CommandFailed(`The improvement stopped: ${kind}: ${message}\nThe same command goes on from there.`, 4);
    }
    if (result.state !== 'finished') throw new CommandFailed(`The improvement ended early: ${result.state}.`, 3);
  } finally {
    await store.close();
  }

  /** Starts the workflow and leaves the work to workers elsewhere. */
  async function leave(setting: GlobalOptions, known: Store, improvement: Improvement): Promise<void> {
    const temporal = await reachTemporal(setting, config, 'visit', `crux improve ${improvement.id}`);
    try {
      await launchImprovement(temporal.client, known, improvement);
    } finally {
      await temporal.close();
    }
    printResult(
      setting,
      { id: improvement.id },
      () => `Started ${improvement.id}. Follow it with: crux watch ${improvement.id}`,
    );
  }
}

/** @throws CruxError `User.Config` if no worker has the environment, or none trains */
async function assertWorkers(store: Store, config: CruxConfig, environment: string | undefined): Promise<void> {
  await assertWorker(store, config, environment);
  const workers = await store.workers.living();
  if (workers.some(({ roles }) => roles.includes('train'))) return;
  throw new CruxError('User.Config', 'No worker with the role train is running: nobody would train or serve a model.', {
    remedy: 'Start one with `crux up` or `crux worker --roles train`, or leave --detach out.',
  });
}

function jobOf(store: Store, improvement: Improvement): Job<ImproveResult> {
  const { id, settings } = improvement;
  return {
    name: `The improvement ${id}`,
    id,
    environment: settings.environment,
    command: `crux improve ${id}`,
    roles: workerRoles,
    owns: (runId) => runId.startsWith(`${id}/`),
    work: async (client) => {
      await launchImprovement(client, store, improvement);
      return client.workflow.getHandle(id).result() as Promise<ImproveResult>;
    },
    progress: lineOfImprovement(store, id),
    blocked: (over) => blockedUnder(store, id, over),
    state: async () => (await store.improvements.get(id)).state,
    rest: async (client) => steerImprovement({ store, client }, id, 'paused'),
    again: `crux improve --run-id ${id} …  (same options)`,
    halt: `crux pause ${id}`,
  };
}
