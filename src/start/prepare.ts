/** Turns a request into a run in the store. */
import type { CruxConfig } from '../config/config.ts';
import { type CsoOptions, type MethodName, methods } from '../domain/methods/index.ts';
import { type CeilingChanges, changedCeilings } from '../domain/run/ceilings.ts';
import { runsIn } from '../domain/run/lineage.ts';
import { askedModels, isEvaluation, isStepByStep, type RunConfig } from '../domain/run/run-config.ts';
import { isPlayedInSlots, mostWorkflows } from '../domain/run/slots.ts';
import { isRoundId, isRunId } from '../domain/run/workflow-ids.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';
import { checkCeilings } from '../models/limits/ceiling-needs.ts';
import type { NewRunTask, Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import { configuredCeilings } from './ceilings.ts';
import { configOfRun, withPolicy } from './configure.ts';
import { guardTest } from './leak-guard.ts';
import { checkMethodModels } from './models.ts';
import { onlyName, timeStamp } from './names.ts';
import type { RunRequest } from './request.ts';
import { sameRun } from './same-run.ts';
import { chooseTasks, importedFormat } from './task-choice.ts';
import { transitionOwner } from './transition-owner.ts';

/**
 * Checks a request and records it as a run. A run that already exists with the same settings is taken up again.
 * @throws CruxError `User.Config`, `User.NotFound`, `User.Leak`; nothing is recorded then
 */
export async function prepareRun(configured: CruxConfig, store: Store, request: RunRequest): Promise<Run> {
  const config = withPolicy(configured, request);
  const registry = new EnvironmentRegistry(config.environments);
  const environment = registry.get(request.environment ?? onlyName(registry));
  if (!environment.capabilities.branchable && methods[request.method].branches) {
    throw new CruxError(
      'User.Config',
      `The environment ${environment.name} cannot be branched, which ${request.method} needs.`,
    );
  }
  const split = request.split ?? methods[request.method].split;
  const trajectories = request.trajectories ?? 'policy';
  const ceilings = changedCeilings(configuredCeilings(config), request.ceilings ?? {});
  const id = request.runId ?? `${request.method}-${environment.name}-${timeStamp()}`;
  const known = await store.runs.find(id);
  const format =
    trajectories === 'imported'
      ? (known?.config.format ?? (await importedFormat(store, environment.name, config.run.format)))
      : config.run.format;
  const runConfig = configOfRun(config, environment, { ...request, split, trajectories }, undefined, format);
  checkMethodModels(runConfig);
  checkWindow(runConfig);
  checkCeilings(askedModels(runConfig), ceilings);
  if (!isRunId(id) && !(request.isRound === true && isRoundId(id))) {
    throw new CruxError('User.Config', `"${id}" cannot be a run id.`, {
      remedy: 'Use up to 80 letters, digits, dots, hyphens and underscores.',
    });
  }
  const seed = request.seed ?? config.run.seed;
  const reuse = request.reuse ?? [];
  for (const other of [...reuse, ...lineageRuns(runConfig)]) await store.runs.get(other);

  // Recorded trajectories may have been imported since; the request is still the same.
  if (known && trajectories === 'imported') {
    return takeUp(
      store,
      await sameRun(store, known, { config: runConfig, seed, reuse, tasks: null }),
      request.ceilings,
    );
  }
  const tasks = await chooseTasks(await registry.tasks(environment.name), store, environment.name, {
    ...request,
    split,
    trajectories,
    seed,
    format,
  });
  checkSamples(runConfig, tasks);
  const wanted = { config: runConfig, seed, reuse, tasks };
  if (known) return takeUp(store, await sameRun(store, known, wanted), request.ceilings);
  // Those of a round were checked when its improvement began.
  if (request.isRound !== true) checkOwnSampling(request.method, mostSamples(tasks));
  if (isEvaluation(runConfig)) {
    const groups = tasks.map(({ group }) => group!);
    const test = { environment, tasks: await registry.tasks(environment.name), groups };
    const trainedOn = runConfig.models.policy.trainedOn ?? null;
    runConfig.leaked = await guardTest(store, test, trainedOn, request.allowLeak ?? false);
  }
  const transitions = await transitionOwner(store, environment, id, reuse);
  if (transitions) runConfig.transitions = transitions;
  await store.runs.create(
    { id, method: request.method, environment: environment.name, seed, config: runConfig, ceilings, reuse },
    tasks,
  );
  // Another process may have created it at the same moment.
  return sameRun(store, await store.runs.get(id), wanted);
}

/** Runs on which a run's models were trained according to the user, and the run that its thresholds come from. */
function lineageRuns({ models, options }: RunConfig): string[] {
  const thresholdsFrom = 'thresholdsFrom' in options ? (options.thresholdsFrom ?? null) : null;
  return [
    ...Object.values(models).flatMap(({ trainedOn = null }) => runsIn(trainedOn)),
    ...(thresholdsFrom === null ? [] : [thresholdsFrom]),
  ];
}

/**
 * All samples of a task that are compared must be in progress at once, because each waits for the others.
 * @throws CruxError `User.Config` if that is impossible, or if there is nothing to compare
 */
function checkSamples({ method, options, window, trajectories }: RunConfig, tasks: readonly NewRunTask[]): void {
  const limit = 'gate' in options && trajectories === 'policy' ? passRateLimit(options) : null;
  if (limit === null && methods[method].samples === 1) return;
  const what = limit ?? method;
  const most = mostSamples(tasks);
  if (most >= 2 && most <= window) return;
  const samples = trajectories === 'policy' ? 'samples' : 'recorded trajectories';
  const limits = `${what} needs from 2 to ${window} (run.window) ${samples} of a task, not ${most}.`;
  const remedy =
    trajectories === 'imported'
      ? 'Import more of them, or raise run.window.'
      : limit !== null
        ? `Set --samples, or leave ${limit} out.`
        : 'Set --samples or run.window.';
  throw new CruxError('User.Config', limits, { remedy });
}

function mostSamples(tasks: readonly NewRunTask[]): number {
  return Math.max(
    ...Map.groupBy(tasks, ({ taskId }) => taskId)
      .values()
      .map(({ length }) => length),
  );
}

/**
 * A method that samples the trajectories of a task itself counts successes among all of them. Of several samples, each would have a part.
 * @throws CruxError `User.Config`
 */
export function checkOwnSampling(method: MethodName, samples: number): void {
  const { samplesBy, title } = methods[method];
  if (samplesBy === null || samples <= 1) return;
  throw new CruxError(
    'User.Config',
    `${title} samples the trajectories of a task itself, as many as ${samplesBy} says. It cannot be given ${samples} samples of a task.`,
    { remedy: `Set ${samplesBy}, and leave --samples (improve.collect.samples) at 1 for ${method}.` },
  );
}

/** The option of CSO that needs to know how often a task is solved; null for none. */
function passRateLimit({ minPassRate, maxPassRate }: CsoOptions): string | null {
  if (maxPassRate !== null) return 'maxPassRate';
  return minPassRate === undefined ? null : 'minPassRate';
}

/** @throws CruxError `User.Config` for a window that is too large for workflows */
function checkWindow(config: RunConfig): void {
  if (config.window <= mostWorkflows || isPlayedInSlots(config)) return;
  const why = isStepByStep(config.granularity) ? 'granularity: "step"' : config.method;
  throw new CruxError(
    'User.Config',
    `With ${why} every task has a workflow, and at most ${mostWorkflows} can be in progress, not ${config.window} (run.window).`,
    { remedy: `Set run.window to ${mostWorkflows} or less.` },
  );
}

/** A run that is taken up keeps its ceilings unless new ones are given. */
async function takeUp(store: Store, run: Run, changes: CeilingChanges | undefined): Promise<Run> {
  if (!changes || Object.keys(changes).length === 0) return run;
  await store.runs.setControl(run.id, { ceilings: changedCeilings(run.ceilings, changes) });
  return store.runs.get(run.id);
}
