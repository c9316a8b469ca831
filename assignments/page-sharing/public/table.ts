/** Reads a frame table as the variant lays it out, and finds what is wrong with it. */
import type { Variant } from './variant.ts'

const OWN_BYTES = 16
const RECORD_BYTES = 16
const OVERFLOW_BYTES = 8

export interface TableFault {
  readonly what: string
  readonly expected: string
  readonly actual: string
}

/**
 * The first thing that is wrong, if anything is.
 * @param mappings of a frame: how many pages stand for it; the zero frame's count is the service's own affair
 */
export function tableFault(
  bytes: Uint8Array,
  { countBits }: Variant,
  frames: number,
  zeroFrame: number,
  mappings: (pfn: number) => number,
): TableFault | undefined {
  const limit = 2 ** countBits - 1
  const end = OWN_BYTES + frames * RECORD_BYTES
  const over = Array.from({ length: frames }, (_, pfn) => pfn).filter(
    (pfn) => pfn !== zeroFrame && mappings(pfn) > limit,
  )
  const length = end + over.length * OVERFLOW_BYTES
  const most = length + OVERFLOW_BYTES
  if (bytes.length !== length && bytes.length !== most) {
    return { what: 'bytes of the frame table', expected: `${length}`, actual: `${bytes.length}` }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rest = new Map<number, number>()
  for (let at = end; at < bytes.length; at += OVERFLOW_BYTES) {
    rest.set(view.getUint32(at, true), view.getUint32(at + 4, true))
  }
  if (bytes.length === most && !rest.has(zeroFrame)) {
    return { what: 'bytes of the frame table', expected: `${length}`, actual: `${bytes.length}` }
  }
  for (let pfn = 0; pfn < frames; pfn++) {
    if (pfn === zeroFrame) continue
    const field = view.getUint16(OWN_BYTES + pfn * RECORD_BYTES, true)
    const pages = mappings(pfn)
    const alone = pages <= 1
    const count = field + (rest.get(pfn) ?? 0)
    if (field > limit) {
      return { what: `the count of frame ${pfn} in its record`, expected: `at most ${limit}`, actual: `${field}` }
    }
    if (alone ? count > pages : count !== pages) {
      const expected = alone ? (pages === 0 ? '0' : '0 or 1') : `${pages}`
      const actual = `${field}${rest.has(pfn) ? ` and ${rest.get(pfn)} in the overflow table` : ''}`
      return { what: `the count of frame ${pfn}, which ${pages} pages stand for`, expected, actual }
    }
  }
  return undefined
}
