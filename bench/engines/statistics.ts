/** Two averages. */

/** The middle of some numbers, or the mean of the two in the middle. @throws RangeError when there is none */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** The number whose power is the product: how ratios are averaged. @throws RangeError when there is none, or one is not positive */
export function geometricMean(values: readonly number[]): number {
  if (values.length === 0 || values.some((value) => !(value > 0))) throw new RangeError('positive values are needed')
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
