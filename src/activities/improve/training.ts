/** Activities of an improvement that happen where models are trained and served: the `train` role. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canonicalJson, type Json } from '../../domain/canonical-json.ts';
import { type Difference, differences, differenceText } from '../../domain/differences.ts';
import {
  folderNames,
  type Hyperparameters,
  type ServedModel,
  type ToolSettings,
  type TrainingSettings,
  type Weights,
} from '../../domain/improve/contract.ts';
import { lossOf, methodAt } from '../../domain/improve/plan.ts';
import {
  type CanaryFinding,
  campaignId,
  type ExportedRows,
  type Phase,
  type PhaseResults,
  phaseInProgress,
  resultOf,
} from '../../domain/improve/rounds.ts';
import type { TemplateFinding } from '../../domain/improve/template.ts';
import type { TrainingProgress } from '../../domain/improve/training.ts';
import type { LengthSummary } from '../../domain/lengths.ts';
import { methods } from '../../domain/methods/index.ts';
import type { KeptServed, Served } from '../../domain/wire/improve.ts';
import { CruxError } from '../../errors.ts';
import { exportRuns } from '../../export/export-runs.ts';
import { flagsOfKind } from '../../export/flags.ts';
import { type LintReport, rulesWithReasons } from '../../export/lint-report.ts';
import { fullDiskFault } from '../../full-disk.ts';
import { makeFolder } from '../../make-folder.ts';
import { spentBy } from '../../start/improvement-ceilings.ts';
import { checkServed, named, readCanary } from '../../training/canary.ts';
import { checkTemplate, findTokenizer } from '../../training/chat-template.ts';
import { countParameters } from '../../training/count-parameters.ts';
import { readCurve } from '../../training/curve.ts';
import { setAsideEarlier } from '../../training/earlier.ts';
import { formatFor } from '../../training/format-for.ts';
import { goneFault } from '../../training/gone-fault.ts';
import { hyperparametersFor, type TrainingFacts } from '../../training/hyperparameters.ts';
import { jobDialects } from '../../training/jobs/dialects.ts';
import { cancelJob, type JobContext, trainByJob } from '../../training/jobs/train-by-job.ts';
import { serverOf } from '../../training/servers/index.ts';
import { keepServed } from '../../training/servers/keep-served.ts';
import type { ServingPlace } from '../../training/servers/server.ts';
import { train } from '../../training/train.ts';
import type { FineTuningJobsOptions } from '../../training/trainers/fine-tuning-jobs.ts';
import { hostedTrainer, processesOf } from '../../training/trainers/index.ts';
import { isUnderWay } from '../../training/under-way.ts';
import { requireUnchanged } from '../../training/weights.ts';
import { writeWhole } from '../../write-whole.ts';
import { activities, beat, endingOnFullDisk } from '../runtime/boundary.ts';
import type { ActivityContext } from '../runtime/context.ts';
import { type Account, accountOf, folderOf, policyAt, policyOf, seedAt, trainedFrom } from './account.ts';
import { holdBackPhases } from './phases.ts';

type Address = { id: string; round: number };

/** Of a service's model: nothing but its name is known. */
const unasked: CanaryFinding = { ...named, template: 'not-compared' };

/** How long a server that cannot be helped is left alone. */
const serveAgainMs = 30_000;

