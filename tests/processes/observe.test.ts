// Layer: end to end: workers as processes of their own, with all that can be seen of them switched on, and payloads encrypted.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Simulation } from '../../src/simulation/server.ts';
import { demoConfig, Project, type RunningCrux, simulateDemoModels } from '../end-to-end/crux.ts';
import { type Samples, samplesOf } from '../helpers/metrics.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../helpers/otlp-receiver.ts';
import { type RawHistory, rawHistories } from './histories.ts';

const run = 'e2e-observe';
const broken = 'e2e-broken';
const codecKey = randomBytes(32).toString('base64');

let plain: Project;
let observed: Project;
let simulation: Simulation;
let collector: OtlpReceiver;
let paid: number;
let refused: number;
let metrics: Samples;
let plainHistories: RawHistory[];
let histories: RawHistory[];
let logs: { [name: string]: unknown }[];
let spans: ReceivedSpan[];

beforeAll(async () => {
  collector = await startOtlpReceiver();
  const patience = { CRUX_BLOCKED_PATIENCE: '1' };
  plain = new Project(patience);
  observed = new Project({
    ...patience,
    CRUX_CODEC_KEY: codecKey,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
  });
  simulation = await simulateDemoModels(plain, { seed: 2 });
  await writeData(observed);
  for (const project of [plain, observed]) {
    project.write('crux.config.ts', demoConfig(simulation.url));
    const unknownModel = demoConfig(simulation.url).replace("model: 'sim-policy'", "model: 'no-such-model'");
    project.write('broken.config.ts', unknownModel);
  }
  const worker = plain.start(['up']);
  await worker.says(/ready/);
  await mine(plain);
  plainHistories = await rawHistories(plain);
  await end(worker);

  const before = asked();
  const options = ['--metrics', '127.0.0.1:0', '--log-format', 'json', '--log-level', 'debug'];
  const seen = observed.start(['up', ...options]);
  await seen.says(/"message":"Worker .*ready/);
  await mine(observed);
  paid = asked().paid - before.paid;
  refused = asked().refused - before.refused;
  histories = await rawHistories(observed);
  const address = /"message":"Metrics (http:[^"]+)"/.exec(seen.stderr())![1]!;
  metrics = samplesOf(await (await fetch(address)).text());
  const { stderr } = await end(seen);
  logs = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  spans = collector.spans();
});

afterAll(async () => {
  collector.close();
  await simulation.close();
  await plain.remove();
  await observed.remove();
});

/** Requests that the simulated models got so far. */
function asked(): { paid: number; refused: number } {
  const { requests, models } = simulation.stats();
  const { requests: refused = 0 } = models['no-such-model'] ?? {};
  return { paid: requests - refused, refused };
}

/** A run, and one whose model nobody knows. */
async function mine(project: Project): Promise<void> {
  await project.json('run', 'cso', '--run-id', run, '--limit', '6', '--detach');
  await project.json('watch', run);
  const faulty = ['--config', 'broken.config.ts', 'run', 'cso', '--run-id', broken, '--limit', '1'];
  // A worker of its own, whose metrics and traces must not become those of this process.
  const { code, stderr } = await project.apart(...faulty);
  expect(code, stderr).toBe(4);
  expect(stderr).toContain('The model "no-such-model" does not exist');
  await project.json('cancel', broken);
  await project.json('export', run, '--format', 'trl', '--out', 'pairs');
}

async function writeData(project: Project): Promise<void> {
  const { writeDemoDataset } = await import('../../src/environments/intercode-sql/demo/demo.ts');
  await writeDemoDataset(project.path('data'));
}

async function end(running: RunningCrux) {
  running.process.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended).toMatchObject({ code: 0 });
  return ended;
}

