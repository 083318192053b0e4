/** Characters that are kept of a page. */
const longestText = 200_000;

export function cut(text: string): string {
  if (text.length <= longestText) return text;
  return `${text.slice(0, longestText).toWellFormed()}\n\n(The text goes on: only its first ${longestText.toLocaleString('en-US')} characters were read.)`;
}
