// Layer: pure core.
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, it, vi } from 'vitest';
import { codecKeys, EncryptionCodec } from '../../src/temporal/payload-codec.ts';

const variable = 'CRUX_CODEC_KEY';
const newKey = () => randomBytes(32).toString('base64');

function codecWith(...keys: string[]): EncryptionCodec {
  vi.stubEnv(variable, keys.join(','));
  return new EncryptionCodec(codecKeys(variable) ?? [], variable);
}

const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
const decodedValue = (encoded: object) => defaultPayloadConverter.fromPayload(encoded);

it('what it encodes it decodes, and nothing of it is left in clear', async () => {
  const codec = codecWith(newKey());
  const values = ['Find the treasure', { step: 3, pairs: null }, undefined, new Uint8Array([1, 2])];
  const encoded = await codec.encode(values.map(payload));
  const bytes = Buffer.concat(encoded.map(({ data }) => data!)).toString('latin1');
  expect(bytes).not.toMatch(/treasure|step|pairs|json/);
  expect((await codec.decode(encoded)).map(decodedValue)).toEqual(values);
});

it('equal payloads are not equal once they are encoded', async () => {
  const codec = codecWith(newKey());
  const [one, other] = await codec.encode([payload('same'), payload('same')]);
  expect(Buffer.from(one!.data!).equals(Buffer.from(other!.data!))).toBe(false);
});

it('names its key in every payload, by a hash of it', async () => {
  const key = newKey();
  const [encoded] = await codecWith(key).encode([payload(1)]);
  const id = Buffer.from(encoded!.metadata!['encryption-key-id']!).toString();
  expect(id).toBe(codecKeys(variable)![0]!.id);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(Buffer.from(encoded!.metadata!.encoding!).toString()).toBe('binary/encrypted');
});

it('reads what an older key encoded, and encodes with the first one', async () => {
  const [older, newer] = [newKey(), newKey()];
  const before = await codecWith(older).encode([payload('before')]);
  const rotated = codecWith(newer, older);
  const after = await rotated.encode([payload('after')]);
  expect((await rotated.decode([...before, ...after])).map(decodedValue)).toEqual(['before', 'after']);
  await expect(codecWith(older).decode(after)).rejects.toMatchObject({ kind: 'User.Config' });
});

it('hands on what is not encrypted', async () => {
  const clear = [payload('clear')];
  expect(await codecWith(newKey()).decode(clear)).toEqual(clear);
});

it('without keys encodes nothing, and says which key is missing', async () => {
  const encoded = await codecWith(newKey()).encode([payload('secret')]);
  const codec = codecWith();
  expect(codecKeys(variable)).toBeNull();
  expect(await codec.encode([payload(1)])).toEqual([payload(1)]);
  const id = Buffer.from(encoded[0]!.metadata!['encryption-key-id']!).toString();
  await expect(codec.decode(encoded)).rejects.toThrow(`with the key ${id}; CRUX_CODEC_KEY is not set`);
});

it('refuses a payload that somebody changed', async () => {
  const codec = codecWith(newKey());
  const [encoded] = await codec.encode([payload('true')]);
  const data = Buffer.from(encoded!.data!);
  data[14]! ^= 1;
  await expect(codec.decode([{ ...encoded, data }])).rejects.toThrow();
});

it.each(['short', Buffer.alloc(31).toString('base64'), `${newKey()},`, 'not base 64 at all, is it'])(
  'refuses "%s" as keys, without repeating it',
  (text) => {
    vi.stubEnv(variable, text);
    let message = '';
    try {
      codecKeys(variable);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/Key \d in CRUX_CODEC_KEY is not 32 bytes/);
    for (const part of text.split(',').filter(Boolean)) expect(message).not.toContain(part);
  },
);