export function trainingActivities(context: ActivityContext) {
  const { store, home } = context;
  const account = (id: string) => accountOf(store, context.config, id);

  /** Writes what a round trains on. */
  async function exportRound({ id, round }: Address, signal: AbortSignal): Promise<PhaseResults['export']> {
    const own = await account(id);
    const method = methodAt(own.settings, round);
    const loss = lossOf(method);
    const { format: _, ...given } = own.settings.export;
    // A trainer refuses rows that it would drop. Without a limit of the user's it takes the longest row.
    const wanted = { ...given, maxLength: own.settings.hyperparameters[loss].maxLength ?? null };
    const { tokenizer, thought, without, balance, sides, maxLength } = wanted;
    const format = formatFor(own.settings, loss, methods[method]);
    const known = resultOf(own.records, round, 'export');
    if (known !== null) {
      const hasChanged = own.settings.changes !== undefined;
      if (isMadeSo(known, format, wanted, hasChanged) || (await keepsRows(own, round))) return known;
      context.log('info', 'rows exported anew, because the settings of the export have changed', { round });
      await store.improvements.reopenPhase(id, round, 'export');
    }
    await store.improvements.beginPhase(id, round, 'export');
    const flags = flagsOfKind(methods[method].gives === 'examples' ? 'example' : 'pair');
    const out = join(folderOf(home, id, round), folderNames.data);
    const options = {
      format,
      out,
      force: true,
      signal,
      thought,
      without: without.filter((flag) => flags.includes(flag)),
      ...(balance && { balance }),
      ...(sides && { sides }),
      ...(tokenizer !== null && { tokenizer }),
      maxLength,
      tooLong: 'leave-out' as const,
    };
    const exported = await exportRuns(
      store,
      runsOf(own, round),
      options,
      async () => context.config.environments,
      'empty',
    );
    const { rows, leftOut, lint, files } = exported;
    const result = {
      folder: out,
      file: files.at(-1)!,
      format,
      rows,
      leftOut,
      items: lint.items,
      lengths: lint.lengths,
      rules: rulesWithReasons(lint).map(({ itemId: _, ...rule }) => rule),
      options: wanted,
    };
    // Another attempt may be writing these files anew.
    signal.throwIfAborted();
    await store.improvements.endPhase(id, round, 'export', result);
    return result;
  }

  /**
   * Trains the candidate of a round, or goes on with the training that an earlier attempt began.
   * @param looks at a service's job so far
   * @returns milliseconds after which to look at it again; null once the model is there
   */
  async function trainRound(
    { id, round, looks }: Address & { looks: number },
    signal: AbortSignal,
  ): Promise<number | null> {
    const own = await account(id);
    if (resultOf(own.records, round, 'train') !== null) return null;
    const folder = folderOf(home, id, round);
    if (!own.records.some((record) => record.round === round && record.phase === 'train')) {
      const place = await setAsideEarlier(resolve(folder), store.trainings);
      if (place !== null) context.log('warn', 'files of an earlier training set aside', { folder: place });
    }
    await store.improvements.beginPhase(id, round, 'train');
    const settings = await settingsInForce(own, round, folder);
    for (const weights of [settings.base, settings.reference]) if (weights) await requireStart(own, weights.from);
    makeFolder(folder);
    // A trainer that starts meanwhile reads it.
    writeWhole(join(folder, folderNames.settings), `${JSON.stringify(settings, null, 2)}\n`);
    const hosted = hostedTrainer(own.settings.trainer);
    const step = hosted === null ? trainHere : trainThere(hosted, looks);
    const made = await step(own, folder, settings, signal);
    if ('againMs' in made) return made.againMs;
    const { loss, data, sources } = settings;
    const record = { ...made, loss, rows: data.rows, sources, trainer: settings.trainer ?? own.settings.trainer };
    await store.improvements.endPhase(id, round, 'train', record);
    return null;
  }

  /**
   * A training that is at work, or has made its model, keeps what it began with. One that ended otherwise, and began with other settings than it has
   * now, begins anew: its checkpoints are those of another training.
   */
  async function settingsInForce(own: Account, round: number, folder: string): Promise<TrainingSettings> {
    const begun = begunWith(folder);
    if (begun !== null && (await isUnderWay(store, own.id, own.records, round))) return begun;
    const settings = await settingsOf(own, round);
    const changed = begun === null ? [] : trainingChanges(begun, settings);
    if (changed.length > 0) {
      const place = await setAsideEarlier(resolve(folder), store.trainings);
      const why = changed.map(differenceText).join('; ');
      context.log('warn', 'the training begins anew, because its settings have changed', { folder: place, why });
    }
    return settings;
  }

  async function keepsRows(own: Account, round: number): Promise<boolean> {
    const isOver = resultOf(own.records, round, 'train') !== null || resultOf(own.records, round, 'decide') !== null;
    return isOver || isUnderWay(store, own.id, own.records, round);
  }

  async function trainHere(own: Account, folder: string, settings: TrainingSettings, signal: AbortSignal) {
    const trainer = settings.trainer ?? own.settings.trainer;
    const progress = (newest: TrainingProgress | null) => newest && beat({ training: newest });
    const model = await train(context, { folder, trainer }, progress, signal);
    return {
      ...{ ...model, job: null, hyperparameters: settings.hyperparameters },
      curve: readCurve(join(folder, folderNames.metrics)),
    };
  }

  function trainThere(options: FineTuningJobsOptions, looks: number) {
    return async (own: Account, folder: string, settings: TrainingSettings, signal: AbortSignal) => {
      const { costMicroUsd: ceiling } = own.settings.ceilings;
      const training = {
        ...{ folder, settings, options },
        continues: settings.base.from !== own.settings.base.from,
        startedAt: startOf(own, settings.round, 'train'),
        mostMicroUsd: ceiling == null ? null : ceiling - (await spentBy(store, own, null)).costMicroUsd,
      };
      const step = await trainByJob(jobContext(options), training, looks, signal);
      if ('againMs' in step) return step;
      const taken = jobDialects[options.dialect].takes[settings.loss];
      return { ...step.trained, hyperparameters: picked(settings.hyperparameters, taken) };
    };
  }

  /** The improvement is cancelled: so is the job that trains for it at a service, if there is one. */
  async function cancelTraining({ id }: { id: string }, signal: AbortSignal): Promise<void> {
    const own = await account(id);
    const options = hostedTrainer(own.settings.trainer);
    const open = phaseInProgress(own.records);
    if (options === null || open?.phase !== 'train') return;
    const { round } = open;
    const loss = lossOf(methodAt(own.settings, round));
    await cancelJob(jobContext(options), { id, round, loss, options }, signal);
  }

  function jobContext({ endpoint }: FineTuningJobsOptions): JobContext {
    return { store, log: context.log, endpoint: context.gateway.endpoint(endpoint).endpoint };
  }

  async function settingsOf(own: Account, round: number): Promise<TrainingSettings> {
    const { id, settings } = own;
    const method = methodAt(settings, round);
    const loss = lossOf(method);
    const exported = resultOf(own.records, round, 'export')!;
    const facts = methods[method].training!;
    const base: Weights = { from: trainedFrom(own, round).model.root };
    const reference: Weights = { from: policyAt(own, facts.reference === 'start' ? 1 : round).model.root };
    return {
      schemaVersion: 1,
      run: id,
      round,
      loss,
      data: { file: `${folderNames.data}/${exported.file}`, format: exported.format, rows: exported.rows },
      base,
      reference: loss === 'dpo' ? reference : null,
      seed: await seedAt(store, own, round),
      ...hyperparametersFor({
        ...limitsOf(settings.trainer),
        ...{ method, loss, round, rows: exported.rows },
        parameters: await countParameters(base.from),
        lengths: lengthsOf(exported),
        given: settings.hyperparameters[loss],
      }),
      trainer: settings.trainer,
    };
  }

  /** Has a model answer under its name. A candidate is recorded once the canary has shown that it is the one. */
  async function serveModel({ id, round, whose }: Address & { whose: Served }, signal: AbortSignal): Promise<void> {
    const own = await account(id);
    const server = serverOf(own.settings.server);
    if (isAsked(own, round, whose)) return;
    const trained = whose === 'candidate' ? resultOf(own.records, round, 'train') : null;
    if (trained === null) {
      const model = servedFor(own, round, whose);
      await requireStart(own, model.root);
      return server.serve(placeOf(own), model, signal);
    }
    const place = placeOf(own);
    await store.improvements.beginPhase(id, round, 'serve');
    const model = server.named(trained, id, round);
    await server.serve(place, model, signal);
    if (resultOf(own.records, round, 'serve') !== null) return;
    const canary = server.keepsWeights ? unasked : await checked(own, round, model, signal);
    await store.improvements.endPhase(id, round, 'serve', { ...model, canary });
  }

  async function checked(own: Account, round: number, model: ServedModel, signal: AbortSignal): Promise<CanaryFinding> {
    const { keepsBase, precision, forcing, requireThere } = serverOf(own.settings.server);
    const base = keepsBase ? trainedFrom(own, round).model : null;
    const lines = readCanary(folderOf(home, own.id, round));
    const { endpoint, log } = placeOf(own);
    const options = { signal, log, forcing, requireThere, ...(precision && { precision }) };
    const finding = await checkServed(endpoint, model, base, lines, options);
    return { ...finding, template: await comparedTemplate(own, round, model, signal) };
  }

  /** The template is that of the rows if they were read with a tokenizer, else that of the folder which the trainer wrote, or began with. */
  async function comparedTemplate(
    own: Account,
    round: number,
    model: ServedModel,
    signal: AbortSignal,
  ): Promise<TemplateFinding> {
    const { endpoint, log } = placeOf(own);
    const rows = own.settings.export.tokenizer;
    const folders = [...(rows === null ? [] : [rows]), model.root, trainedFrom(own, round).model.root];
    const tokenizer = findTokenizer(folders, log);
    if (tokenizer === null) return 'not-compared';
    const { systemRole, extraBody, request } = own.config.models.policy;
    const more = { ...extraBody, ...request?.set }.chat_template_kwargs as { [name: string]: Json } | undefined;
    return checkTemplate(endpoint, model, tokenizer, {
      signal,
      log,
      isFolded: systemRole === 'fold',
      more: more ?? {},
    });
  }

  /**
   * Serves a model again whenever its server forgets it, until the campaign that asks it is over. What goes wrong is tried again: the campaign stands still
   * meanwhile, and no task ends.
   */
  async function keepModelServed({ id, round, whose, runId }: KeptServed, signal: AbortSignal): Promise<void> {
    const own = await account(id);
    const serve = () => serverOf(own.settings.server).serve(placeOf(own), servedFor(own, round, whose), signal);
    try {
      await keepServed(store, runId, serve, { signal, log: context.log });
    } catch (error) {
      const fault = error instanceof CruxError ? error : fullDiskFault(error);
      if (fault === null) throw error;
      throw new CruxError('Run.Waiting', fault.message, { retryAfterMs: serveAgainMs, cause: error });
    }
  }

  /** The improvement is over: what was started to serve its models ends. */
  async function releaseServer({ id }: { id: string }): Promise<void> {
    const own = await account(id);
    await serverOf(own.settings.server).release(placeOf(own));
  }

  function placeOf({ id, config }: Account): ServingPlace {
    const endpointNamed = (name: string) => context.gateway.endpoint(name).endpoint;
    const endpoint = endpointNamed(config.models.policy.endpoint);
    return { endpoint, endpointNamed, home, store, config: context.config, improvement: id, log: context.log };
  }

  const works = { exportRound, trainRound, cancelTraining, serveModel, keepModelServed, releaseServer };
  return activities(endingOnFullDisk(works), holdBackPhases(context));
}

