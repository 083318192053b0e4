// Layer: end to end: keys are planted in the environment, a provider repeats them in its errors, and everything that comes out is searched.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeDemoDataset } from '../../src/environments/intercode-sql/demo/demo.ts';
import { simulationFromDataset } from '../../src/simulation/from-dataset.ts';
import { type Simulation, startSimulation } from '../../src/simulation/server.ts';
import { openStore } from '../../src/store/store.ts';
import type { RunSummary } from '../../src/views/run-summary.ts';
import { demoConfig, Project } from '../end-to-end/crux.ts';
import { barredModel, type CarelessFront, startCarelessFront } from '../helpers/careless-front.ts';
import { worlds } from '../helpers/mazes.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../helpers/otlp-receiver.ts';
import { rawHistories } from './histories.ts';

/** By where they are planted. None of them looks like a key, so that only knowing it can cut it out. */
const planted = {
  PLANTED_MODEL_KEY: 'Qx7vR2Lm0pWz5NtB8kYd',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Vc4hJ9sKe2TgUa6fXb1M',
  TEMPORAL_API_KEY: 'Zr8nD3oPq5WyHj7lGi0C',
  PLANTED_CODEC_TOKEN: 'Lk2xF6uMv9EbSo4tRa7N',
};

/** The secrets and what could be made of them: halves, as messages that are cut leave them, and other writings. */
const needles = Object.values(planted).flatMap((value) => {
  const secret = value.split('=').at(-1)!;
  const base64 = Buffer.from(`Bearer ${secret}`).toString('base64').slice(12, 24);
  return [
    secret.slice(0, 8),
    secret.slice(-8),
    Buffer.from(secret).toString('base64').slice(0, 12),
    base64,
    Buffer.from(secret).toString('hex'),
  ];
});

let project: Project;
let simulation: Simulation;
let front: CarelessFront;
let collector: OtlpReceiver;
/** Everything that came out, by where. */
const outputs = new Map<string, string>();
let summaries: RunSummary[];

