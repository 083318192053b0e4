import { type CruxConfig, checkConfig, storeLocation } from '../../config/config.ts';
import { optionsKey } from '../../config/methods/index.ts';
import { byPresentNames } from '../../config/methods/renamed.ts';
import type { MethodName } from '../../domain/methods/index.ts';
import { factsOf } from '../../domain/methods/index.ts';
import type { Granularity } from '../../domain/run/run-config.ts';
import { CruxError } from '../../errors.ts';
import { checkRunKeys } from '../../start/configure.ts';
import { launchRun } from '../../start/launch.ts';
import { prepareRun } from '../../start/prepare.ts';
import type { RunRequest } from '../../start/request.ts';
import type { Run } from '../../store/runs.ts';
import { openStore, type Store } from '../../store/store.ts';
import { faultText, hasNoOutcome, withoutOutcomeText } from '../../views/fault-text.ts';
import { type RunSummary, runSummary } from '../../views/run-summary.ts';
import { configOf, type GlobalOptions, homeOf, printResult, reachTemporal, say } from '../setting.ts';
import { type TaskOptions, taskChoice } from '../task-list.ts';
import { type CeilingOptions, ceilingsGiven } from '../terminal/ceilings.ts';
import { CommandFailed } from '../terminal/errors.ts';
import { summaryText } from '../terminal/summary.ts';
import { commandOf, workOn } from './work.ts';

type RunOptions = CeilingOptions &
  TaskOptions & {
    runId?: string;
    env?: string;
    split: 'train' | 'test';
    trajectories: 'policy' | 'imported';
    samples?: number;
    preset?: 'published' | 'sound';
    seed?: number;
    set?: string[];
    granularity?: Granularity;
    trainedOn?: string[];
    reuse?: string[];
    detach?: boolean;
  };

export async function run(options: GlobalOptions, method: MethodName, given: RunOptions): Promise<void> {
  const config = withSettings(await configOf(options), method, given.set ?? []);
  const request = await requestFrom(method, given);
  // A detached run needs the keys of its worker, not ours.
  if (!given.detach) checkRunKeys(config, request);
  const store = await openStore(storeLocation(config, homeOf(options)));
  try {
    if (given.detach) await assertWorker(store, config, given.env);
    const prepared = await prepareRun(config, store, request);
    const again = `crux run ${method} --run-id ${prepared.id} …  (same options)`;
    await runToTheEnd(options, config, store, prepared, { detach: given.detach ?? false, again, next: nextSteps });
  } finally {
    await store.close();
  }
}

/**
 * Works on a prepared run and prints its result, or leaves it to workers elsewhere.
 * @param how the command that continues the run, and what to do after the run
 * @throws CommandFailed with exit code 3 if the run ended early
 */
export async function runToTheEnd(
  options: GlobalOptions,
  config: CruxConfig,
  store: Store,
  prepared: Run,
  how: { detach: boolean; again: string; next: (summary: RunSummary) => string },
): Promise<void> {
  if (how.detach) return await detach(options, config, store, prepared);
  const { id, method, environment, seed } = prepared;
  say(options)(`Run ${id}: ${method} (${prepared.config.preset}) on ${environment}, seed ${seed}`);
  const { result, otherRuns } = await workOn(options, config, store, prepared, how.again);
  const summary = await runSummary(store, id);
  printResult(
    options,
    { ...summary, ...(otherRuns.length > 0 && { otherRuns }) },
    () => `${summaryText(summary)}\n\n${how.next(summary)}`,
  );
  if (result.state !== 'finished') throw new CommandFailed(`The run ended early: ${result.state}.`, 3);
  if (hasNoOutcome(summary)) {
    const words = [withoutOutcomeText(summary), faultText(summary)].filter(Boolean).join(' ');
    throw new CommandFailed(`Nothing came of it: ${words}. The same command tries again.`, 4);
  }
  const missing = withoutOutcomeText(summary);
  if (missing !== null) say(options)(`Warning: ${missing}`);
}

async function requestFrom(method: MethodName, given: RunOptions): Promise<RunRequest> {
  return {
    method,
    runId: given.runId,
    environment: given.env,
    split: given.split,
    trajectories: given.trajectories,
    ...(await taskChoice(given)),
    samples: given.samples,
    preset: given.preset,
    seed: given.seed,
    granularity: given.granularity,
    reuse: given.reuse,
    trainedOn: given.trainedOn,
    ceilings: ceilingsGiven(given),
  };
}

/** Options of the method as words of the command line: `gammaLow=0.4`. They are checked like the configuration. */
function withSettings(config: CruxConfig, method: MethodName, settings: string[]): CruxConfig {
  const changes = settings.map((setting): [string, unknown] => {
    const [name, value] = setting.split(/=(.*)/s);
    if (!name || value === undefined) throw new CruxError('User.Config', `--set ${setting}: expected option=value.`);
    return [name, readValue(value)];
  });
  if (changes.length === 0) return config;
  const key = optionsKey(method);
  const given = byPresentNames(method, Object.fromEntries(changes));
  return checkConfig({ ...config, [key]: { ...config[key], ...given } }, '--set');
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Called before anything is recorded: a run that no worker serves would be left behind.
 * @param name of the environment; if none is named, preparing the run reports that
 * @throws CruxError `User.Config` if no worker has the environment
 */
export async function assertWorker(store: Store, config: CruxConfig, name: string | undefined): Promise<void> {
  const wanted = config.environments.filter((environment) => name === undefined || environment.name === name);
  const [environment, ...others] = wanted;
  if (environment === undefined || others.length > 0) return;
  const workers = await store.workers.living();
  if (workers.some(({ environments }) => environments.includes(environment.name))) return;
  throw new CruxError('User.Config', `No worker with the environment ${environment.name} is running.`, {
    remedy: 'Start one with `crux up` or `crux worker`, or leave --detach out.',
  });
}

/** Starts the campaign and leaves the work to workers elsewhere. */
async function detach(options: GlobalOptions, config: CruxConfig, store: Store, run: Run): Promise<void> {
  const temporal = await reachTemporal(options, config, 'visit', commandOf(run));
  try {
    await launchRun(temporal.client, store, run);
  } finally {
    await temporal.close();
  }
  printResult(options, { runId: run.id }, () => `Started ${run.id}. Follow it with: crux watch ${run.id}`);
}

function nextSteps({ runId, method, examples }: RunSummary): string {
  // Sides of several turns hold observations, which most trainers would train on.
  const { exportFormat } = factsOf(method);
  const format = exportFormat === 'crux-masked' ? 'crux-masked --tokenizer <folder>' : exportFormat;
  return [
    `Look:    crux report ${runId}      crux show ${runId} --task <id>`,
    `Export:  crux export ${runId} --format ${format} --out ${examples ? 'examples/' : 'pairs/'}`,
  ].join('\n');
}
