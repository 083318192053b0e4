// Layer: the command over a server's state file written by hand. No Temporal server.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { identifyProcess } from '../../../src/temporal/process-identity.ts';
import { readServerState, writeServerState } from '../../../src/temporal/server-state.ts';
import { temporaryProject } from '../../end-to-end/crux.ts';

test('a server that has died stays known while somebody uses it: down refuses, and --force forgets it', async () => {
  const project = temporaryProject();
  mkdirSync(project.home);
  const own = identifyProcess(process.pid)!;
  writeServerState(project.home, {
    ...{ schemaVersion: 1, address: '127.0.0.1:7999', uiAddress: 'http://127.0.0.1:8999' },
    ports: { server: 7999, ui: 8999 },
    server: { ...own, startMark: 'of another process' },
    ...{ startedAt: 1, keeper: null, idleMs: 1, unusedSince: null, openWorkflows: null },
    users: [{ id: 'user', process: own, command: 'crux up', since: 1 }],
  });
  const refused = await project.crux('down');
  expect(refused.stderr).toContain('is used by crux up');
  expect(refused.code).toBe(2);
  expect(readServerState(project.home)?.users).toHaveLength(1);
  expect((await project.crux('down', '--force')).code).toBe(0);
  expect(readServerState(project.home)).toBeNull();
});
