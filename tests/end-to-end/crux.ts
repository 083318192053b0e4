/** Drives the `crux` command in a folder of its own: in this process, or as a user does in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { type Simulation, type SimulationOptions, startSimulation } from '../../src/simulation/server.ts';
import { stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { type Called, callCommand } from '../helpers/command.ts';

const door = join(import.meta.dirname, '../../bin/crux.js');

export type Ended = Omit<Called, 'code'> & { code: number | null; signal: NodeJS.Signals | null };

export type RunningCrux = {
  process: ChildProcess;
  /** Waits until the error stream has said something that fits. @throws Error with what it said, when the command ends without it */
  says: (pattern: RegExp) => Promise<void>;
  /** What it has said there so far. */
  stderr: () => string;
  ended: Promise<Ended>;
};

/** A folder in which commands are called; state is in `.crux` below it, unless a command gets a home of its own. */
export class Project {
  readonly folder: string;
  readonly home: string;
  private readonly env: NodeJS.ProcessEnv;
  private readonly started: ChildProcess[] = [];

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'crux-project-'));
    this.home = join(this.folder, '.crux');
    const { CRUX_HOME: _home, CRUX_STORE: _store, ...inherited } = process.env;
    this.env = { ...inherited, ...env };
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text);
  }

  /** Starts a command as a process of its own, for what only a process shows: signals, and work beside other commands. */
  start(args: string[], env: NodeJS.ProcessEnv = {}): RunningCrux {
    const child = spawn(process.execPath, [door, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.started.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
    );
    const says = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => pattern.test(stderr) && resolve();
        look();
        child.stderr.on('data', look);
        child.on('close', () =>
          reject(new Error(`crux ${args.join(' ')} ended without ${pattern}:\n${stderr}${stdout}`)),
        );
      });
    return { process: child, says, stderr: () => stderr, ended };
  }

  /** Runs a command to its end, in this process. */
  crux(...args: string[]): Promise<Called> {
    return callCommand(args, this.folder, this.env);
  }

  /** Runs a command to its end, in a process of its own. */
  apart(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** Runs a command that must succeed with `--json`. @throws Error with what it said, when it fails */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.crux(...args, '--json');
    if (code !== 0) throw new Error(`crux ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Ends what a failed test left running, and takes the folder away. */
  async remove(): Promise<void> {
    for (const child of this.started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await stopEmbeddedServer(this.home);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A project that goes when the test is over. */
export function temporaryProject(env: NodeJS.ProcessEnv = {}): Project {
  const project = new Project(env);
  onTestFinished(() => project.remove());
  return project;
}

/** The bundled tasks in `data/` of a project, and simulated models that know them. */
export async function simulateDemoModels(
  project: Project,
  options: Partial<SimulationOptions> = {},
): Promise<Simulation> {
  const data = project.path('data');
  await writeDemoDataset(data);
  return startSimulation({ seed: 1, worlds: await simulationFromDataset(data), ...options });
}

/**
 * A configuration as a user writes it, with the bundled tasks and all models at one address.
 * @param policyAlone whether it names no other model
 */
export function demoConfig(url: string, { run = '{}', extra = '', policyAlone = false } = {}): string {
  const others = `
    expert: { endpoint: 'simulated', model: 'sim-expert', maxTokens: 512 },
    prm: { endpoint: 'simulated', model: 'sim-prm', maxTokens: 200, temperature: 0 },`;
  return `import { defineConfig, interCodeSql } from 'crux-rl';

export default defineConfig({
  environments: [interCodeSql({ data: 'data', name: 'sql' })],
  endpoints: { simulated: { baseUrl: '${url}/v1' } },
  models: {
    policy: { endpoint: 'simulated', model: 'sim-policy', maxTokens: 512 },${policyAlone ? '' : others}
  },
  run: ${run},
  ${extra}
});
`;
}
