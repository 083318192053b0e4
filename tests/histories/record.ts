/**
 * Records the replay fixtures anew: `node tests/histories/record.ts`. Each is the history of a real workflow, as it ran on a Temporal server of
 * its own with simulated models. Record them when a workflow was changed on purpose and no run of the old form is under way any more; as
 * long as there may be one, use `patched` in the workflow and keep the old fixtures beside the new ones.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { importScope } from '../../src/store/findings.ts';
import { startEmbeddedServer, stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { Lab, type LabRun, until } from '../helpers/lab.ts';
import { mazeEnvironments } from '../helpers/mazes.ts';

const home = await mkdtemp(join(tmpdir(), 'crux-record-'));
const server = await startEmbeddedServer({
  home,
  report: (line) => console.error(line),
  ports: { server: await freePort(), ui: await freePort() },
});
const connection = await Connection.connect({ address: server.address });
await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
const { workflow } = new Client({ connection });
const lab = await Lab.open({ address: server.address, latency: { distribution: 'fixed', meanMs: 30 } });
await lab.work();

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

/** @param execution run id of an earlier execution, for one that continued as new */
async function keep(name: string, workflowId: string, execution?: string): Promise<void> {
  const history = await workflow.getHandle(workflowId, execution).fetchHistory();
  const needed = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    unneeded.has(key) ? undefined : value,
  ) as unknown;
  await writeFile(join(import.meta.dirname, `${name}.json`), `${JSON.stringify({ workflowId, history: needed })}\n`);
  console.error(`${name}: ${history.events?.length} events`);
}

const failed = 'maze-1-3';
const succeeded = 'maze-1-0';

/** Where the executions that continued as new began, the first one first. */
async function continued(workflowId: string): Promise<string[]> {
  const executions = [];
  for await (const execution of workflow.list({ query: `WorkflowId = "${workflowId}"` })) executions.push(execution);
  return executions.toSorted((one, other) => Number(one.startTime) - Number(other.startTime)).map(({ runId }) => runId);
}

async function branchesOf(run: LabRun): Promise<string[]> {
  const ids = new Set<string>();
  for await (const { workflowId } of workflow.list({ query: `CruxRun = "${run.id}" AND WorkflowType = "branch"` }))
    ids.add(workflowId);
  return [...ids].toSorted();
}

const plain = await lab.start({ taskIds: [succeeded, failed] });
await plain.result();
await keep('campaign-finished', plain.id);
await keep('trajectory-succeeded', `${plain.id}/${succeeded}/0`);
await keep('trajectory-mined', `${plain.id}/${failed}/0`);

const call = await lab.start({ taskIds: [failed], granularity: 'call' });
await call.result();
await keep('trajectory-with-branches', `${call.id}/${failed}/0`);
await keep('branch', (await branchesOf(call))[0]!);

const sound = await lab.start({ taskIds: [failed], preset: 'sound', options: { branchesPerStep: 1 } });
await sound.result();
await keep('trajectory-sound', `${sound.id}/${failed}/0`);

const [recorded] = (await lab.store.findings.trajectories(plain.id)).filter(({ task_id: id }) => id === failed);
await lab.store.findings.addTrajectory({ ...recorded!, run_id: importScope('maze'), origin: 'imported' });
const imported = await lab.start({ trajectories: 'imported', options: { verify: false } });
await imported.result();
await keep('trajectory-imported', `${imported.id}/${failed}/0`);

const broken = await lab.start({ environment: 'brittle-maze', taskIds: ['maze-1-1'] });
await broken.result();
await keep('trajectory-environment-fault', `${broken.id}/maze-1-1/0`);

const cancelled = await lab.start({ taskIds: [failed], config: { run: { parallel: 1 } } });
await until('it is mined', async () => (await lab.store.findings.steps(cancelled.id)).length > 0);
await cancelled.cancel();
await cancelled.result();
await keep('campaign-cancelled', cancelled.id);
await keep('trajectory-cancelled', `${cancelled.id}/${failed}/0`);

const poor = await lab.start({ taskIds: [succeeded, failed], ceilings: { calls: 10 } });
await poor.pause();
await poor.resume();
await poor.result();
await keep('campaign-out-of-budget', poor.id);
await keep('trajectory-out-of-budget', `${poor.id}/${failed}/0`);

// So many rollouts are planned that the steps are mined in two parts.
const verification = { ...lab.verification(), rollouts: 64, baselineRollouts: 64 };
const long = await lab.start({
  environment: 'long-maze',
  options: { alternatives: 1, verify: false, verification },
  config: { run: { window: 1 } },
  limits: { historyLimit: 40 },
});
await long.result();
const [title] = (
  await mazeEnvironments()
    .find(({ name }) => name === 'long-maze')!
    .tasks()
).map(({ id }) => id);
const parts = await continued(`${long.id}/${title}/0`);
await keep('trajectory-continued-exploring', `${long.id}/${title}/0`, parts[1]);
await keep('trajectory-continued-mining', `${long.id}/${title}/0`, parts.at(-1));

const many = await lab.start({ limit: 4, config: { run: { window: 2 } }, limits: { historyLimit: 30 } });
await many.result();
const campaigns = await continued(many.id);
await keep('campaign-continued', many.id, campaigns[0]);
await keep('campaign-after-continuing', many.id, campaigns.at(-1));

const longBranches = await lab.start({
  environment: 'long-maze',
  limit: 1,
  granularity: 'call',
  options: { alternatives: 2, branchesPerStep: 1 },
  limits: { historyLimit: 60 },
});
await longBranches.result();
for (const id of await branchesOf(longBranches)) {
  const executions = await continued(id);
  if (executions.length < 2) continue;
  await keep('branch-continued', id, executions[0]);
  await keep('branch-after-continuing', id, executions[1]);
  break;
}

await lab.close();
await connection.close();
await server.stop();
await stopEmbeddedServer(home);
await rm(home, { recursive: true, force: true });
