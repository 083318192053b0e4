/** Text that every database takes: NUL and halves of surrogate pairs, which none stores faithfully, become U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}
