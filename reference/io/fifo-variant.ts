/** The parameters of the pipe back end: what one variant of the lab asks for, and what the reference machine uses. */

export interface FifoVariant {
  /** `pair`: PATH.in is read and PATH.out written. `duplex`: PATH is one pipe for both directions. */
  readonly wiring: 'pair' | 'duplex'
  /** How many bytes of the guest may wait for the host, and how many for the guest. */
  readonly capacity: number
  /** What becomes of bytes that find nobody at the other end: they wait, or they are thrown away. */
  readonly unplugged: 'keep' | 'discard'
  /** A transmitter that was refused is resumed once there is room for so many bytes. */
  readonly resumeAt: 1 | 4 | 8 | 14
  /** How bytes and breaks stand in the pipe. */
  readonly framing: 'raw' | 'escaped' | 'packets'
  /** `escaped`: the byte that begins a sequence. */
  readonly escapeByte: number
}

export const FIFO_VARIANT: FifoVariant = {
  wiring: 'pair',
  capacity: 65_536,
  unplugged: 'keep',
  resumeAt: 1,
  framing: 'raw',
  escapeByte: 0xff,
}
