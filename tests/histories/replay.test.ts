// Layer: replay of recorded histories. A change of a workflow that runs under way would not survive fails here; see record.ts.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { methodNames } from '../../src/domain/methods/index.ts';

const sources = join(import.meta.dirname, '../../src/workflows/index.ts');
const logger = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
/** `<version of Crux>/<name>`. */
const fixtures = globSync('*/*.json', { cwd: import.meta.dirname }).map((path) => path.replace('.json', ''));

/** Silent: every replay starts a worker. */
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'off', forward: {} } } });

let bundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  bundle = await bundleWorkflowCode({ workflowsPath: sources, logger });
});

/** @returns the error of each fixture that does not replay with this workflow code */
async function replay(code: string, names: string[]): Promise<{ [name: string]: Error }> {
  const errors: { [name: string]: Error } = {};
  for (const name of names) {
    const fixture = JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8')) as {
      workflowId: string;
      history: unknown;
    };
    const histories = [{ workflowId: fixture.workflowId, history: historyFromJSON(fixture.history) }];
    for await (const { error } of Worker.runReplayHistories({ workflowBundle: { ...bundle, code } }, histories)) {
      if (error) errors[name] = error;
    }
  }
  return errors;
}

/** What a fixture is a history of; `method` for trajectories only. */
function begun(name: string): { workflow: string; method: string | null } {
  const { history } = JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8')) as {
    history: { events: { workflowExecutionStartedEventAttributes: WorkflowStart }[] };
  };
  const { workflowType, input } = history.events[0]!.workflowExecutionStartedEventAttributes;
  const { method } = JSON.parse(Buffer.from(input.payloads[0]!.data, 'base64').toString('utf8')) as { method?: string };
  return { workflow: workflowType.name, method: workflowType.name === 'trajectory' ? method! : null };
}

type WorkflowStart = { workflowType: { name: string }; input: { payloads: { data: string }[] } };

describe('histories of earlier runs', () => {
  it('replay with the workflows as they are', async () => {
    expect(fixtures.length).toBeGreaterThan(15);
    expect(await replay(bundle.code, fixtures)).toEqual({});
  });

  it('are there for this version, of every workflow and every method', () => {
    const recorded = fixtures.filter((name) => name.startsWith(`${version}/`)).map(begun);
    const workflows = new Set(recorded.map(({ workflow }) => workflow));
    expect(workflows).toEqual(new Set(['campaign', 'trajectory', 'branch', 'audit', 'improve']));
    const methods = new Set(recorded.flatMap(({ method }) => method ?? []));
    expect(methods).toEqual(new Set([...methodNames, 'evaluate']));
  });

  it.each([
    ['an activity that was renamed', 'endTask(', 'finishIt(', '0.1.0/trajectory-mined'],
    // A call of an imported function, as the bundle has it.
    ['an activity that was left out', /await \S+\.propose\)\(task, step\);/g, '', '0.1.0/trajectory-mined'],
    ['a campaign that asks for its tasks otherwise', 'nextTasks(', 'fetchTasks(', '0.1.0/campaign-finished'],
    ['a branch that begins differently', 'openBranch(', 'startBranch(', '0.1.0/branch'],
  ])('do not replay with %s', async (_what, from, to, fixture) => {
    const changed = bundle.code.replaceAll(from, to);
    // A message of this one would print both bundles.
    expect(changed === bundle.code).toBe(false);
    const errors = await replay(changed, [fixture]);
    expect(errors[fixture]).toBeInstanceOf(DeterminismViolationError);
  });
});
