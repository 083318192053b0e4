/** Whether a Temporal server works: it must not only listen, but answer for its default namespace. */
import { connect } from 'node:net';
import { errorText } from '../errors.ts';

/** gRPC retries after 1 s, then ever more slowly. Here a server is being killed or started at this very moment. */
const impatient = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 200 };

/**
 * Asks a server on this machine, without TLS, once.
 * @returns null if it serves, otherwise the reason in words
 */
export async function whyUnhealthy(address: string, timeoutMs: number): Promise<string | null> {
  const [host, port] = address.split(':');
  if (!(await accepts(host ?? '', Number(port), timeoutMs))) return `nothing listens at ${address}`;
  const { Connection } = await import('@temporalio/client');
  const { retries } = await import('./retries.ts');
  try {
    const options = { connectTimeout: timeoutMs, channelArgs: impatient, interceptors: retries() };
    const connection = await Connection.connect({ address, ...options });
    try {
      return await connection.withDeadline(Date.now() + timeoutMs, async () => {
        const { status } = await connection.healthService.check({
          service: 'temporal.api.workflowservice.v1.WorkflowService',
        });
        const serving = 1;
        if (status !== serving) return `the server at ${address} says that it is not serving yet`;
        // The frontend is up before it knows its namespaces.
        await connection.workflowService.countWorkflowExecutions({ namespace: 'default' });
        return null;
      });
    } finally {
      await connection.close();
    }
  } catch (error) {
    return `the server at ${address} does not answer: ${errorText(error)}`;
  }
}

/** Whether a program accepts connections there. */
export function accepts(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
    socket.on('timeout', () => end(false));
  });
}
