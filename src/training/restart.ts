/** What follows from the end of a trainer or of its supervisor: whether the training goes on, and after how many deaths it does not. A rule, without I/O. */
import type { Training, TrainingHistory } from '../store/trainings.ts';

/** Starts at the same step, for the same reason. */
export const mostDeaths = 3;

export const firstStart: TrainingHistory = { starts: 1, ranMs: 0, reachedBefore: 0, deaths: 0, death: null };

/** Why a training that nobody is at work on has to be started again; null if it ended by itself, or was told to. */
export function deathOf({ state, exit }: Training): string | null {
  if (state === 'running') return 'its supervisor was gone';
  if (exit === null) return null;
  if (exit.stop === 'terminated') return 'its supervisor was told to end, as when the machine shuts down';
  if (exit.stop === 'lost') return 'its supervisor lost the folder';
  if (exit.stop !== null) return null;
  if (exit.signal === 'SIGKILL' || exit.code === killed)
    return `${killWords} (${exit.signal ?? `exit code ${killed}`})`;
  return exit.signal === null ? null : `it ended by ${exit.signal}`;
}

/** What a shell makes of SIGKILL. */
const killed = 137;
const killWords = 'it was killed';

/** Whether a death may be the system's answer to want of memory. A crash (SIGSEGV, SIGABRT) is another thing. */
export function isKill(death: string): boolean {
  return death.startsWith(killWords);
}

/** The next start. Its `deaths` are `mostDeaths` if there should be none. */
export function startAfter(training: Training, death: string): TrainingHistory {
  const reached = Math.max(training.progress?.reached ?? 0, training.reachedBefore);
  const isSame = training.death === death && reached <= training.reachedBefore;
  return {
    starts: training.starts + 1,
    ranMs: training.ranMs + training.heldMs,
    reachedBefore: reached,
    deaths: isSame ? training.deaths + 1 : 1,
    death,
  };
}
