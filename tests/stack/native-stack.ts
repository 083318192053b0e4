/**
 * The services of docker-compose.yml as processes of this machine: the same commands, variables and scripts, on Debian's PostgreSQL. Only what
 * containers have of their own is replaced: host names and ports, and the folders that are mounted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import { type ComposeService, readCompose, repository } from '../helpers/compose.ts';
import type { NativeImage } from '../helpers/dockerfile.ts';
import { type PostgresForTests, startPostgres } from '../helpers/postgres.ts';

export type StackWorker = {
  /** As Temporal knows it. */
  identity: string;
  /** Resolves when its standard error has said something that fits. */
  says(pattern: RegExp): Promise<void>;
  kill(): Promise<void>;
};

type Said = {
  child: ChildProcess;
  /** What it has written to both of its streams, the end of it. */
  text: () => string;
  /** The whole of its standard output. */
  output: () => string;
  ended: Promise<number | null>;
};

/** Ports that the server has of its own in a container. */
const ownPorts = ['FRONTEND', 'MATCHING', 'HISTORY', 'WORKER'].flatMap((role) => [
  `${role}_GRPC_PORT`,
  `${role}_MEMBERSHIP_PORT`,
]);

export class NativeStack {
  /** host:port of the Temporal server. */
  readonly address: string;
  readonly simulation: Simulation;
  readonly #folder: string;
  readonly #image: NativeImage;
  readonly #programs: string;
  readonly #postgres: PostgresForTests;
  readonly #compose = readCompose();
  readonly #children: ChildProcess[] = [];

  private constructor(
    folder: string,
    image: NativeImage,
    programs: string,
    postgres: PostgresForTests,
    simulation: Simulation,
    address: string,
  ) {
    this.#folder = folder;
    this.#image = image;
    this.#programs = programs;
    this.#postgres = postgres;
    this.simulation = simulation;
    this.address = address;
  }

