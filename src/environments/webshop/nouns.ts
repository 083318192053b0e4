/**
 * Which words of a title are nouns. The benchmark asks a trained tagger (spaCy); without its table Crux takes every word that begins with a letter
 * and is none of those below. `docs/environments/webshop.md` says how far the two agree.
 */

/** Words that are no nouns, or are none beside a number, and often stand in titles. Ours, read off the table of the 1,000-product catalogue. */
const others = new Set(
  `a about after against all and any are as at be by can each effective effectively every few from fully get i in
  included includes into is it its less made make makes many me more most much my no not of off on one only or other our out over own per
  personal removable removes several she so some such than that the their them these they this those three through to true try two under up used
  very via was we well which while with within without you your for four five six seven eight nine ten young x pcs oz ml designed discontinued
  imported infused inspired listed powered pressed resealable original stable damaged pointed`.split(/\s+/),
);

/** @returns in lower case, in order and with repeats */
export function approximateNouns(title: string): string[] {
  const words = title.toLowerCase().match(/(?<![\p{L}\p{N}])\p{L}[\p{L}\p{N}]*(?:['’]\p{L}+)?/gu) ?? [];
  return words.map((word) => word.replace(/['’]s$/, '')).filter((word) => !others.has(word));
}
