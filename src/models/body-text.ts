/** The body of an HTTP response as text. */
import { promisify } from 'node:util';
// As a whole: on an older Node a missing name would keep required-node.ts from saying which Node is needed.
import zlib from 'node:zlib';

type Body = { text(): Promise<string>; bytes(): Promise<Uint8Array> };
type Decoder = (bytes: Uint8Array) => Promise<Buffer>;

/** By content coding. Only gzip is asked for, but some proxies compress as they like. */
const decoders: { [coding: string]: Decoder } = {
  gzip: promisify<Uint8Array, Buffer>(zlib.unzip),
  'x-gzip': promisify<Uint8Array, Buffer>(zlib.unzip),
  deflate: promisify<Uint8Array, Buffer>(zlib.unzip),
  br: promisify<Uint8Array, Buffer>(zlib.brotliDecompress),
  zstd: promisify<Uint8Array, Buffer>(zlib.zstdDecompress),
};

/**
 * @param encoding the header `content-encoding`; a coding that nobody knows is taken for none
 * @throws Error if the body does not come whole, or is not what its coding says
 */
export async function bodyText(body: Body, encoding: string | null): Promise<string> {
  if (encoding === null) return body.text();
  const codings = encoding.split(',').map((coding) => coding.trim().toLowerCase());
  let bytes = await body.bytes();
  // The last coding was applied last.
  for (const coding of codings.reverse()) {
    const decode = Object.hasOwn(decoders, coding) ? decoders[coding]! : null;
    if (decode !== null && bytes.length > 0) bytes = await decode(bytes);
  }
  return new TextDecoder().decode(bytes);
}
