/**
 * Records a store with a run of each method, and all that this version gets out of it: `node tests/stores/record.ts <version>`. Later versions must open it
 * and get the same (opened.test.ts). A folder belongs to the version of the store that wrote it, and is never recorded again.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { auditWorkflowId } from '../../src/domain/run/workflow-ids.ts';
import { EnvironmentRegistry } from '../../src/environments/registry.ts';
import { launchAudit, prepareAudit } from '../../src/start/audits.ts';
import { importScope } from '../../src/store/findings.ts';
import { startEmbeddedServer, stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { connectionTo } from '../helpers/connection.ts';
import { Lab, type LabRequest } from '../helpers/lab.ts';
import { outputsOf, type RunOutputs } from './outputs.ts';

const [name] = process.argv.slice(2);
if (!name) throw new Error('Name the folder: node tests/stores/record.ts <version>.');
const folder = join(import.meta.dirname, name);

/** By run id: as few tasks as give failures, successes and pairs (or examples) under every method. */
const runs: { [runId: string]: LabRequest } = {
  cso: { environment: 'sql-demo', limit: 5, options: { calibrationRate: 0.5 } },
  'cso-mazes': { limit: 5 },
  'cso-sound': { limit: 8, preset: 'sound' },
  rro: { method: 'rro', taskIds: ['maze-1-3'], options: { reestimateRate: 1 } },
  'rro-sound': {
    method: 'rro',
    taskIds: ['maze-1-3'],
    preset: 'sound',
    options: { draws: 2, valueRollouts: 2, exploration: 'fixed' },
  },
  'rro-stopped': { method: 'rro', taskIds: ['maze-1-3'], options: { valueStopping: 'cannot-rise' } },
  'step-dpo': { method: 'step-dpo', limit: 2, environment: 'sql-demo' },
  'step-dpo-first-error': { method: 'step-dpo', limit: 8, options: { select: 'first-error', resamples: 8 } },
  ipr: { method: 'ipr', limit: 3, options: { valueRollouts: 2, reestimateRate: 1 } },
  eto: { method: 'eto', limit: 5 },
  rft: { method: 'rft', limit: 2, options: { trajectories: 4 } },
  sft: { method: 'sft', environment: 'sql-demo', limit: 3, options: { experts: 'scripted' } },
  evaluate: { method: 'evaluate', split: 'train', limit: 3, samples: 2, trainedOn: ['none'] },
};

const home = await mkdtemp(join(tmpdir(), 'crux-record-'));
const server = await startEmbeddedServer({
  home,
  report: (line) => console.error(line),
  ports: { server: await freePort(), ui: await freePort() },
});
const connection = await connectionTo(server.address);
await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
const lab = await Lab.open({ address: server.address, sql: true });
try {
  await lab.work();
  for (const [runId, request] of Object.entries(runs)) {
    const run = await lab.start({ runId, ...request });
    console.error(runId, JSON.stringify(await run.result()));
  }
  const [failed] = (await lab.store.findings.trajectories('cso-mazes')).filter(({ taskId: id }) => id === 'maze-1-3');
  await lab.store.findings.addTrajectory({ ...failed!, runId: importScope('maze'), origin: 'imported' });
  const imported = await lab.start({ runId: 'cso-imported', trajectories: 'imported' });
  console.error('cso-imported', JSON.stringify(await imported.result()));
  await launchAudit(lab.client, lab.store, await prepareAudit(lab.store, 'cso-mazes', { rollouts: 20 }));
  await lab.client.workflow.getHandle(auditWorkflowId('cso-mazes')).result();

  const registry = new EnvironmentRegistry(lab.config().environments);
  const outputs: { [runId: string]: RunOutputs } = {};
  for (const runId of [...Object.keys(runs), 'cso-imported'])
    outputs[runId] = await outputsOf(lab.store, registry, runId);
  await registry.close();
  await mkdir(folder);
  await writeFile(join(folder, 'outputs.json.gz'), gzipSync(`${JSON.stringify(outputs, null, 1)}\n`, { level: 9 }));
  const copy = join(home, 'copy.db');
  const database = new DatabaseSync(join(lab.home, 'crux.db'));
  database.exec(`VACUUM INTO '${copy}'`);
  database.close();
  await writeFile(join(folder, 'crux.db.gz'), gzipSync(await readFile(copy), { level: 9 }));
} finally {
  await lab.close();
  await connection.close();
  await server.stop();
  await stopEmbeddedServer(home);
  await rm(home, { recursive: true, force: true });
}
