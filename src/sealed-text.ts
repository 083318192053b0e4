/**
 * Texts of benchmarks that must not stand anywhere in clear. A sealed text is enciphered with its canary, a phrase that it carries along: this keeps
 * it out of searches and of training data, and hides it from nobody who wants to read it. Source: XBench's files (XOR with the bytes of the canary).
 */
/** With which every sealed text begins. */
export const sealedMark = 'sealed:';
const form = /^sealed:([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]*={0,2})$/;

/** XOR with a key that is repeated: its own inverse. @param key not empty */
export function xored(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ key[index % key.length]!);
}

/** A text that is sealed already stays as it is. @param canary not empty */
export function sealed(text: string, canary: string): string {
  if (isSealed(text)) return text;
  const key = Buffer.from(canary);
  return `${sealedMark}${key.toString('base64')}:${Buffer.from(xored(Buffer.from(text), key)).toString('base64')}`;
}

export function isSealed(text: string): boolean {
  return canaryOf(text) !== null;
}

/** The canary of a sealed text; null for any other text. */
export function canaryOf(text: string): string | null {
  const key = text.startsWith(sealedMark) ? form.exec(text)?.[1] : undefined;
  return key === undefined ? null : Buffer.from(key, 'base64').toString();
}

/** A sealed text in clear; any other text as it is. */
export function unsealed(text: string): string {
  const [, key, bytes] = (text.startsWith(sealedMark) && form.exec(text)) || [];
  if (key === undefined || bytes === undefined) return text;
  return Buffer.from(xored(Buffer.from(bytes, 'base64'), Buffer.from(key, 'base64'))).toString();
}

const anywhere = /sealed:[A-Za-z0-9+/]+={0,2}:[A-Za-z0-9+/]*={0,2}/g;

/** A text with a word in place of each sealed text in it. */
export function withSealsClosed(text: string): string {
  return text.replace(anywhere, '(sealed)');
}

/** A text with each sealed text in it in clear, and with those in these. */
export function withSealsOpened(text: string): string {
  return text.replace(anywhere, (found) => withSealsOpened(unsealed(found)));
}

/** Whether sealed texts are shown in clear. */
export type Seals = 'closed' | 'opened';

export function readable(text: string, seals: Seals): string {
  return seals === 'opened' ? withSealsOpened(text) : withSealsClosed(text);
}

/** A value of plain data with every text in it as it may be shown. */
export function readableTexts<Value>(value: Value, seals: Seals): Value {
  if (typeof value === 'string') return readable(value, seals) as Value;
  if (Array.isArray(value)) return value.map((item) => readableTexts(item, seals)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, readableTexts(member, seals)]);
  return Object.fromEntries(members) as Value;
}

/** Changes a text; a sealed one in its seal. */
export function changedInSeal(text: string, change: (clear: string) => string): string {
  const canary = canaryOf(text);
  return canary === null ? change(text) : sealed(change(withSealsOpened(text)), canary);
}
