/** Tells a lab's solution files, which stand in no starter, from all others. */

/** True when a text carries a mark on a line of its own, so that it is some lab's solution. */
export function isMarked(text: string): boolean {
  return /^[ \t]*\/\/\s*@solution(-file)?(?=\s|$)/m.test(text)
}
