/** Whether a number can be a cost in US dollars. */
export function isCost(dollars: number): boolean {
  return Number.isFinite(dollars) && dollars >= 0;
}
