/** The result of work that can be left between its parts, done in one go. */
export function finished<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const part = work.next();
    if (part.done) return part.value;
  }
}
