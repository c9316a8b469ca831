/** The digest of a result: SHA-256 over all that is deterministic in it, with keys in one order. */
import { createHash } from 'node:crypto'
import type { Result } from './result.ts'

/** The result without what differs from one run to the next, and without the digest itself. */
export type Deterministic = Omit<Result, 'digest' | 'drawings' | 'confinement' | 'timing'>

/** Lower-case hex; equal for equal results whatever the order of their keys. */
export function digestOf(result: Deterministic): string {
  const {
    digest: _,
    drawings: __,
    confinement: ___,
    timing: ____,
    ...deterministic
  } = result as Deterministic & Partial<Result>
  return createHash('sha256').update(canonicalJson(deterministic)).digest('hex')
}

/** JSON with every record's keys sorted by code unit, and no white space. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
