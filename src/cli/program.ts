/** The `crux` command line: its options, how it runs a line of words, and the exit code. main.ts handles signals and the end of the process. */
import { Command } from 'commander';
import { cruxVersion } from '../version.ts';
import { registerCommands } from './commands.ts';
import type { GlobalOptions } from './setting.ts';
import { CommandFailed, exitCodeOf, printError } from './terminal/errors.ts';
import { type EndSignal, interruptedBy } from './terminal/interrupt.ts';
import { printAside } from './terminal/terminal.ts';

export async function makeProgram(): Promise<Command> {
  const program = new Command('crux');
  program
    .description(
      'Finds the step where a failing LLM agent went wrong, proves it, and turns the proof into preference data.',
    )
    .option('--config <file>', 'configuration', 'crux.config.ts')
    .option('--home <folder>', 'folder of all state (default: CRUX_HOME, else .crux)')
    .option('--json', 'print the result as JSON')
    .option('--verbose', 'print stacks and details of errors')
    .version(cruxVersion(), '-V, --version')
    .showHelpAfterError('(crux --help lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 defect of Crux, 2 wrong use, 3 run ended early (ceiling, cancellation), 4 something cannot be reached or is full, or a run is blocked or ended without any outcome, 5 a check failed, 130 interrupted.',
    )
    // With --json, `failed` says it.
    .configureOutput({ writeErr: (text) => void (program.opts<GlobalOptions>().json || printAside(text.trimEnd())) })
    .exitOverride();
  registerCommands(program);
  return program;
}

/** Runs one command. @param words those after `crux` @returns the exit code; errors have been printed */
export async function carryOut(program: Command, words: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    const by = interruptedBy();
    // If a signal broke off the work, its errors are no faults.
    return failed(program, by === null || error instanceof CommandFailed ? error : interrupted(by, error));
  }
}

/** Says why the command ends. @returns the exit code */
export function failed(program: Command, error: unknown): number {
  printError(error, program.opts<GlobalOptions>());
  return exitCodeOf(error);
}

export function interrupted(by: EndSignal, cause?: unknown): CommandFailed {
  return new CommandFailed(`Interrupted${by === 'SIGINT' ? '' : ` by ${by}`}.`, 130, cause);
}
