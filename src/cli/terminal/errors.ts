/** Errors become words only here. */
import { CommanderError } from 'commander';
import { CruxError, errorText, type FaultKind } from '../../errors.ts';
import { asOuterFault } from './outer-faults.ts';
import { printAside, printJsonAside } from './terminal.ts';
import { sentence } from './text.ts';

/** A command that ran to its end, but not with the wanted result. */
export class CommandFailed extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(thrown: unknown): number {
  const error = thrown instanceof CommandFailed ? thrown : asOuterFault(thrown);
  if (error instanceof CommandFailed) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof CruxError)) return 1;
  return exitCodes[prefixOf(error.kind)] ?? 1;
}

const exitCodes: { [prefix: string]: number } = {
  User: 2,
  Export: 2,
  Run: 3,
  Store: 4,
  Disk: 4,
  Temporal: 4,
  Model: 4,
  Environment: 5,
};

function prefixOf(kind: FaultKind): string {
  return kind.split('.')[0]!;
}

/** One line with the remedy; the stack with `--verbose`. */
export function printError(thrown: unknown, options: { verbose?: boolean; json?: boolean }): void {
  const error = thrown instanceof CommandFailed ? thrown : asOuterFault(thrown);
  if (error instanceof CommanderError) {
    // Commander has printed its own message, but for JSON.
    if (options.json && error.exitCode !== 0)
      printJsonAside({ error: { kind: 'User.Config', message: usageText(error), remedy: 'See crux --help.' } });
    return;
  }
  const kind = error instanceof CruxError ? error.kind : error instanceof CommandFailed ? 'Failed' : 'Defect';
  const remedy = error instanceof CruxError ? error.remedy : undefined;
  if (options.json) {
    printJsonAside({ error: { kind, message: errorText(error), remedy: remedy ?? null } });
  } else {
    printAside(`crux: ${withRemedy(errorText(error), remedy)}`);
    if (kind === 'Defect' && !options.verbose) {
      printAside('This is a defect of Crux. Run the command again with --verbose and report what it prints.');
    }
  }
  if (options.verbose && error instanceof Error) printAside(`${error.stack}\n${causes(error)}`.trimEnd());
}

function usageText({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'No command was given.' : message.replace(/^error: /, '');
}

/** A list has its remedy below it, a sentence behind it. */
function withRemedy(message: string, remedy: string | undefined): string {
  if (remedy === undefined) return message;
  return message.includes('\n') ? `${message}\n${remedy}` : `${sentence(message)} ${remedy}`;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `Caused by: ${error.cause.stack}\n${causes(error.cause)}` : '';
}
