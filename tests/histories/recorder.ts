/** What scenarios are recorded with: a server and a lab of their own, and the folder that histories go to. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startEmbeddedServer, stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { connectionTo } from '../helpers/connection.ts';
import { Lab, type LabRun } from '../helpers/lab.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';
import { improvingConfig, type SkillModels, skillModels } from '../helpers/skill-models.ts';

/** Members that no replay looks at: who did the work, when it was handed out, and where on that machine a failure arose. */
const unneeded: ReadonlySet<string> = new Set([
  'identity',
  'requestId',
  'workerVersion',
  'taskId',
  'meteringMetadata',
  'userMetadata',
  'stackTrace',
]);

export class Recorder {
  readonly lab: Lab;
  /** For improvements; its workers serve them. */
  readonly models: SkillModels;
  readonly #folder: string;
  readonly #client: Client;
  readonly #closeServer: () => Promise<void>;

  private constructor(lab: Lab, models: SkillModels, folder: string, client: Client, closeServer: () => Promise<void>) {
    this.lab = lab;
    this.models = models;
    this.#folder = folder;
    this.#client = client;
    this.#closeServer = closeServer;
  }

  static async open(): Promise<Recorder> {
    const home = await mkdtemp(join(tmpdir(), 'crux-record-'));
    const ports = { server: await freePort(), ui: await freePort() };
    const server = await startEmbeddedServer({ home, report: (line) => console.error(line), ports });
    const connection = await connectionTo(server.address);
    await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
    const lab = await Lab.open({ address: server.address, latency: { distribution: 'fixed', meanMs: 30 } });
    const models = await skillModels(home, lab.simulation.url);
    await lab.work(improvingConfig(lab, models), ['workflow', 'agent', 'train']);
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
    const folder = join(import.meta.dirname, version);
    await mkdir(folder, { recursive: true });
    return new Recorder(lab, models, folder, new Client({ connection }), async () => {
      await connection.close();
      await server.stop();
      await stopEmbeddedServer(home);
      await rm(home, { recursive: true, force: true });
    });
  }

  /**
   * Keeps the history of a workflow.
   * @param execution run id of an earlier execution, for one that continued as new
   */
  async keep(name: string, workflowId: string, execution?: string): Promise<void> {
    const history = await this.#client.workflow.getHandle(workflowId, execution).fetchHistory();
    const needed = JSON.parse(historyToJSON(history), (key, value: unknown) =>
      unneeded.has(key) ? undefined : value,
    ) as unknown;
    await writeFile(join(this.#folder, `${name}.json`), `${JSON.stringify({ workflowId, history: needed })}\n`);
    console.error(`${name}: ${history.events?.length} events`);
  }

  /** The executions of a workflow that continued as new, the first one first. */
  async executionsOf(workflowId: string): Promise<string[]> {
    const executions = [];
    for await (const execution of this.#client.workflow.list({ query: `WorkflowId = "${workflowId}"` }))
      executions.push(execution);
    return executions
      .toSorted((one, other) => Number(one.startTime) - Number(other.startTime))
      .map(({ runId }) => runId);
  }

  /** Ids of the branches of a run that are workflows. */
  async branchesOf(run: LabRun): Promise<string[]> {
    const ids = new Set<string>();
    const query = `CruxRun = "${run.id}" AND WorkflowType = "branch"`;
    for await (const { workflowId } of this.#client.workflow.list({ query })) ids.add(workflowId);
    return [...ids].toSorted();
  }

  /** Id of the first task of an environment. */
  async firstTask(environment: string): Promise<string> {
    const tasks = await mazeEnvironments()
      .find(({ name }) => name === environment)!
      .tasks();
    return tasks[0]!.id;
  }

  async close(): Promise<void> {
    await this.lab.close();
    await this.#closeServer();
  }
}