describe('encrypted payloads', () => {
  /** Words of arguments, results, summaries, details and failures. Search attributes have others. */
  const words = ['cso on sql, 6 tasks', 'The endpoint', 'nodeId', 'wholeSteps', 'trajectoryId', 'position'];
  const holds = (all: RawHistory[], word: string) => all.some(({ bytes }) => bytes.includes(word));

  test('leave no word in the histories that is there without encryption', () => {
    expect(words.filter((word) => !holds(plainHistories, word))).toEqual([]);
    expect(words.filter((word) => holds(histories, word))).toEqual([]);
  });

  test('leave no title of a task either', () => {
    const { tasks } = JSON.parse(readFileSync(observed.path('data', 'dataset.json'), 'utf8')) as {
      tasks: { question: string }[];
    };
    const shown = tasks.map(({ question }) => question.slice(0, 40));
    expect(shown.some((words) => holds(plainHistories, words))).toBe(true);
    expect(shown.filter((words) => holds(histories, words))).toEqual([]);
  });

  test('change nothing about what a run comes to', () => {
    const pairs = (project: Project) => readFileSync(project.path('pairs/pairs.jsonl'), 'utf8');
    expect(pairs(observed)).not.toBe('');
    expect(pairs(observed)).toBe(pairs(plain));
    expect(histories.map(({ workflowId }) => workflowId).sort()).toEqual(
      plainHistories.map(({ workflowId }) => workflowId).sort(),
    );
  });

  test('are read by the codec server for the UI', async () => {
    const server = observed.start(['codec-server', '--port', '0', '--ui-origin', 'http://ui.example:8080']);
    await server.says(/Codec server at/);
    const url = /Codec server at (\S+)/.exec(server.stderr())![1]!;
    const payload = firstPayload(histories.find(({ workflowId }) => workflowId === run)!);
    const response = await fetch(`${url}/decode`, {
      method: 'POST',
      headers: { origin: 'http://ui.example:8080', 'content-type': 'application/json' },
      body: JSON.stringify({ payloads: [inJson(payload)] }),
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('http://ui.example:8080');
    const { payloads } = (await response.json()) as { payloads: { data: string }[] };
    expect(JSON.parse(Buffer.from(payloads[0]!.data, 'base64').toString())).toMatchObject({
      runId: run,
      method: 'cso',
    });
    await end(server);
  });

  test('have no key that leaves the process', () => {
    const places = [
      ...histories.map(({ bytes }) => bytes.toString('latin1')),
      JSON.stringify(logs),
      ...collector.bodies,
    ];
    expect(places.filter((place) => place.includes(codecKey) || place.includes(codecKey.slice(0, 20)))).toEqual([]);
  });
});

describe('metrics', () => {
  const sum = (name: string, label = '') =>
    Object.entries(metrics)
      .filter(([key]) => key.startsWith(`${name}{`) && key.includes(label))
      .reduce((total, [, value]) => total + value, 0);

  test('count every call that was paid, and every refusal', () => {
    expect(refused).toBeGreaterThan(0);
    // The broken run brought a worker of its own: whichever of the two made a call was refused.
    expect(sum('crux_model_faults_total', 'kind="Model.NotServed"')).toBeLessThanOrEqual(refused);
    expect(sum('crux_model_calls_total')).toBeGreaterThan(0);
    expect(sum('crux_model_calls_total')).toBe(paid);
    for (const role of ['policy', 'expert', 'prm'])
      expect(sum('crux_model_call_seconds_count', `role="${role}"`)).toBe(
        sum('crux_model_calls_total', `role="${role}"`),
      );
    expect(sum('crux_model_tokens_total')).toBeGreaterThan(sum('crux_model_calls_total'));
    expect(sum('crux_model_cost_unknown_total')).toBe(sum('crux_model_calls_total'));
  });

  test('show endpoints, sessions and queues as they are now', () => {
    expect(metrics).toMatchObject({
      'crux_model_calls_under_way{endpoint="simulated"}': 0,
      'crux_model_calls_waiting{endpoint="simulated"}': 0,
      'crux_model_concurrency{endpoint="simulated"}': 64,
      'crux_task_queue_depth{queue="workflow"}': 0,
      'crux_task_queue_depth{queue="agent"}': 0,
    });
    // Sessions end with their task.
    expect(metrics['crux_sessions_open{environment="sql"}']).toBeGreaterThanOrEqual(0);
    expect(sum('crux_environment_step_seconds_count', 'environment="sql"')).toBeGreaterThan(0);
  });

  test('include those of the Temporal SDK, in seconds', () => {
    expect(
      Object.keys(metrics).some((name) => name.startsWith('temporal_activity_execution_latency_seconds_count')),
    ).toBe(true);
  });

  test('are sent by OTLP too', () => {
    expect([...collector.metricNames()]).toEqual(
      expect.arrayContaining(['crux_model_calls', 'crux_model_call_seconds']),
    );
  });
});

describe('logs', () => {
  test('are JSON to the last line, with run, task and step of every answer', () => {
    const answers = logs.filter(({ message }) => message === 'model answered');
    expect(answers.length).toBe(paid);
    const complete = {
      run,
      task: expect.any(String),
      sample: 0,
      step: expect.any(Number),
      activity: expect.any(String),
    };
    expect(answers).toEqual(answers.map(() => expect.objectContaining(complete)));
    expect(logs.filter(({ level, time, message }) => !level || !time || !message)).toEqual([]);
  });

  test('tell when the worker began and ended, and what it worked on', () => {
    const messages = logs.map(({ message }) => message);
    expect(messages).toContain('worker started');
    const worked = new RegExp(`^This worker made \\d+ calls of run ${run}`);
    expect(messages.slice(-2)).toEqual(['worker stopped', expect.stringMatching(worked)]);
  });

  test('hold nothing that models or environments wrote', () => {
    expect(JSON.stringify(logs)).not.toMatch(/SELECT|Thought:|Observation:/);
  });
});

describe('traces', () => {
  const named = (name: string) => spans.filter((span) => span.name === name);

  test('are one for each trajectory, with the activities of its workflow', () => {
    const trajectories = new Map<string, Set<unknown>>();
    for (const { traceId, attributes } of named('openTask')) {
      const place = `${attributes['crux.run']}/${attributes['crux.task']}/${attributes['crux.sample']}`;
      trajectories.set(place, (trajectories.get(place) ?? new Set()).add(traceId));
    }
    expect(trajectories.size).toBeGreaterThanOrEqual(6);
    expect([...trajectories.values()].map(({ size }) => size)).toEqual([...trajectories].map(() => 1));
    expect(new Set([...trajectories.values()].flatMap((ids) => [...ids])).size).toBe(trajectories.size);
  });

  test('hold model calls and environment steps below their activity', () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const parents = (name: RegExp) =>
      new Set(
        spans.filter((span) => name.test(span.name)).map(({ parentSpanId }) => byId.get(parentSpanId ?? '')?.name),
      );
    expect(parents(/^model call expert$/)).toEqual(new Set(['proposeAlternatives']));
    expect(parents(/^environment step sql$/)).toContain('openTask');
    const [call] = named('model call policy');
    expect(call!.attributes).toMatchObject({
      'crux.run': run,
      'crux.step': 1,
      'crux.role': 'policy',
      'crux.endpoint': 'simulated',
      'gen_ai.request.model': 'sim-policy',
      'gen_ai.usage.input_tokens': expect.any(Number),
    });
  });

  test('show what failed with its kind', () => {
    const failed = spans.filter(({ attributes }) => attributes['error.type'] === 'Run.Blocked');
    expect(failed.map(({ name }) => name)).toContain('model call policy');
    expect(failed.every(({ status, attributes }) => status.code === 2 && attributes['crux.run'] === broken)).toBe(true);
  });
});

function firstPayload({ events }: RawHistory): Payload {
  return events[0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!;
}

function inJson({ metadata, data }: Payload) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
    data: base64(data!),
  };
}
