/**
 * The seeds that decide a suite's cases. The public one is fixed for a lab; the hidden one is an HMAC (RFC 2104) that
 * only the holder of the course key can make. Every law mixes its own seed from its suite's.
 */
import { createHash, createHmac } from 'node:crypto'

/** The course key of someone who has none: the hidden suite is then hidden from nobody. */
export const DEFAULT_COURSE_KEY = 'trapframe'

const SEED_BITS = 31

/** The seed of a lab's public suite: 0 to 2^31 - 1. */
export function publicSeed(labId: string): number {
  return truncate(createHash('sha256').update(`public:${labId}`).digest())
}

/**
 * The seed of the hidden suite for one student of a lab under a course key: 64 hexadecimal digits, of which a result
 * shows nothing.
 */
export function hiddenSeed(courseKey: string | Uint8Array, labId: string, student: string): string {
  return createHmac('sha256', courseKey).update(`${labId}:${student}`).digest('hex')
}

function truncate(digest: Buffer): number {
  return digest.readUInt32BE(0) >>> (32 - SEED_BITS)
}
