import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../domain/canonical-json.ts';

/** Content hash: the first 128 bits of SHA-256 over the canonical JSON, as 32 hexadecimal digits. */
export function contentHash(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32);
}
