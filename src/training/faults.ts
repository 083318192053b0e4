/** What an end without a model means, and what to do. Rules over the record of the end and the last lines of the log, without I/O. */

import { trainerExits } from '../domain/improve/contract.ts';
import type { TrainingExit } from '../domain/improve/training.ts';
import { CruxError, type FaultKind } from '../errors.ts';
import { saysFullDisk } from '../full-disk.ts';
import { isKill } from './restart.ts';

/** What is known besides the end itself. */
export type EndContext = {
  /** Path of the log, which messages name. */
  log: string;
  /** Its last lines, without secrets; empty for none. */
  lastLines: string;
  /** The command without the folder. */
  command: readonly string[];
  /** As the settings say. */
  rows: number;
  base: string;
};

type Fault = { kind: FaultKind; what: string; remedy: string };

const { settings, noBase, rows, masks, notANumber, collapse, memory, diskFull } = trainerExits;

/** The fault of a trainer that ended otherwise than with code 0 and a model. */
export function faultOfEnd(exit: TrainingExit, context: EndContext): CruxError {
  return faultOf(findFault(exit, context), context);
}

function faultOf({ kind, what, remedy }: Fault, { log, lastLines }: EndContext): CruxError {
  const lines = lastLines === '' ? 'Its log is empty.' : `The last lines of its log:\n${lastLines}`;
  return new CruxError(kind, `${what} The whole log is ${log}. ${lines}`, { remedy });
}

function findFault(exit: TrainingExit, context: EndContext): Fault {
  const { lastLines, command } = context;
  const [program = ''] = command;
  if (exit.stop === 'diverged' || (exit.stop === null && exit.code === notANumber)) return diverged(exit);
  if (exit.stop === 'collapsed' || (exit.stop === null && exit.code === collapse)) return collapsed(exit);
  if (exit.stop === 'cancelled')
    return {
      kind: 'Run.Cancelled',
      what: 'The training was cancelled.',
      remedy: 'The same command goes on from its newest checkpoint.',
    };
  if (exit.error !== null) {
    if (saysFullDisk(exit.error)) return noSpace(exit.error);
    return {
      kind: 'Train.Failed',
      what: `The trainer ${program} could not be started (${exit.error}).`,
      remedy: 'Check the command of the trainer, and that the worker that trains finds it.',
    };
  }
  if (exit.code === 0) {
    return {
      kind: 'Train.NoModel',
      what: 'The trainer ended with exit code 0 and left no model: `model/` is missing or empty.',
      remedy: 'It has to write its weights to `model/` in the folder that it gets, before it ends.',
    };
  }
  if (exit.code === diskFull || saysFullDisk(lastLines)) return noSpace(endOf(exit));
  if (
    exit.code === memory ||
    /CUDA out of memory|OutOfMemoryError|CUDA error: out of memory|\bMemoryError\b/i.test(lastLines)
  )
    return outOfMemory(endOf(exit));
  if (exit.code === rows) {
    return {
      kind: 'Train.RowsDropped',
      what: `The trainer would not train on the ${context.rows} rows that it was given.`,
      remedy:
        'Raise `maxLength`, or give the export the tokenizer of the model (`improve.export.tokenizer`): it leaves out rows over the limit then, and counts them.',
    };
  }
  if (exit.code === masks) {
    return {
      kind: 'Train.Failed',
      what: 'The trainer would train on other tokens than the turns of the model.',
      remedy:
        "Give the model's tokenizer to the export, so that the tokens to train on are in the rows (`crux-masked`, `crux-masked-sft`).",
    };
  }
  if (exit.code === noBase || isMissingBase(lastLines)) {
    return {
      kind: 'User.NotFound',
      what: `The trainer cannot load the model to begin with, ${context.base}, or its reference.`,
      remedy: 'Name a folder of weights, or a model that its hub gives this machine.',
    };
  }
  if (exit.code === settings) {
    return {
      kind: 'Train.Failed',
      what: 'The trainer refused its command line or its settings.',
      remedy: 'Its last lines say what it does not take.',
    };
  }
  // Lines of the log may have been lost long before, so what the trainer itself says counts first.
  if (exit.unwritten > 0) return noSpace(endOf(exit));
  return {
    kind: 'Train.Failed',
    what: `The trainer ended without a model (${endOf(exit)}).`,
    remedy: 'Mend what its last lines say; the same command then goes on from its newest checkpoint.',
  };
}

/** A training that died again and again at the same step. */
export function faultOfDeaths(death: string, deaths: number, reached: number, context: EndContext): CruxError {
  const where = reached === 0 ? 'before its first step' : `without getting beyond step ${reached}`;
  const what = `The training died ${deaths} times ${where}: ${death}.`;
  if (saysFullDisk(context.lastLines)) return faultOf(noSpace(death), context);
  if (isKill(death)) {
    const remedy = `A system that runs out of memory kills so. ${lessMemory}`;
    return faultOf({ kind: 'Train.OutOfMemory', what, remedy }, context);
  }
  const remedy = 'Find out what ends it; the same command then goes on from its newest checkpoint.';
  return faultOf({ kind: 'Train.Failed', what, remedy }, context);
}

/** Supervisors that ended before they had the folder. */
export function faultOfStart(context: EndContext): CruxError {
  if (saysFullDisk(context.lastLines)) return faultOf(noSpace('its supervisor could not begin'), context);
  const what = 'The process that supervises the training ended at its start.';
  return faultOf({ kind: 'Train.Failed', what, remedy: 'Mend what its last lines say.' }, context);
}

function noSpace(end: string): Fault {
  return {
    kind: 'Disk.Full',
    what: `The disk of the training is full (${end}).`,
    remedy: 'Free some space, then give the command again: the training goes on from its newest checkpoint.',
  };
}

const lessMemory = 'Lower `batchSize` or `maxLength`, train adapters (`lora`), or use a machine with more memory.';

function outOfMemory(end: string): Fault {
  return { kind: 'Train.OutOfMemory', what: `The trainer ran out of memory (${end}).`, remedy: lessMemory };
}

function diverged({ finding }: TrainingExit): Fault {
  return {
    kind: 'Train.Diverged',
    what: `The training diverged: ${finding ?? 'the loss is no number'}.`,
    remedy: 'Lower `learningRate`; train in a new folder.',
  };
}

function collapsed({ finding }: TrainingExit): Fault {
  return {
    kind: 'Train.Collapsed',
    what: `The training collapsed: ${finding ?? 'the chosen sides became much less probable than at the start'}.`,
    remedy:
      'Lower `learningRate`, raise `sftWeight` or `beta`; train in a new folder. `collapse` says how much is allowed.',
  };
}

function endOf({ code, signal }: TrainingExit): string {
  return signal === null ? `exit code ${code}` : signal;
}

/** As `transformers` and `huggingface_hub` say it. */
function isMissingBase(lines: string): boolean {
  return /is not a local folder and is not a valid model identifier|RepositoryNotFoundError|GatedRepoError|does not appear to have a file named (config|pytorch_model|model)/.test(
    lines,
  );
}
