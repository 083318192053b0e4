import { readFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Certificates } from './certificates.ts';

export type TlsFront = {
  /** host:port, by a name that the certificate has. */
  address: string;
  /** Headers of all requests so far. */
  requests: IncomingHttpHeaders[];
  close: () => Promise<void>;
};

export type TlsFrontOptions = {
  certificates: Certificates;
  /** host:port of the server behind it, which speaks without TLS. */
  behind: string;
  /** Whether clients must show a certificate of the authority. */
  mutual?: boolean;
  /** API key that requests must bear. */
  apiKey?: string;
};

/** Stands before a Temporal server as the door of a cloud does: TLS, client certificates, API keys. */
export async function startTlsFront(options: TlsFrontOptions): Promise<TlsFront> {
  const { certificates, behind, mutual = false, apiKey } = options;
  const upstream = connect(`http://${behind}`);
  const requests: IncomingHttpHeaders[] = [];
  const server = createSecureServer({
    cert: readFileSync(certificates.server.certificate),
    key: readFileSync(certificates.server.key),
    ca: readFileSync(certificates.authority),
    requestCert: mutual,
    rejectUnauthorized: mutual,
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    requests.push(headers);
    stream.on('error', () => {});
    // As a careless server does, it repeats what it was shown.
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) {
      const status = { 'grpc-status': '16', 'grpc-message': `unauthorized: ${headers.authorization}` };
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
    } else pass(upstream, stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.destroy();
      upstream.destroy();
      await closed;
    },
  };
}

/** Passes one call on, with the trailers in which gRPC tells how it ended. */
function pass(upstream: ClientHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const request = upstream.request(headers);
  let trailers: IncomingHttpHeaders = {};
  request.on('error', () => stream.close());
  request.on('trailers', (received) => {
    trailers = received;
  });
  request.on('response', (received, flags) => {
    const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(received, isAll ? { endStream: true } : { waitForTrailers: true });
    if (!isAll) request.pipe(stream);
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.on('close', () => request.close());
  stream.pipe(request);
}
