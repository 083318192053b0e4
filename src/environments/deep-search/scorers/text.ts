/** Python's `string.punctuation`. */
export const asciiPunctuation = /[!-/:-@[-`{-~]/g;
