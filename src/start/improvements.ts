/** Turns the wish for an improvement into a workflow. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { type CruxConfig, checkConfig } from '../config/config.ts';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';
import { type Difference, differences, differenceText } from '../domain/differences.ts';
import type { ToolSettings } from '../domain/improve/contract.ts';
import { isFinal } from '../domain/improve/ends.ts';
import { collectedSamples, lossOf, methodAt, methodsOf, methodText } from '../domain/improve/plan.ts';
import { type PhaseRecord, phaseInProgress } from '../domain/improve/rounds.ts';
import { changeable, changeOf, mayChange, type Standing } from '../domain/improve/setting-changes.ts';
import type { ImproveSettings } from '../domain/improve/settings.ts';
import { splitThreeWays, type ThreeWays } from '../domain/improve/split.ts';
import { methods } from '../domain/methods/index.ts';
import { isRunId } from '../domain/run/workflow-ids.ts';
import type { Task } from '../domain/task.ts';
import type { ImproveInput } from '../domain/wire/improve.ts';
import type { Environment } from '../environments/contract.ts';
import { EnvironmentRegistry } from '../environments/registry.ts';
import { CruxError } from '../errors.ts';
import { checkFlags } from '../export/flags.ts';
import type { Improvement } from '../store/improvements.ts';
import type { Store } from '../store/store.ts';
import { taskQueue } from '../temporal/task-queues.ts';
import { checkTraining } from '../training/check-training.ts';
import { formatFor } from '../training/format-for.ts';
import { checkTrainer } from '../training/jobs/check.ts';
import { serverOf } from '../training/servers/index.ts';
import { hostedTrainer } from '../training/trainers/index.ts';
import { isUnderWay } from '../training/under-way.ts';
import { knownWeights, requireWeights } from '../training/weights.ts';
import { configuredCeilings } from './ceilings.ts';
import { configOfRun } from './configure.ts';
import { guardTest } from './leak-guard.ts';
import { checkMethodModels } from './models.ts';
import { onlyName, timeStamp } from './names.ts';
import { checkOwnSampling } from './prepare.ts';
import { steerImprovement } from './steer-improvement.ts';
import { drawnTasks } from './task-choice.ts';

export type ImproveRequest = {
  /** Default: `improve`, method, environment and a time stamp. */
  id?: string;
  environment?: string;
  seed?: number;
  rounds?: number;
};

/**
 * Checks a wish and records it. An improvement that exists is taken up again; settings of work that is not done may be others now, which is recorded.
 * @throws CruxError `User.Config`, `User.NotFound`, `User.Leak`; nothing is recorded then
 */
export async function prepareImprovement(
  config: CruxConfig,
  store: Store,
  request: ImproveRequest,
): Promise<Improvement> {
  const wanted = improveOf(config);
  const registry = new EnvironmentRegistry(config.environments);
  const environment = registry.get(request.environment ?? onlyName(registry));
  const id = request.id ?? `improve-${[wanted.method].flat().join('-')}-${environment.name}-${timeStamp()}`;
  if (!isRunId(id))
    throw new CruxError('User.Config', `"${id}" cannot be the id of an improvement.`, { remedy: idRemedy });
  if (await store.runs.find(id)) {
    throw new CruxError('User.Config', `"${id}" is the id of a run.`, { remedy: 'Choose another --run-id.' });
  }
  const seed = request.seed ?? config.run.seed;
  const all = await registry.tasks(environment.name);
  const settings = settingsOf(config, environment, all, { seed, rounds: request.rounds ?? wanted.rounds });
  for (const method of methodsOf(settings)) {
    const campaign = { method, split: 'train', trajectories: 'policy' } as const;
    checkMethodModels(configOfRun(config, environment, campaign));
  }
  const known = await store.improvements.find(id);
  checkTools(settings, known ? await store.improvements.phases(id) : []);
  checkTrainer(settings, config.endpoints);
  if (!known) {
    checkCollecting(settings);
    await guardAll(store, environment, all, settings, config.models.policy.trainedOn);
    await store.improvements.create(id, { ...settings, base: await knownWeights(settings.base.from) });
  }
  const same = await takenUp(store, await store.improvements.get(id), settings);
  const { ceilings } = settings;
  const atStart = same.settings.ceilingsAtStart ?? same.settings.ceilings;
  if (canonicalJson(atStart as Json) !== canonicalJson(ceilings as Json))
    await store.improvements.retune(id, { ceilings, ceilingsAtStart: ceilings });
  return store.improvements.get(id);
}

const idRemedy = 'Use up to 80 letters, digits, dots, hyphens and underscores.';

function improveOf(config: CruxConfig): NonNullable<CruxConfig['improve']> {
  if (config.improve !== null) return config.improve;
  throw new CruxError('User.Config', 'The configuration has no `improve`.', {
    remedy:
      "Add it to crux.config.ts, e.g. improve: { base: 'path/to/model', trainer: trl({ python: '.venv/bin/python' }), server: cruxServer({ python: '.venv/bin/python' }) }; docs/training.md explains each member.",
  });
}