/** What a training in the folder began with; null if there is none that can be read. */
function begunWith(folder: string): TrainingSettings | null {
  try {
    return JSON.parse(readFileSync(join(folder, folderNames.settings), 'utf8')) as TrainingSettings;
  } catch {
    return null;
  }
}

/** What makes a training another one. What an earlier version did not note is taken for unchanged. */
function trainingChanges(begun: TrainingSettings, now: TrainingSettings): Difference[] {
  const [there, here] = [begun, now].map((own) => JSON.parse(JSON.stringify({ ...own, sources: {} })) as Json);
  return differences(there, here).filter(({ path, known }) => known !== undefined || path.startsWith('trainer.'));
}

/** Whether rows were exported as they would be now. Results of earlier versions do not say by which options: then it counts whether any setting changed. */
function isMadeSo(rows: ExportedRows, format: string, options: object, hasChanged: boolean): boolean {
  const isSame = rows.options ? canonicalJson({ ...rows.options }) === canonicalJson({ ...options }) : !hasChanged;
  return rows.format === format && isSame;
}

/** Weights that the improvement began with are still what they were. Others are in folders of its own. @throws CruxError `User.NotFound` */
async function requireStart({ settings: { base } }: Account, root: string): Promise<void> {
  if (root === base.from) await requireUnchanged(base);
}

