/** The rounds of an improvement: their phases, and which model is the policy when. */
import type { LengthSummary } from '../lengths.ts';
import { fnv1a64 } from '../statistics/random.ts';
import type { Hyperparameters, Loss, ServedModel, ToolSettings, TrainedModel, TrainingMetrics } from './contract.ts';
import type { Decision } from './decide.ts';
import type { JobFigures } from './hosted-job.ts';
import type { ImproveSettings } from './settings.ts';
import type { TemplateFinding } from './template.ts';

/**
 * In the order in which a round goes through them. Round 0 is the start: an evaluation, and before it a warm start if one is wanted. Its `test-…`
 * phases come last of all.
 */
export const phases = [
  'collect',
  'export',
  'train',
  'serve',
  'evaluate',
  'decide',
  'test-start',
  'test-final',
] as const;
export type Phase = (typeof phases)[number];

/** What a phase left behind. */
export type PhaseResults = {
  collect: CampaignPhase;
  export: ExportedRows;
  train: TrainedModel & TrainingFigures & TrainingRecord;
  serve: ServedModel & { canary: CanaryFinding };
  evaluate: CampaignPhase;
  decide: Decision;
  'test-start': CampaignPhase;
  'test-final': CampaignPhase;
};

/** What a round trains on. */
export type ExportedRows = {
  folder: string;
  /** Of the rows, in the folder. */
  file: string;
  format: string;
  rows: number;
  leftOut: number;
  items: number;
  /** Null if they were not measured. Absent in results of earlier versions: they are in `lint.json` then. */
  lengths?: LengthSummary | null;
  /** With which they were exported. Absent in results of earlier versions. */
  options?: Omit<ImproveSettings['export'], 'format'> & { maxLength: number | null };
  /** What the lint found, worst effect first. Absent in results of earlier versions: it is in `lint.json` alone. */
  rules?: LintedRule[];
};

/** A rule of the lint that found something. */
export type LintedRule = {
  rule: string;
  /** As in `lint.json`: `left-out` for items without a row. */
  effect: string;
  /** Findings. */
  count: number;
  /** Of the first of them. */
  reason: string;
};

/** The campaign of a phase. */
export type CampaignPhase = { runId: string };

/** How a training went. */
export type TrainingFigures = {
  /** Optimizer steps. */
  steps: number;
  seconds: number;
  /** How often it went on after it was killed. */
  resumed: number;
};

/** What a training was asked to do, and its course. */
export type TrainingRecord = {
  loss: Loss;
  rows: number;
  /** Those that the trainer took: a service takes few. */
  hyperparameters: Partial<Hyperparameters>;
  /** Where each hyperparameter comes from, by its name. */
  sources: { [name: string]: string };
  /** With its options. Absent in results of earlier versions. */
  trainer?: ToolSettings;
  /** Lines of its metrics, evenly chosen. */
  curve: TrainingMetrics[];
  /** Of a service; null if a trainer of this store's own workers trained. */
  job: JobFigures | null;
};

/** What was found out about a served model before it was evaluated. */
export type CanaryFinding = {
  /** `named`: its server can tell no probabilities, so only name and root were compared. `no-change`: the trainer cannot tell it from its base. */
  verdict: 'passed' | 'no-change' | 'named';
  /**
   * Root mean square differences in nats a token: from the trainer's own forward pass, from the base, and between two answers of the server. Null: not
   * asked. See canary.ts.
   */
  distance: number | null;
  distanceToBase: number | null;
  noise: number | null;
  /** Whether the server renders chats as the trainer does. Absent in findings of earlier versions, which did not compare it. */
  template?: TemplateFinding;
};

/** A phase that began. */
export type PhaseRecord<P extends Phase = Phase> = {
  [Name in P]: {
    round: number;
    phase: Name;
    /** Null while it is in progress. */
    result: PhaseResults[Name] | null;
    startedAt: number;
    finishedAt: number | null;
  };
}[P];

/** What a phase of a round left behind; null if it is not over. */
export function resultOf<P extends Phase>(
  records: readonly PhaseRecord[],
  round: number,
  phase: P,
): PhaseResults[P] | null {
  const record = records.find((own) => own.round === round && own.phase === phase);
  return (record?.result as PhaseResults[P] | null | undefined) ?? null;
}