function settingsOf(
  config: CruxConfig,
  environment: Environment,
  all: readonly Task[],
  { seed, rounds }: { seed: number; rounds: number | null },
): ImproveSettings {
  const wanted = improveOf(config);
  const named = [wanted.method].flat();
  const { limit, samples } = wanted.collect;
  const split = splitThreeWays(all, wanted.validation.share, seed);
  const tasks = {
    collect: drawnTasks(split.collect, forAll(limit) ?? Number.POSITIVE_INFINITY, seed),
    validation: drawnTasks(split.validation, wanted.validation.limit ?? Number.POSITIVE_INFINITY, seed),
    test: wanted.test === null ? [] : drawnTasks(split.test, wanted.test.limit ?? Number.POSITIVE_INFINITY, seed),
  };
  checkTasks(environment.name, tasks, wanted.test !== null);
  const { preset } = config.run;
  const ceilings = configuredCeilings(config);
  return {
    schemaVersion: 1,
    preset,
    seed,
    environment: environment.name,
    environmentVersion: environment.version,
    method: named.length === 1 ? named[0]! : named,
    rounds: rounds ?? (named.length === 1 ? methods[named[0]!].training!.rounds : named.length),
    warmStart: wanted.warmStart !== null,
    tasks,
    ...collectBy(wanted.collect),
    validationGroups: groupsOf(all, tasks.validation),
    samples: {
      collect: forAll(samples),
      validation: wanted.validation.samples,
      mostValidation: Math.max(wanted.validation.samples, wanted.validation.maxSamples),
      test: wanted.test?.samples ?? 1,
    },
    visible: wanted.validation.visible,
    promote: wanted.promote ?? (preset === 'published' ? 'always' : 'not-worse'),
    data: wanted.data,
    minRows: wanted.minPairs,
    export: {
      format: { dpo: wanted.export.format, sft: wanted.export.sftFormat },
      tokenizer: wanted.export.tokenizer,
      thought: wanted.export.thought,
      without: wanted.export.without,
      balance: wanted.export.balance,
      sides: wanted.export.sides,
    },
    hyperparameters: { dpo: wanted.training, sft: wanted.sftTraining },
    base: { from: placed(wanted.base) },
    trainer: wanted.trainer as ToolSettings,
    server: wanted.server as ToolSettings,
    ceilings,
    ceilingsAtStart: ceilings,
    config: keptConfig(config),
  };
}

type Collect = NonNullable<CruxConfig['improve']>['collect'];

/** A number that holds for all methods. */
function forAll(value: Collect['limit']): number | null {
  return typeof value === 'number' ? value : null;
}

/** Numbers that each method has of its own; nothing if there are none. */
function collectBy({ limit, samples }: Collect): Pick<ImproveSettings, 'collectBy'> {
  const own = (value: Collect['limit']) => (typeof value === 'object' && value !== null ? value : {});
  const isNone = forAll(limit) === limit && forAll(samples) === samples;
  return isNone ? {} : { collectBy: { limit: own(limit), samples: own(samples) } };
}

function groupsOf(all: readonly Task[], ids: readonly string[]): number {
  const wanted = new Set(ids);
  return new Set(all.filter(({ id }) => wanted.has(id)).map(({ group }) => group)).size;
}

/** A path from here: activities run elsewhere. */
function placed(base: string): string {
  return base.startsWith('.') || existsSync(base) ? resolve(base) : base;
}

function checkTasks(environment: string, { collect, validation, test }: ThreeWays, hasTest: boolean): void {
  if (collect.length === 0 || validation.length === 0) {
    throw new CruxError(
      'User.Config',
      `The train split of ${environment} has too few groups of tasks to learn from some and to validate on others.`,
      { remedy: 'Give tasks that share nothing a `group` of their own.' },
    );
  }
  if (hasTest && test.length === 0) {
    throw new CruxError('User.Config', `${environment} has no task in its test split.`, {
      remedy: 'Give it some, or set improve.test to null.',
    });
  }
}

/**
 * Found at the start, not after the first campaign.
 * @throws CruxError `User.Config`, `User.NotFound`
 */
function checkTools(settings: ImproveSettings, records: readonly PhaseRecord[]): void {
  const { data, base, warmStart, server } = settings;
  serverOf(server);
  const named = methodsOf(settings);
  if (data === 'all' && named.length > 1) {
    throw new CruxError('User.Config', "improve.data is 'all', and improve.method names several methods.", {
      remedy: "Rounds of different methods cannot be trained on together: set improve.data to 'round'.",
    });
  }
  checkFlags(settings.export.without, ['pair', 'example']);
  for (const method of named) formatFor(settings, lossOf(method), methods[method]);
  if (warmStart) formatFor(settings, 'sft', methods.sft);
  checkTraining(settings, records);
  requireWeights(base.from);
}