/** Whether the campaign that asks a model is over. */
function isAsked({ records }: Account, round: number, whose: Served): boolean {
  return resultOf(records, round, askedIn(whose)) !== null;
}

/** A model that answered before. */
function servedFor(own: Account, round: number, whose: Served): ServedModel {
  return policyOf(own, round, askedIn(whose)).model;
}

/** The phase whose campaign asks a model. */
function askedIn(whose: Served): Phase {
  return whose === 'candidate' ? 'evaluate' : whose === 'policy' ? 'collect' : whose;
}

/** The campaigns that a round learns from, the oldest first. */
function runsOf({ id, settings }: Account, round: number): string[] {
  const first = settings.data === 'all' && round > 0 ? 1 : round;
  return Array.from({ length: round - first + 1 }, (_, index) => campaignId(id, first + index, 'collect'));
}

/** How long the rows are, as the lint of the export measured them. @throws CruxError `User.NotFound` */
function lengthsOf({ folder, lengths }: ExportedRows): LengthSummary | null {
  if (lengths !== undefined) return lengths;
  const lint = join(folder, 'lint.json');
  if (!existsSync(lint)) throw goneFault('User.NotFound', 'The rows of the round', lint);
  return (JSON.parse(readFileSync(lint, 'utf8')) as LintReport).lengths;
}

/** When a phase began; now, if it begins with this attempt. */
function startOf({ records }: Account, round: number, phase: Phase): number {
  return records.find((own) => own.round === round && own.phase === phase)?.startedAt ?? Date.now();
}

/** What a trainer does not leave to its settings. */
function limitsOf(trainer: ToolSettings): Pick<TrainingFacts, 'leastBatch' | 'trainsAdapters' | 'processes'> {
  const hosted = hostedTrainer(trainer);
  const { leastBatch, trainsAdapters } =
    hosted === null ? { leastBatch: 1, trainsAdapters: false } : jobDialects[hosted.dialect];
  return { leastBatch, trainsAdapters, processes: processesOf(trainer) };
}

function picked(all: Hyperparameters, names: readonly (keyof Hyperparameters)[]): Partial<Hyperparameters> {
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}
