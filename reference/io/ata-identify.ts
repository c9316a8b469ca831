/**
 * What a disk says of itself: the 256 words of IDENTIFY DEVICE (ATA/ATAPI-5, T13/1321D §8.12), and its old geometry. Words 4
 * and 5, bytes of a track and of a sector, are retired there; BIOSes go by them (ATA-1, X3.221 §9.9).
 */

import { SECTOR_BYTES } from './block-device.ts'

const HEADS = 16
const SECTORS_PER_TRACK = 63
const MOST_CYLINDERS = 16_383
const MOST_LBA28 = 0x0fff_ffff
/** The most sectors between two interrupts of READ and WRITE MULTIPLE. */
export const MOST_MULTIPLE = 16

const FIXED_DISK = 0x0040
const LBA_SUPPORTED = 0x0200
const FIELDS_VALID = 0x0001
const MULTIPLE_VALID = 0x0100
const MULTIPLE_SUPPORTED = 0x8000
/** ATA-1 to ATA-5. */
const MAJOR_VERSIONS = 0x003e
const FLUSH_CACHE = 0x1000
const ALWAYS_SET = 0x4000

export interface Geometry {
  readonly cylinders: number
  readonly heads: number
  readonly sectorsPerTrack: number
}

export function geometryOf(sectors: number): Geometry {
  const cylinders = Math.min(MOST_CYLINDERS, Math.floor(sectors / (HEADS * SECTORS_PER_TRACK)))
  return { cylinders: Math.max(1, cylinders), heads: HEADS, sectorsPerTrack: SECTORS_PER_TRACK }
}

/** @param multiple as SET MULTIPLE MODE left it; 0: off */
export function identifyDevice(sectors: number, multiple: number): Uint8Array {
  const data = new Uint8Array(512)
  const view = new DataView(data.buffer)
  const word = (index: number, value: number) => view.setUint16(2 * index, value, true)
  const { cylinders, heads, sectorsPerTrack } = geometryOf(sectors)
  const chsSectors = cylinders * heads * sectorsPerTrack
  word(0, FIXED_DISK)
  for (const first of [1, 54]) {
    word(first, cylinders)
    word(first === 1 ? 3 : 55, heads)
    word(first === 1 ? 6 : 56, sectorsPerTrack)
  }
  word(4, sectorsPerTrack * SECTOR_BYTES)
  word(5, SECTOR_BYTES)
  text(data, 10, 20, 'TF00000001')
  text(data, 23, 8, '1.0')
  text(data, 27, 40, 'TRAPFRAME DISK')
  word(47, MULTIPLE_SUPPORTED | MOST_MULTIPLE)
  word(49, LBA_SUPPORTED)
  word(53, FIELDS_VALID)
  view.setUint32(2 * 57, chsSectors, true)
  word(59, multiple === 0 ? 0 : MULTIPLE_VALID | multiple)
  view.setUint32(2 * 60, Math.min(sectors, MOST_LBA28), true)
  word(80, MAJOR_VERSIONS)
  word(83, ALWAYS_SET | FLUSH_CACHE)
  word(84, ALWAYS_SET)
  word(86, FLUSH_CACHE)
  word(87, ALWAYS_SET)
  return data
}

/** ATA strings: two characters a word, the first one in the high byte, padded with spaces. */
function text(data: Uint8Array, wordIndex: number, length: number, value: string): void {
  const padded = value.padEnd(length)
  for (let i = 0; i < length; i++) data[2 * wordIndex + (i ^ 1)] = padded.charCodeAt(i)
}