  /** Everything but workers, in the order that `depends_on` gives. */
  static async start(options: {
    image: NativeImage;
    /** Folder of Temporal's programs. */
    programs: string;
    /** Folder of PostgreSQL's programs. */
    postgresPrograms: string;
    report: (line: string) => void;
  }): Promise<NativeStack> {
    const { image, programs, report } = options;
    const folder = mkdtempSync(join(tmpdir(), 'crux-stack-'));
    const data = join(folder, 'data');
    await writeDemoDataset(data);
    const simulation = await startSimulation({
      seed: 1,
      worlds: await simulationFromDataset(data),
      latency: { distribution: 'lognormal', meanMs: 250 },
    });
    const postgres = await startPostgres(options.postgresPrograms);
    const stack = new NativeStack(folder, image, programs, postgres, simulation, `127.0.0.1:${await lowPort()}`);
    try {
      report('PostgreSQL serves');
      await stack.#createStoreDatabase();
      await stack.#job('schema');
      report("Temporal's schema is there");
      await stack.#serveTemporal();
      report('Temporal serves');
      await stack.#job('namespace');
      report('the namespace is there');
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /**
   * Starts a worker service, with a home of its own.
   * @param variables of the shell that calls `docker compose up`
   */
  async work(service: string, home: string, variables: { [name: string]: string } = {}): Promise<StackWorker> {
    const said = this.#crux(service, home, this.#service(service).command!, variables);
    const says = (pattern: RegExp) => untilSaid(said, pattern);
    await says(/Worker .*ready/);
    return {
      identity: `${said.child.pid}@${hostname()}`,
      says,
      kill: async () => {
        said.child.kill('SIGKILL');
        await said.ended;
      },
    };
  }

  /** Calls a command in the service `crux`, as `docker compose run --rm crux` does. @throws Error when it fails */
  async command<T = unknown>(...args: string[]): Promise<T> {
    const all = [...args, '--config', '/project/crux.config.ts', '--json'];
    const said = this.#crux('crux', 'home-of-commands', all);
    const code = await said.ended;
    if (code !== 0) throw new Error(`crux ${args.join(' ')} ended with ${code}: ${said.text()}`);
    return JSON.parse(said.output()) as T;
  }

  path(home: string, ...parts: string[]): string {
    return join(this.#folder, home, ...parts);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await this.simulation.close();
    await this.#postgres.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The image of Postgres makes the database that `POSTGRES_DB` names. */
  async #createStoreDatabase(): Promise<void> {
    const { POSTGRES_DB: name, POSTGRES_USER: user } = this.#service('postgres').environment!;
    const client = new pg.Client({ connectionString: this.#postgres.url });
    await client.connect();
    await client.query(`CREATE DATABASE ${name} OWNER ${user}`);
    await client.end();
  }

  async #job(name: string): Promise<void> {
    const { entrypoint, command } = this.#service(name);
    const said = this.#spawn([...entrypoint!, ...command!], this.#environment(name), this.#folder);
    const code = await said.ended;
    if (code !== 0) throw new Error(`The service ${name} ended with ${code}: ${said.text()}`);
  }

  /** Its image's own command. */
  async #serveTemporal(): Promise<void> {
    const [, port] = this.address.split(':');
    const ports = await Promise.all(ownPorts.map(async (name) => [name, String(await lowPort())]));
    const environment = {
      ...this.#environment('temporal'),
      ...Object.fromEntries(ports),
      FRONTEND_GRPC_PORT: port!,
      FRONTEND_HTTP_PORT: String(await lowPort()),
      BIND_ON_IP: '127.0.0.1',
    };
    const said = this.#spawn(['temporal-server', 'start'], environment, this.#folder);
    // As its healthcheck does.
    for (const giveUpAt = Date.now() + 120_000; !(await answers(Number(port))); await pause()) {
      if (said.child.exitCode !== null || Date.now() > giveUpAt)
        throw new Error(`Temporal does not serve: ${said.text()}`);
    }
  }

  #crux(service: string, home: string, args: string[], variables: { [name: string]: string } = {}): Said {
    const folder = join(this.#folder, home);
    mkdirSync(folder, { recursive: true });
    const environment = {
      ...this.#image.environment,
      ...this.#environment(service, readCompose(variables)),
      HOME: folder,
    };
    return this.#spawn([...this.#image.entrypoint, ...args], environment, folder);
  }

  #spawn(words: string[], environment: NodeJS.ProcessEnv, cwd: string): Said {
    const [program, ...args] = words.map((word) => this.#native(word));
    const child = spawn(program === 'node' ? process.execPath : program!, args, {
      cwd,
      env: { PATH: [this.#programs, process.env.PATH].join(delimiter), HOME: cwd, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let text = '';
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      output += part;
    });
    return {
      child,
      text: () => text.slice(-5_000),
      output: () => output,
      ended: once(child, 'close').then(([code]) => code as number | null),
    };
  }

  #environment(service: string, { services } = this.#compose): NodeJS.ProcessEnv {
    const { port } = new URL(this.#postgres.url);
    const entries = Object.entries(services[service]!.environment ?? {}).map(([name, value]) => {
      if (['SQL_HOST', 'POSTGRES_SEEDS'].includes(name) && value === 'postgres') return [name, '127.0.0.1'];
      if (['SQL_PORT', 'DB_PORT'].includes(name)) return [name, port];
      return [name, this.#native(String(value))];
    });
    return Object.fromEntries(entries) as NodeJS.ProcessEnv;
  }

  /** A word of the compose file with the addresses and folders of this machine. */
  #native(word: string): string {
    const { host } = new URL(this.#postgres.url);
    return word
      .replace('@postgres:5432/', `@${host}/`)
      .replace(/^temporal:7233$/, this.address)
      .replace('http://models:8123', this.simulation.url)
      .replace(/^\/docker\//, join(repository, 'docker/'))
      .replace(/^\/project\//, join(repository, 'examples/simulated/'));
  }

  #service(name: string): ComposeService {
    const service = this.#compose.services[name];
    if (!service) throw new Error(`docker-compose.yml has no service ${name}.`);
    return service;
  }
}

async function untilSaid({ child, text, ended }: Said, pattern: RegExp): Promise<void> {
  const looked = new Promise<void>((resolve) => {
    const look = () => pattern.test(text()) && resolve();
    look();
    child.stderr!.on('data', look);
  });
  const early = ended.then((code) => {
    throw new Error(`It ended with ${code} without ${pattern}: ${text()}`);
  });
  await Promise.race([looked, early]);
  early.catch(() => {});
}

/** The server keeps its ports in columns of 16 bits with a sign. Below the range of outgoing connections they also stay free. */
const highestPort = 32_767;
let nextPort = 21_000 + (process.pid % 10_000);

async function lowPort(): Promise<number> {
  while (nextPort <= highestPort) {
    const port = nextPort++;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
  throw new Error(`There is no free port up to ${highestPort}.`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 200));
}
