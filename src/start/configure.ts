/** Makes the configuration of a run, which is stored with it, from the user's configuration and a request. */
import { type CruxConfig, checkConfig, givenModels, monteCarloOf } from '../config/config.ts';
import { methodOptions, optionsKey } from '../config/methods/index.ts';
import { byPresentNames } from '../config/methods/renamed.ts';
import type { AgentFormatName } from '../domain/action.ts';
import { methods } from '../domain/methods/index.ts';
import {
  askedBesidesPolicy,
  askedRoles,
  granularityNamed,
  type RunConfig,
  type RunModels,
  type RunSettings,
} from '../domain/run/run-config.ts';
import type { Environment } from '../environments/contract.ts';
import { stopSequences } from '../environments/stop-sequences.ts';
import { CruxError } from '../errors.ts';
import { promptVersions } from '../models/prompts.ts';
import { checkKeys } from './keys.ts';
import { modelsOfRun } from './models.ts';
import type { OptionChanges, RunRequest } from './request.ts';

/**
 * Checks that this process has the keys of all models that a run would ask: for commands that work on the run themselves.
 * @throws CruxError `User.Config`
 */
export function checkRunKeys(configured: CruxConfig, request: RunRequest): void {
  const config = withPolicy(configured, request);
  const { trajectories = 'policy', preset = config.run.preset } = request;
  const { environments } = config;
  // A wrong name is refused when the run is prepared, and so is a model that the configuration lacks.
  const environment = environments.find(({ name }) => name === (request.environment ?? environments[0]?.name));
  const models = environment ? modelsOfRun(config, environment) : givenModels(config);
  const asked = askedRoles({ ...withMethod(config, { trajectories, preset }, request), models });
  checkKeys(
    { endpoints: config.endpoints, models: givenModels(config) },
    asked.filter((role) => models[role] !== undefined),
  );
}

/**
 * The configuration of a run, as it is stored with it.
 * @param models default: those that methods and the environment ask
 * @param format default: the configured one
 * @throws CruxError `User.Config`
 */
export function configOfRun(
  config: CruxConfig,
  environment: Environment,
  request: RunRequest & Required<Pick<RunRequest, 'split' | 'trajectories'>>,
  models: RunModels = modelsOfRun(config, environment),
  format: AgentFormatName = config.run.format,
): RunConfig {
  const { trajectories } = request;
  const settings: RunSettings = {
    schemaVersion: 1,
    preset: request.preset ?? config.run.preset,
    environment: environment.name,
    environmentVersion: environment.version,
    ...(environment.sealed !== undefined && { sealed: environment.sealed }),
    split: request.split,
    trajectories,
    format,
    sameBy: 'state',
    auditSuccesses: true,
    calls: environment.oneCall ? 'first' : 'all',
    stepLimit: config.run.stepLimit ?? environment.stepLimit,
    tokenLimit: config.run.tokenLimit,
    observationLimit: config.run.observationLimit,
    stop: config.run.stop ? stopSequences(environment, format) : [],
    granularity: granularityNamed(request.granularity ?? config.run.granularity),
    parallel: config.run.parallel,
    window: config.run.window,
    models,
    prompts: promptVersions,
  };
  return withMethod(config, settings, request);
}

/**
 * The options of a request are checked like those of the configuration.
 * @throws CruxError `User.Config`
 */
function withMethod<Settings extends Pick<RunSettings, 'trajectories' | 'preset'>>(
  config: CruxConfig,
  settings: Settings,
  { method, options }: RunRequest,
): Settings & RunConfig {
  if (settings.trajectories === 'imported' && methods[method].minesRecorded === null) {
    throw new CruxError('User.Config', `${method} makes its own trajectories: recorded ones are of no use to it.`, {
      remedy: 'Leave --trajectories out. Recorded expert trajectories are taken with the option experts=imported.',
    });
  }
  const key = optionsKey(method);
  const { verification, ...others } = (options ?? {}) as OptionChanges;
  const changed = { ...config, [key]: { ...config[key], ...byPresentNames(method, { ...others, ...verification }) } };
  const checked = checkConfig(changed, 'The options of the run');
  const own = { method, options: methodOptions(method, checked, settings.preset) };
  const monteCarlo = monteCarloOf(config);
  const scores = monteCarlo !== undefined && askedBesidesPolicy(own).some(({ role }) => role === 'prm');
  return {
    ...settings,
    ...own,
    ...(scores && { monteCarlo }),
    // Leaked groups are found once the tasks are known.
    ...(methods[method].gives === 'figures' && { leaked: [] }),
  } as unknown as Settings & RunConfig;
}

/** The configuration with the requested policy. The lineage of the configured policy says nothing about another one. */
export function withPolicy(config: CruxConfig, { policy = {}, trainedOn }: RunRequest): CruxConfig {
  const configured = config.models.policy;
  const isOther = policy.model !== undefined && policy.model !== configured.model;
  const known = isOther ? null : configured.trainedOn;
  const changed = { ...configured, ...policy, trainedOn: trainedOn ?? known };
  return checkConfig({ ...config, models: { ...config.models, policy: changed } }, 'The policy of the run');
}
