/**
 * Texts of benchmarks that must not stand anywhere in clear. A sealed text is enciphered with its canary, a phrase that it carries along: this keeps
 * it out of searches and of training data, and hides it from nobody who wants to read it. Source: XBench's files (XOR with the bytes of the canary).
 */
const mark = 'sealed:';
const form = /^sealed:([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]*={0,2})$/;

/** XOR with a key that is repeated: its own inverse. @param key not empty */
export function xored(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ key[index % key.length]!);
}

/** A text that is sealed already stays as it is. @param canary not empty */
export function sealed(text: string, canary: string): string {
  if (isSealed(text)) return text;
  const key = Buffer.from(canary);
  return `${mark}${key.toString('base64')}:${Buffer.from(xored(Buffer.from(text), key)).toString('base64')}`;
}

export function isSealed(text: string): boolean {
  return canaryOf(text) !== null;
}

/** The canary of a sealed text; null for any other text. */
export function canaryOf(text: string): string | null {
  const key = text.startsWith(mark) ? form.exec(text)?.[1] : undefined;
  return key === undefined ? null : Buffer.from(key, 'base64').toString();
}

/** A sealed text in clear; any other text as it is. */
export function unsealed(text: string): string {
  const [, key, bytes] = (text.startsWith(mark) && form.exec(text)) || [];
  if (key === undefined || bytes === undefined) return text;
  return Buffer.from(xored(Buffer.from(bytes, 'base64'), Buffer.from(key, 'base64'))).toString();
}

const anywhere = /sealed:[A-Za-z0-9+/]+={0,2}:[A-Za-z0-9+/]*={0,2}/g;

/** A text with a word in place of each sealed text in it. */
export function withSealsClosed(text: string): string {
  return text.replace(anywhere, '(sealed)');
}

/** A text with each sealed text in it in clear. */
export function withSealsOpened(text: string): string {
  return text.replace(anywhere, unsealed);
}
