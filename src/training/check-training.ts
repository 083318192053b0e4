/** What a training on a machine of our own cannot do is found before an improvement begins. */
import type { Hyperparameters, Loss } from '../domain/improve/contract.ts';
import { lossOf, methodAt } from '../domain/improve/plan.ts';
import { type PhaseRecord, resultOf } from '../domain/improve/rounds.ts';
import type { ImproveSettings } from '../domain/improve/settings.ts';
import { methods } from '../domain/methods/index.ts';
import { CruxError } from '../errors.ts';
import { adapterIn, isAdapter } from './adapter.ts';
import { findTrainer, processesOf } from './trainers/index.ts';

type Checked = Pick<ImproveSettings, 'trainer' | 'method' | 'rounds' | 'warmStart' | 'hyperparameters' | 'base'>;

/** What a training may begin with, by what it was told. */
type Earlier = { name: string; given: Partial<Hyperparameters> };
type Planned = Earlier & { loss: Loss; earlier: Earlier[]; isDone: boolean };

/**
 * @param records of an improvement that has begun: its trainings that are over keep what they were told
 * @throws CruxError `User.Config` for a batch that its processes cannot share, and for adapters that a later training cannot go on with
 */
export function checkTraining(settings: Checked, records: readonly PhaseRecord[] = []): void {
  const { trainer } = settings;
  const processes = processesOf(trainer);
  const { onAdapters } = findTrainer(trainer);
  for (const training of planOf(settings, records)) {
    if (training.isDone) continue;
    checkBatch(training, processes);
    if (onAdapters === null) continue;
    for (const before of training.earlier) checkAdapter(training, before, trainer.kind, onAdapters.mergesThem);
  }
}

function planOf(
  { method, rounds, warmStart, hyperparameters, base }: Checked,
  records: readonly PhaseRecord[],
): Planned[] {
  const planned = (round: number, name: string, loss: Loss, earlier: Earlier[]): Planned => {
    const trained = resultOf(records, round, 'train');
    const given = trained?.hyperparameters ?? hyperparameters[loss];
    return { name, loss, given, earlier, isDone: trained !== null };
  };
  const first = adapterOf(base.from);
  const start = warmStart ? [planned(0, 'The warm start', 'sft', first)] : [];
  const all = [...start];
  for (let round = 1; round <= rounds; round++) {
    const own = methodAt({ method }, round);
    const earlier = [...first, ...(methods[own].training!.from === 'start' ? start : all)];
    all.push(planned(round, `Round ${round} (${own})`, lossOf(own), earlier));
  }
  return all;
}

/** The weights that an improvement begins with, if they are an adapter. */
function adapterOf(base: string): Earlier[] {
  if (!isAdapter(base)) return [];
  const { rank, alpha } = adapterIn(base);
  if (rank === null || alpha === null) return [];
  return [{ name: 'improve.base', given: { lora: { rank, alpha } } }];
}

function checkBatch({ loss, given }: Planned, processes: number): void {
  if (given.batchSize === undefined || given.batchSize % processes === 0) return;
  throw new CruxError(
    'User.Config',
    `${settingOf(loss)}.batchSize is ${given.batchSize}, which ${processes} processes cannot share evenly.`,
    { remedy: `Give a multiple of ${processes}, or leave it out.` },
  );
}

/** An adapter goes on as it is: its rank is part of it. */
function checkAdapter(own: Planned, before: Earlier, trainer: string, mergesThem: boolean): void {
  const [lora, of] = [own.given.lora ?? null, before.given.lora ?? null];
  if (of === null) return;
  const isContinued = lora !== null && lora.rank === of.rank && lora.alpha === of.alpha;
  if (isContinued || (lora === null && mergesThem)) return;
  const wanted = lora === null ? 'all weights' : `an adapter of rank ${lora.rank} and alpha ${lora.alpha}`;
  throw new CruxError(
    'User.Config',
    `${own.name} is to train ${wanted}, and may begin with an adapter of rank ${of.rank} and alpha ${of.alpha} (${before.name}). ` +
      `The trainer ${trainer} goes on with an adapter as it is.`,
    { remedy: `Give ${settingOf(own.loss)}.lora these values: ${JSON.stringify(of)}.` },
  );
}

function settingOf(loss: Loss): string {
  return loss === 'dpo' ? 'improve.training' : 'improve.sftTraining';
}
