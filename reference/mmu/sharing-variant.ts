/** The parameters of the sharing service: what one variant of the lab asks for, and what the reference machine uses. */

export interface SharingVariant {
  /** The bits of a hash. */
  readonly hashBits: 16 | 32 | 48
  /** `sequential`: VM by VM; `interleaved`: page 0 of each VM, page 1 of each VM, …; `random`: as `random` draws them. */
  readonly scanOrder: 'sequential' | 'interleaved' | 'random'
  /** Pages of zeros share the host's zero frame, share a frame like any others, or are left alone. */
  readonly zeroPages: 'host' | 'ordinary' | 'private'
  /** Who copies a frame: an operation of the host, or the service by `read` and `write`. */
  readonly copies: 'host' | 'service'
  /** The bits of the frame table's reference counts; what a count lacks stands in the overflow table. */
  readonly countBits: 4 | 6 | 8 | 16
}

export const SHARING_VARIANT: SharingVariant = {
  hashBits: 48,
  scanOrder: 'sequential',
  zeroPages: 'host',
  copies: 'host',
  countBits: 16,
}
