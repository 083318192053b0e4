import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { startEmbeddedServer, stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import { connectionTo } from './connection.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporal: { address: string; namespace: string };
  }
}

const report = (line: string) => console.error(`[temporal] ${line}`);

/** Starts one server for the whole test run, in a new folder and on free ports, and bundles the workflows for all its workers. @returns what ends it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'crux-temporal-'));
  const server = await startEmbeddedServer({ home, report, ports: { server: await freePort(), ui: await freePort() } });
  const connection = await connectionTo(server.address);
  await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
  await connection.close();
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  await workflowCode(undefined);
  project.provide('temporal', { address: server.address, namespace: 'default' });
  return async () => {
    await server.stop();
    await stopEmbeddedServer(home);
    await rm(home, { recursive: true, force: true });
  };
}
