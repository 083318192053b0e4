import { extname, join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { codecKeys, EncryptionCodec } from './payload-codec.ts';

/** How the variable is called where the configuration says nothing else. */
export const usualCodecKeyEnv = 'CRUX_CODEC_KEY';

/**
 * How clients and workers write payloads: encrypted where the variable holds keys.
 * @throws CruxError User.Config
 */
export function dataConverterFrom(variable: string): DataConverter {
  const keys = codecKeys(variable);
  // There without keys too: who meets an encrypted payload is told which key is missing.
  const payloadCodecs = [new EncryptionCodec(keys ?? [], variable)];
  return keys === null ? { payloadCodecs } : { payloadCodecs, failureConverterPath: encodedFailures };
}

/** A file, because it becomes part of the workflow bundle. */
const encodedFailures = join(
  import.meta.dirname,
  '..',
  'workflows',
  `encoded-failures${extname(import.meta.filename)}`,
);
