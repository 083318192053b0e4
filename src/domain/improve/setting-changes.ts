/**
 * Settings that may change while an improvement is not over: those of work that is not done, so that what a fault asks for can be mended. A training that
 * is at work, or has made its model, keeps what it began with. Every change is kept with the settings, and shown.
 */
import type { Difference } from '../differences.ts';
import { type Phase, type PhaseRecord, resultOf } from './rounds.ts';
import type { ImproveSettings, SettingChange } from './settings.ts';

/** The settings that hold what may change. */
export const changeable = ['trainer', 'server', 'hyperparameters', 'export'] as const;
type Changeable = (typeof changeable)[number];

const phaseOf = { trainer: 'train', server: 'serve', hyperparameters: 'train', export: 'export' } as const;

/** Those of a service: its jobs and models are there and nowhere else. */
const placesOfService: ReadonlySet<string> = new Set(['trainer.endpoint', 'trainer.dialect']);

export type Standing = {
  settings: Pick<ImproveSettings, 'rounds' | 'warmStart'>;
  records: readonly PhaseRecord[];
  /** Whether its workflow is over, by a fault or a ceiling: the next one begins with what it finds. */
  hasStopped: boolean;
  /** Whether the training of the newest round is at work, or has made its model. */
  isTraining: boolean;
  /** Whether trainer and server keep their weights where they did. */
  keepsPlace: boolean;
};

/** Whether a difference may become a change. A workflow that goes on has asked already what kind of server it has. */
export function mayChange({ path }: Difference, { hasStopped, keepsPlace }: Standing): boolean {
  const of = partOf(path);
  if (of === null || placesOfService.has(path)) return false;
  return path === `${of}.kind` ? hasStopped && keepsPlace : true;
}

export function changeOf(difference: Difference, standing: Standing, at: number): SettingChange {
  return { ...difference, at, since: sinceOf(phaseOf[partOf(difference.path)!], standing) };
}

function partOf(path: string): Changeable | null {
  return changeable.find((name) => path.startsWith(`${name}.`)) ?? null;
}

function sinceOf(
  phase: 'export' | 'train' | 'serve',
  { settings, records, hasStopped, isTraining }: Standing,
): SettingChange['since'] {
  const newest = Math.max(settings.warmStart || phase === 'serve' ? 0 : 1, ...records.map(({ round }) => round));
  const isDone = (own: Phase) => resultOf(records, newest, own) !== null;
  const isTrained = isDone('train') || isTraining;
  const isOver =
    isDone('decide') ||
    (phase === 'train' && isTrained) ||
    (phase === 'export' && (isTrained || (isDone('export') && !hasStopped)));
  const round = isOver ? newest + 1 : newest;
  // The models of the test are served too.
  if (round > settings.rounds) return phase === 'serve' ? { round: 0, phase: 'test-start' } : null;
  return { round, phase };
}