beforeAll(async () => {
  collector = await startOtlpReceiver();
  project = new Project({
    ...planted,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    CRUX_BLOCKED_PATIENCE: '1',
  });
  await writeDemoDataset(project.path('data'));
  const known = [...(await simulationFromDataset(project.path('data'))), ...worlds()];
  simulation = await startSimulation({ seed: 2, worlds: known });
  front = await startCarelessFront(simulation.url);
  project.write('crux.config.ts', configuration(front.url));
  project.write('barred.config.ts', configuration(front.url).replace("'sim-policy'", `'${barredModel}'`));

  const options = ['--metrics', '127.0.0.1:0', '--log-level', 'debug', '--verbose'];
  const worker = project.start(['up', ...options]);
  await worker.says(/Worker .*ready/);
  const crux = async (...args: string[]) => {
    // Each in a process of its own: what one has learnt to cut out, the next one does not know.
    const ended = await project.apart(...args, '--verbose');
    outputs.set(`crux ${args.join(' ')}`, ended.stdout + ended.stderr);
    return ended;
  };
  await crux('doctor');
  // Step by step, so that what models refuse is in histories too.
  await crux('run', 'cso', '--env', 'maze', '--run-id', 'e2e-maze', '--granularity', 'step', '--detach');
  await crux('run', 'cso', '--env', 'sql', '--run-id', 'e2e-sql', '--limit', '16', '--json');
  await crux('watch', 'e2e-maze');
  await crux('run', 'cso', '--config', 'barred.config.ts', '--env', 'sql', '--run-id', 'e2e-barred', '--limit', '1');
  await crux('watch', 'e2e-barred');
  for (const run of ['e2e-maze', 'e2e-sql', 'e2e-barred']) {
    await crux('status', run, '--json');
    await crux('show', run, '--json');
    await crux('report', run, '--out', `${run}.html`);
    await crux('export', run, '--format', 'trl', '--out', `${run}-pairs`);
  }
  await crux('compare', 'e2e-maze', 'e2e-sql', '--ledger-only', '--out', 'comparison.html');
  await crux('verify-pair', 'e2e-maze');
  await crux('cancel', 'e2e-barred');
  await crux('codec-server', '--host', '0.0.0.0', '--token-env', 'PLANTED_CODEC_TOKEN');
  summaries = ['e2e-maze', 'e2e-sql'].map((run) => JSON.parse(outputs.get(`crux show ${run} --json`)!));
  for (const { workflowId, bytes } of await rawHistories(project))
    outputs.set(`history of ${workflowId}`, bytes.toString('latin1'));
  const address = /Metrics +(http:\S+)/.exec(worker.stderr())![1]!;
  outputs.set('metrics', await (await fetch(address)).text());
  worker.process.kill('SIGTERM');
  const { stdout, stderr } = await worker.ended;
  outputs.set('log of the worker', stdout + stderr);
  outputs.set('traces and metrics by OTLP', collector.bodies.join('\n'));
  for (const file of readdirSync(project.folder, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    if (file.isFile()) outputs.set(path.slice(project.folder.length), readFileSync(path, 'latin1'));
  }
});

afterAll(async () => {
  front.close();
  collector.close();
  await simulation.close();
  await project.remove();
});

function configuration(url: string): string {
  const mazes = pathToFileURL(join(import.meta.dirname, '../helpers/mazes.ts')).href;
  return demoConfig(url)
    .replace('import {', `import { mazeEnvironments } from '${mazes}';\nimport {`)
    .replace("name: 'sql' })]", "name: 'sql' }), mazeEnvironments()[0]]")
    .replace("/v1' }", "/v1', apiKeyEnv: 'PLANTED_MODEL_KEY' }");
}

test('the provider had every occasion to give the key away, and the runs came to pairs all the same', () => {
  expect(Object.keys(front.repeated).sort()).toEqual([
    'JSON of another form',
    'error with message',
    'header of the answer',
    'no JSON, the key first',
    'page of a proxy',
    'rate limit in words',
    'refusal',
    'refusal of the key',
  ]);
  for (const { pairs } of summaries) expect(pairs.total).toBeGreaterThan(0);
  // Which calls are refused for good is decided by their keys.
  expect(summaries.some(({ endings }) => (endings['model-fault'] ?? 0) > 0)).toBe(true);
  expect(collector.authorizations.every((header) => header === planted.OTEL_EXPORTER_OTLP_HEADERS.split('=')[1])).toBe(
    true,
  );
});

test('what is searched is what there is: stores, histories, logs, reports, exports, metrics, traces', () => {
  const sizes = [...outputs].map(([name, text]) => ({ name, size: text.length }));
  for (const name of [
    '/.crux/crux.db',
    '/.crux/temporal.db',
    '/e2e-sql.html',
    '/comparison.html',
    '/e2e-sql-pairs/pairs.jsonl',
  ])
    expect(sizes).toContainEqual({ name, size: expect.toSatisfy((size: number) => size > 500) });
  expect(outputs.get('metrics')).toMatch(/crux_model_faults_total\{.*kind="Model.Rejected"\} [1-9]/);
  for (const event of ['model answered', 'model call failed'])
    expect(outputs.get('log of the worker')).toContain(event);
  expect(outputs.get('traces and metrics by OTLP')).toContain('Model.Rejected');
  const histories = [...outputs].filter(([name]) => name.startsWith('history of '));
  expect(histories.length).toBeGreaterThan(15);
  for (const words of ['Flagged by moderation: [key]', 'Incorrect API key provided: [key]'])
    expect(histories.some(([, text]) => text.includes(words))).toBe(true);
  expect(outputs.get('crux status e2e-barred --json')).toContain('Incorrect API key provided: [key]');
});

test('no secret, and no half of one, is in any of it', () => {
  const found = [...outputs].flatMap(([name, text]) =>
    needles.filter((needle) => text.includes(needle)).map((needle) => `${name}: ${around(text, needle)}`),
  );
  expect(found).toEqual([]);
});

test('no secret is in any column of the store', async () => {
  const store = await openStore(join(project.home, 'crux.db'));
  try {
    const tables = await store.database.kysely.introspection.getTables();
    expect(tables.length).toBeGreaterThan(5);
    for (const { name } of tables) {
      const rows = await store.database.kysely
        .selectFrom(name as never)
        .selectAll()
        .execute();
      const text = JSON.stringify(rows);
      expect(
        needles.filter((needle) => text.includes(needle)),
        `table ${name}`,
      ).toEqual([]);
    }
  } finally {
    await store.close();
  }
});

function around(text: string, needle: string): string {
  const at = text.indexOf(needle);
  return text.slice(Math.max(0, at - 80), at + 40);
}
