// Layer: replay of recorded histories. A change of a workflow that runs under way would not survive fails here; see record.ts.
import { readdirSync, readFileSync } from 'node:fs';
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

const sources = join(import.meta.dirname, '../../src/workflows/index.ts');
const logger = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const fixtures = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));

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

describe('histories of earlier runs', () => {
  it('replay with the workflows as they are', async () => {
    expect(fixtures.length).toBeGreaterThan(15);
    expect(await replay(bundle.code, fixtures)).toEqual({});
  });

  it.each([
    ['an activity that was renamed', 'recordPairs(', 'writePairs(', 'trajectory-mined'],
    ['an activity that was left out', 'await task.propose(step);', '', 'trajectory-mined'],
    ['a campaign that asks for its tasks otherwise', 'nextTasks(', 'fetchTasks(', 'campaign-finished'],
    ['a branch that begins differently', 'openBranch(', 'startBranch(', 'branch'],
  ])('do not replay with %s', async (_what, from, to, fixture) => {
    expect(bundle.code).toContain(from);
    const errors = await replay(bundle.code.replaceAll(from, to), [fixture]);
    expect(errors[fixture]).toBeInstanceOf(DeterminismViolationError);
  });
});