/**
 * The evaluation of an earlier model with the very weights that a round has trained; null if there is none, or if its own has begun. A second look at the
 * same weights could only give them another chance.
 */
export function earlierEvaluation(records: readonly PhaseRecord[], round: number): CampaignPhase | null {
  if (records.some((own) => own.round === round && own.phase === 'evaluate')) return null;
  const trained = resultOf(records, round, 'train');
  const equal = records.filter(
    (own) => own.phase === 'train' && own.round < round && own.result !== null && own.result.hash === trained?.hash,
  );
  return equal.map((own) => resultOf(records, own.round, 'evaluate')).find((known) => known !== null) ?? null;
}

/** The phase that began and is not over; null if there is none. A decided round has given up what it left open: a training that diverged. */
export function phaseInProgress(records: readonly PhaseRecord[]): PhaseRecord | null {
  return (
    records.findLast(({ round, result }) => result === null && resultOf(records, round, 'decide') === null) ?? null
  );
}

/**
 * What follows the phases that are over, if none is in progress. `serve`: the model that the next campaign asks is loaded, of which only a candidate has
 * a record.
 */
export function nextPhase(
  records: readonly PhaseRecord[],
  { warmStart, minRows, rounds }: Pick<ImproveSettings, 'warmStart' | 'minRows' | 'rounds'>,
): { round: number; phase: Phase } {
  const last = records.findLast(({ result }) => result !== null);
  if (last === undefined) return { round: 0, phase: warmStart ? 'collect' : 'serve' };
  const { round } = last;
  switch (last.phase) {
    case 'collect':
      return { round, phase: 'export' };
    case 'export':
      return { round, phase: last.result!.rows < minRows ? 'decide' : 'train' };
    case 'train':
      return { round, phase: 'serve' };
    case 'serve':
      return { round, phase: 'evaluate' };
    case 'evaluate':
      return round === 0 ? { round: 1, phase: 'serve' } : { round, phase: 'decide' };
    case 'decide':
      return round < rounds ? { round: round + 1, phase: 'serve' } : { round: 0, phase: 'test-start' };
    case 'test-start':
    case 'test-final':
      return { round: 0, phase: 'test-final' };
  }
}

/** A policy of an improvement. Round 0: the one that it began with. */
export type Policy = { round: number; model: ServedModel };

/**
 * The policy at the start of a round: the candidate of the last round before it that was promoted.
 * @param round infinite for the policy of now
 * @param start the model that the improvement was started with
 */
export function incumbentAt(records: readonly PhaseRecord[], round: number, start: ServedModel): Policy {
  const promoted = records.filter(({ phase, result }) => phase === 'decide' && (result as Decision | null)?.isPromoted);
  const earlier = promoted.map((record) => record.round).filter((own) => own < round);
  if (earlier.length > 0) {
    const last = Math.max(...earlier);
    return { round: last, model: resultOf(records, last, 'serve')! };
  }
  return { round: 0, model: resultOf(records, 0, 'serve') ?? start };
}

/** Name under which weights are served: never the same for other weights. At most 64 characters. */
export function modelName(improvement: string, round: number, hash: string): string {
  return `${namePrefix(improvement)}${round}-${hash.slice(0, 8)}`;
}

/** Ids that are long, and alike in all but their ends, have names of their own all the same. */
function namePrefix(improvement: string): string {
  const mark = fnv1a64(improvement).toString(16).padStart(16, '0').slice(-8);
  return `crux-${improvement.length <= 40 ? improvement : `${improvement.slice(0, 31)}-${mark}`}-r`;
}

/** Whether a name is one that Crux gives to weights. */
export function isGivenName(name: string): boolean {
  return /^crux-.+-r\d+-[0-9a-f]{8}$/.test(name);
}

/** Whether a name is that of some weights of an improvement. */
export function isModelOf(improvement: string, name: string): boolean {
  const prefix = namePrefix(improvement);
  return name.startsWith(prefix) && /^\d+-[0-9a-f]{8}$/.test(name.slice(prefix.length));
}

/** Campaigns of an improvement. */
export function campaignId(improvement: string, round: number, phase: Phase): string {
  switch (phase) {
    case 'test-start':
      return `${improvement}/test/start`;
    case 'test-final':
      return `${improvement}/test/final`;
    default:
      return `${improvement}/round-${round}/${phase}`;
  }
}

/** Rounds without a promotion after which an improvement ends. */
export const patience = 2;
