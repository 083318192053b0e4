/**
 * Reaches Temporal: the server that the user configured (Temporal's own variables, profile or configuration file, as every Temporal tool reads them),
 * otherwise the embedded server of the home folder. Temporal's modules are loaded on the first call only, because commands that merely read the store
 * must start fast.
 */
import type { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';
import { CruxError, errorText } from '../errors.ts';
import { withoutKey } from '../redact.ts';
import { unlessAborted } from '../unless-aborted.ts';

export type ConnectTemporalOptions = {
  /** Crux's home folder, where the embedded server keeps its state. */
  home: string;
  /** Gets a line for each thing that happens. */
  report: (line: string) => void;
  /**
   * What to do if no server is configured. `start`: start the embedded one or join it, and hold it until `close`. `join`: hold it if it runs.
   * `visit`: use it if it runs, and leave it running. `never`: use Temporal's default address, localhost:7233.
   */
  embedded: 'start' | 'join' | 'visit' | 'never';
  /** The command that connects, such as `crux up`, as a user of the embedded server. Default null: a program. */
  command?: string | null;
  /** Stops waiting for a server, its download or its build. If an embedded server was started for this call, it ends. */
  signal?: AbortSignal;
  /** How long to wait for a configured server that does not answer. Default 10,000. */
  connectTimeoutMs?: number;
  /** Variable that holds the keys for encrypting payloads. Default: `CRUX_CODEC_KEY`. */
  codecKeyEnv?: string;
};

export type TemporalConnection = {
  connection: Connection;
  /** Reads and writes payloads as the workers do. */
  client: Client;
  /** For workers; made at the first call, the same one from then on. */
  nativeConnection: () => Promise<NativeConnection>;
  /** For workers, and for clients other than `client`. */
  dataConverter: DataConverter;
  namespace: string;
  /** host:port. */
  address: string;
  /** URL of the Temporal UI; null if the server is not ours, because the place of its UI is unknown. */
  uiAddress: string | null;
  source: 'configured' | 'embedded';
  /** Closes the connections and releases the embedded server. The worker must have shut down. Calling twice has no further effect. */
  close: () => Promise<void>;
};

type Target = {
  connectionOptions: NativeConnectionOptions;
  address: string;
  namespace: string;
  uiAddress: string | null;
  source: 'configured' | 'embedded';
  letGo: () => Promise<void>;
};

const usualConnectTimeoutMs = 10_000;
/** After a long outage a server is found again within this time; gRPC's own limit is two minutes. */
const reconnectMs = 5_000;

/**
 * Connects, and makes the namespace ready (it exists and knows Crux's search attributes).
 * @throws CruxError Temporal.Unavailable, Temporal.ServerMissing, User.Config (a configuration that cannot be read); the signal's reason
 */
export async function connectTemporal(options: ConnectTemporalOptions): Promise<TemporalConnection> {
  const { dataConverterFrom, usualCodecKeyEnv } = await import('./data-converter.ts');
  const dataConverter = dataConverterFrom(options.codecKeyEnv ?? usualCodecKeyEnv);
  const target = await findTarget(options);
  try {
    return await open(target, dataConverter, options);
  } catch (error) {
    await target.letGo();
    throw error;
  }
}

async function open(
  target: Target,
  dataConverter: DataConverter,
  options: ConnectTemporalOptions,
): Promise<TemporalConnection> {
  const { connectionOptions, address, namespace, uiAddress, source } = target;
  const { Client, Connection } = await import('@temporalio/client');
  const { prepareNamespace } = await import('./prepare-namespace.ts');
  const { retries } = await import('./retries.ts');
  const { address: _, tls, apiKey, metadata } = connectionOptions;
  const { report, signal } = options;
  const connecting = Connection.connect({
    address,
    tls,
    apiKey,
    metadata,
    connectTimeout: options.connectTimeoutMs ?? usualConnectTimeoutMs,
    channelArgs: { 'grpc.max_reconnect_backoff_ms': reconnectMs },
    interceptors: retries(),
  }).catch((error: unknown) => {
    throw unreachable(target, error);
  });
  const connection = await unlessAborted(connecting, signal);
  try {
    const preparing = prepareNamespace(connection, namespace, { report, embedded: source === 'embedded' });
    await unlessAborted(preparing, signal);
  } catch (error) {
    await connection.close();
    throw error instanceof CruxError || signal?.aborted ? error : unreachable(target, error);
  }

  let native: Promise<NativeConnection> | null = null;
  const nativeConnection = () => {
    native ??= connectNatively(target);
    return native;
  };
  let closed: Promise<void> | null = null;
  const close = async () => {
    try {
      await (await native)?.close();
      await connection.close();
    } finally {
      await target.letGo();
    }
  };
  return {
    connection,
    client: new Client({ connection, namespace, dataConverter }),
    nativeConnection,
    dataConverter,
    namespace,
    address,
    uiAddress,
    source,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

async function connectNatively(target: Target): Promise<NativeConnection> {
  const { NativeConnection } = await import('@temporalio/worker');
  // Between two processes of one machine, compression costs more than it saves: a sixth of the server's CPU time, measured.
  const compression = target.source === 'embedded' ? { grpcCompression: { codec: 'none' as const } } : {};
  return await NativeConnection.connect({ ...target.connectionOptions, address: target.address, ...compression }).catch(
    (error: unknown) => {
      throw unreachable(target, error);
    },
  );
}

type Configured = Pick<Target, 'connectionOptions' | 'namespace'> & { address: string | null };

const usualAddress = 'localhost:7233';

/**
 * What Temporal's own variables, profile or configuration file say.
 * @returns `address` null if they name no server: Crux then uses the embedded one
 * @throws CruxError User.Config
 */
export async function configuredServer(): Promise<Configured> {
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  let configured: ReturnType<typeof loadClientConnectConfig>;
  try {
    configured = loadClientConnectConfig({ overrideEnvVars: setVariables() });
  } catch (error) {
    throw new CruxError('User.Config', `Temporal's own configuration cannot be read: ${errorText(error)}`, {
      remedy:
        'Check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the other TEMPORAL_ variables, or unset them to use the embedded server.',
      cause: error,
    });
  }
  const { connectionOptions, namespace = 'default' } = configured;
  const { address = process.env.TEMPORAL_PROFILE ? usualAddress : null } = connectionOptions;
  return { connectionOptions, address, namespace };
}

async function findTarget(options: ConnectTemporalOptions): Promise<Target> {
  const { connectionOptions, namespace, ...configured } = await configuredServer();
  const address = configured.address ?? (options.embedded === 'never' ? usualAddress : null);
  if (address !== null) {
    const letGo = async () => {};
    return { connectionOptions, address, namespace, uiAddress: null, source: 'configured', letGo };
  }
  const server = await embeddedServer(options);
  return {
    connectionOptions: {},
    address: server.address,
    namespace,
    uiAddress: server.uiAddress,
    source: 'embedded',
    letGo: server.stop,
  };
}

/** The environment without empty variables: container files leave unset variables empty. */
function setVariables(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

async function embeddedServer(
  options: ConnectTemporalOptions,
): Promise<{ address: string; uiAddress: string; stop: () => Promise<void> }> {
  const { joinEmbeddedServer, startEmbeddedServer } = await import('./embedded-server.ts');
  if (options.embedded === 'start') return await startEmbeddedServer(options);
  const joined = await joinEmbeddedServer(options, options.embedded === 'join' ? 'hold' : 'visit');
  if (joined !== null) return joined;
  throw new CruxError('Temporal.Unavailable', `No Temporal server runs for ${options.home}, and none is configured.`, {
    remedy: 'Start it with "crux up", or set TEMPORAL_ADDRESS to a running server.',
  });
}

/** Without the error itself, which carries the request's headers. */
function unreachable({ address, namespace, connectionOptions }: Target, error: unknown): CruxError {
  const reasons = chain(error);
  const words = reasons.map(errorText).join(': ');
  const { apiKey } = connectionOptions;
  const safeWords = typeof apiKey === 'string' ? withoutKey(words, apiKey) : words;
  // PERMISSION_DENIED, UNAUTHENTICATED
  const isRefused = reasons.some(({ code }) => code === 7 || code === 16);
  const remedy = isRefused
    ? 'Check TEMPORAL_API_KEY or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH, …_KEY_PATH), and TEMPORAL_NAMESPACE.'
    : 'Check TEMPORAL_ADDRESS, TEMPORAL_PROFILE and the TEMPORAL_TLS settings, and that the server runs; or unset them all to use the embedded server.';
  const message = `Temporal at ${address} (namespace "${namespace}") is out of reach: ${safeWords}`;
  return new CruxError('Temporal.Unavailable', message, { remedy });
}

/** An error and its causes: the client keeps the server's answer among them. */
function chain(error: unknown): (Error & { code?: unknown })[] {
  return error instanceof Error ? [error, ...chain(error.cause)] : [];
}
