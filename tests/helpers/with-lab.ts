/** A lab for programs: with an embedded Temporal server of its own, which is started again when it is killed, and gone in the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer, stopEmbeddedServer } from '../../src/temporal/embedded-server.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { prepareNamespace } from '../../src/temporal/prepare-namespace.ts';
import { connectionTo } from './connection.ts';
import { Lab, type LabOptions } from './lab.ts';

export async function withLab<T>(
  options: Omit<LabOptions, 'address'>,
  work: (lab: Lab, temporalHome: string) => Promise<T>,
): Promise<T> {
  const temporalHome = await mkdtemp(join(tmpdir(), 'crux-lab-temporal-'));
  const ports = { server: await freePort(), ui: await freePort() };
  const server = await startEmbeddedServer({ home: temporalHome, report: () => {}, ports });
  try {
    const connection = await connectionTo(server.address);
    await prepareNamespace(connection, 'default', { report: () => {}, embedded: true });
    await connection.close();
    const lab = await Lab.open({ address: server.address, ...options });
    try {
      return await work(lab, temporalHome);
    } finally {
      await lab.close();
    }
  } finally {
    await server.stop();
    await stopEmbeddedServer(temporalHome);
    await rm(temporalHome, { recursive: true, force: true });
  }
}
