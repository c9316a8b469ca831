/**
 * Devices behind guest physical addresses (Intel SDM vol. 3A §11.4.1 for the APICs, whose registers are words).
 */
import type { Cycles } from '../sched/virtual-time.ts'
import type { AccessSize } from './device.ts'

/** A device whose registers are 32-bit words at multiples of 4 or more. */
export interface MmioDevice {
  /** Guest physical address of the first byte, and how many bytes it takes. */
  readonly base: number
  readonly sizeBytes: number
  /** The word at `offset` from the base, a multiple of 4; unsigned. */
  readWord(offset: number, now: Cycles): number
  writeWord(offset: number, value: number, now: Cycles): void
}

/** Reads part of a word. Addresses without a device read as all ones. */
export function readMmio(devices: readonly MmioDevice[], gpa: number, size: AccessSize, now: Cycles): number {
  const device = deviceAt(devices, gpa)
  if (device === undefined) return 0xffff_ffff
  const offset = gpa - device.base
  const shift = 8 * (offset & 3)
  const word = device.readWord(offset & ~3, now) >>> shift
  return size === 4 ? word >>> 0 : word & ((1 << (8 * size)) - 1)
}

/** Only writes of whole words reach a device: the APICs leave others undefined. */
export function writeMmio(
  devices: readonly MmioDevice[],
  gpa: number,
  size: AccessSize,
  value: number,
  now: Cycles,
): void {
  const device = deviceAt(devices, gpa)
  const offset = device === undefined ? 0 : gpa - device.base
  if (device !== undefined && size === 4 && (offset & 3) === 0) device.writeWord(offset, value >>> 0, now)
}

function deviceAt(devices: readonly MmioDevice[], gpa: number): MmioDevice | undefined {
  return devices.find(({ base, sizeBytes }) => gpa >= base && gpa < base + sizeBytes)
}
