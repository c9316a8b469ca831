/** Numbers as people write them on a command line. */
import { InvalidArgumentError } from 'commander'

/** Bytes of `64M`, `512K` or a plain number. @throws InvalidArgumentError for anything else */
export function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('A size is a whole number with K, M or G, such as 64M.')
  const unit = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }[match[2]!.toUpperCase() as '' | 'K' | 'M' | 'G']
  return Number(match[1]) * unit
}

/** Seconds, perhaps with a fraction. @throws InvalidArgumentError for anything else */
export function parseSeconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('A time is a number of seconds, such as 2.5.')
  return Number(text)
}

/** A whole number of at least 1. @throws InvalidArgumentError for anything else */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('A count is a whole number of at least 1.')
  return Number(text)
}
