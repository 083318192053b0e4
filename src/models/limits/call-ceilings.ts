/** Ceilings at a single call: before it is sent, its use at worst is held against those of its run, task and step. */
import {
  type Ceiling,
  type CeilingLevel,
  type Ceilings,
  type CeilingUnit,
  ceilingLevels,
  ceilingOf,
  ceilingUnits,
  isLimited,
} from '../../domain/run/ceilings.ts';
import type { RoleSettings } from '../../domain/run/run-config.ts';
import { CruxError, type FaultKind } from '../../errors.ts';
import { isWithin, type Scope, type Use, useAtWorst, type WorstCase } from '../../store/reservations.ts';
import type { Store } from '../../store/store.ts';
import type { RequestBody } from '../endpoint.ts';
import { longestAnswer } from '../requests/wire-request.ts';
import { mostPromptTokens } from './prompt-length.ts';

/** How soon a call checks again whether others, in progress at their worst case, have left room under a ceiling. */
const roomPauseMs = 250;

const unitsOfCalls: CeilingUnit[] = ['calls', 'tokens', 'costMicroUsd'];

const kinds = { run: 'Run.Budget', task: 'Task.Budget', step: 'Step.Budget' } as const satisfies {
  [level in CeilingLevel]: FaultKind;
};

/**
 * A prompt has at most one token for every byte. The request limits the answer's length, under whatever name. If it does not, `maxTokens` is
 * what is expected: a run with ceilings that need more than that is refused (`checkBounded`).
 */
export function worstCase(body: RequestBody, settings: RoleSettings): WorstCase {
  const { price } = settings;
  const maxTokens = longestAnswer(body, settings) ?? settings.maxTokens;
  const promptTokens = mostPromptTokens(body);
  return {
    tokens: promptTokens + maxTokens,
    costMicroUsd: price && promptTokens * price.input + maxTokens * price.output,
  };
}

/**
 * Holds the worst case of a call, or of a step of an environment, until it is settled, or for `holdMs`.
 * @returns null when there is room; else what the call has to wait for: others in progress may leave some
 * @throws CruxError `Run.Budget`, `Task.Budget`, `Step.Budget` when final use leaves none
 */
export async function holdWorstCase(
  { reservations }: Store,
  scope: Scope,
  key: string,
  worst: WorstCase,
  holdMs: number,
  ceilings: Ceilings,
): Promise<CruxError | null> {
  if (!ceilingLevels.some((level) => isLimited(ceilingOf(ceilings, level), unitsOfCalls))) return null;
  if (await reservations.reserve(scope, key, worst, holdMs, ceilings)) return null;
  const refusal = await ceilingReached(reservations, scope, ceilings, useAtWorst(worst));
  if (refusal) throw refusal;
  const message = `Run ${scope.runId} is close to a ceiling: calls or steps in progress might use up the rest of it.`;
  return new CruxError('Run.Paused', message, { retryAfterMs: roomPauseMs });
}

/**
 * Counts rollouts that start.
 * @returns those that there is room for, and `Run.Budget`, `Task.Budget` or `Step.Budget` if there is not enough for all
 */
export async function startRollouts(
  { reservations, runs }: Store,
  scope: Scope,
  branchIds: string[],
): Promise<{ started: Set<string>; refusal: CruxError | null }> {
  const { ceilings } = await runs.control(scope.runId);
  const started = await reservations.startRollouts(scope, branchIds, ceilings);
  const isRefused = started.size < branchIds.length;
  const asked: Use = { calls: 0, tokens: 0, costMicroUsd: 0, rollouts: 1 };
  return { started, refusal: isRefused ? await ceilingReached(reservations, scope, ceilings, asked) : null };
}

/** The ceiling under which final use leaves no room; null when there is none. */
async function ceilingReached(
  reservations: Store['reservations'],
  scope: Scope,
  ceilings: Ceilings,
  asked: Use,
): Promise<CruxError | null> {
  for (const level of ceilingLevels) {
    const ceiling = ceilingOf(ceilings, level);
    if (!isLimited(ceiling, ceilingUnits) || !isWithin(scope, level)) continue;
    const used = await reservations.use(scope, level);
    const over = ceilingUnits.find((unit) => {
      const most = ceiling[unit];
      return most !== null && asked[unit] > 0 && used[unit] + asked[unit] > most;
    });
    if (over !== undefined) return reached(scope, level, ceiling, over);
  }
  return null;
}

function reached({ runId, taskId }: Scope, level: CeilingLevel, ceiling: Ceiling, unit: CeilingUnit): CruxError {
  const where = { run: '', task: ` on a task (${taskId})`, step: ` on a step (of ${taskId})` }[level];
  const most = unit === 'costMicroUsd' ? `$${ceiling.costMicroUsd! / 1e6}` : `${ceiling[unit]} ${unit}`;
  return new CruxError(kinds[level], `Run ${runId}: the ceiling of ${most}${where} is reached.`, {
    remedy:
      level === 'run'
        ? 'Raise it with `crux budget`; the run goes on from where it stopped.'
        : `It ends the ${level} with what is proven so far; the run goes on. Raise it with \`run.ceilings.${level}\`.`,
  });
}