/** @throws CruxError `User.Config` if a round's method cannot take as many samples of a task */
function checkCollecting(settings: ImproveSettings): void {
  for (let round = 0; round <= settings.rounds; round++)
    checkOwnSampling(methodAt(settings, round), collectedSamples(settings, round) ?? 1);
}

/** What activities need of the configuration, and no worker brings. */
function keptConfig(config: CruxConfig): ImproveSettings['config'] {
  const {
    environments: _,
    endpoints: __,
    store: ___,
    observe: ____,
    temporal: _____,
    improve: ______,
    ...kept
  } = config;
  // The ceilings are those of the improvement, which gives its campaigns what is left of them.
  const { ceilings: _______, ...run } = kept.run;
  return JSON.parse(JSON.stringify({ ...kept, run })) as ImproveSettings['config'];
}

/** The configuration of an improvement's campaigns: its own, over the environments and endpoints of this worker. */
export function configFor({ config }: ImproveSettings, { environments, endpoints }: CruxConfig): CruxConfig {
  return checkConfig({ ...config, environments, endpoints }, 'The configuration of the improvement');
}

/** The groups that decide, and those of the test, must be new to the policy: found at the start, not after days. */
async function guardAll(
  store: Store,
  environment: Environment,
  all: readonly Task[],
  { tasks }: ImproveSettings,
  trainedOn: readonly string[] | null,
): Promise<void> {
  const groupOf = new Map(all.map(({ id, group }) => [id, group]));
  const groups = [...tasks.validation, ...tasks.test].map((id) => groupOf.get(id)!);
  await guardTest(store, { environment, tasks: all, groups }, trainedOn, false);
}

/**
 * An existing improvement with what changed in the settings of work that is not done.
 * @throws CruxError `User.Config` that names every other setting in which it differs; nothing was changed then
 */
async function takenUp(store: Store, stored: Improvement, settings: ImproveSettings): Promise<Improvement> {
  const own = JSON.parse(JSON.stringify(settings)) as Json;
  const { ceilings, ceilingsAtStart } = settings;
  const { changes = [], ...known } = stored.settings;
  // What its weights are was found when it was made.
  const base = { from: known.base.from };
  const there = { ...known, base, ceilings, ceilingsAtStart } as unknown as Json;
  const all = differences(there, own).filter((one) => !isOffAndNew(one));
  if (all.length === 0) return stored;
  const standing = await standingOf(store, stored, settings);
  const refused = isFinal(stored.state) ? all : all.filter((one) => !mayChange(one, standing));
  if (refused.length > 0) {
    const texts = refused.map(differenceText).join('; ');
    throw new CruxError('User.Config', `The improvement "${stored.id}" exists with other settings: ${texts}.`, {
      remedy: 'Give the new one another --run-id, or start it with the settings that it has.',
    });
  }
  const now = Date.now();
  const changed = Object.fromEntries(changeable.map((name) => [name, settings[name]]));
  const added = all.map((one) => changeOf(one, standing, now));
  await store.improvements.retune(stored.id, { ...changed, changes: [...changes, ...added] });
  return store.improvements.get(stored.id);
}

async function standingOf(
  store: Store,
  { id, state, settings }: Improvement,
  wanted: ImproveSettings,
): Promise<Standing> {
  const records = await store.improvements.phases(id);
  const open = phaseInProgress(records);
  const isOfService = (own: ImproveSettings) => [
    hostedTrainer(own.trainer) !== null,
    serverOf(own.server).keepsWeights,
  ];
  return {
    ...{ settings, records },
    hasStopped: state === 'failed' || state === 'budget',
    isTraining: open?.phase === 'train' && (await isUnderWay(store, id, records, open.round)),
    keepsPlace: canonicalJson(isOfService(settings)) === canonicalJson(isOfService(wanted)),
  };
}

/** Whether it is a setting that the version which began the improvement did not have, and that is off now: nothing changes for what was begun. */
function isOffAndNew({ known, wanted }: Difference): boolean {
  return known === undefined && (wanted === null || wanted === false);
}

/** Starts the workflow of an improvement. One that is paused, or that a fault, a ceiling or a termination ended, goes on from the phase that is not over. */
export async function launchImprovement(client: Client, store: Store, improvement: Improvement): Promise<void> {
  const { id, settings, state } = improvement;
  if (isFinal(state)) return;
  if (state !== 'running') await steerImprovement({ store, client }, id, 'running');
  const { cruxEnvironment, cruxMethod, cruxRun, cruxStatus } = await import('../workflows/search-attributes.ts');
  const input: ImproveInput = { id };
  await client.workflow.start('improve', {
    workflowId: id,
    taskQueue: taskQueue(store.id),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `${methodText(settings)} in ${settings.rounds} rounds on ${settings.environment}`,
    typedSearchAttributes: [
      { key: cruxRun, value: id },
      { key: cruxMethod, value: methodText(settings) },
      { key: cruxEnvironment, value: settings.environment },
      { key: cruxStatus, value: 'running' },
    ],
  });
}
