/**
 * From scan code set 2, which keyboards speak, to set 1, which software of PCs reads (IBM PS/2 Hardware Interface
 * Technical Reference, "Scan Code Translation"): the table of the 8042's program.
 */

const BREAK_PREFIX = 0xf0
const BREAK_BIT = 0x80

/** Hexadecimal, sixteen codes a row: the set 1 code of each set 2 code from 00h to 7Fh. */
const SET_1_ROWS = [
  'ff 43 41 3f 3d 3b 3c 58 64 44 42 40 3e 0f 29 59',
  '65 38 2a 70 1d 10 02 5a 66 71 2c 1f 1e 11 03 5b',
  '67 2e 2d 20 12 05 04 5c 68 39 2f 21 14 13 06 5d',
  '69 31 30 23 22 15 07 5e 6a 72 32 24 16 08 09 5f',
  '6b 33 25 17 18 0b 0a 60 6c 34 35 26 27 19 0c 61',
  '6d 73 28 74 1a 0d 62 6e 3a 36 1c 1b 75 2b 63 76',
  '55 56 77 78 79 7a 0e 7b 7c 4f 7d 4b 47 7e 7f 6f',
  '52 53 50 4c 4d 48 01 45 57 4e 51 4a 37 49 46 54',
]
const SET_1 = SET_1_ROWS.join(' ')
  .split(' ')
  .map((code) => Number.parseInt(code, 16))
/** F7 and SysRq lie behind the table; all other bytes from 80h on stay what they are. */
const LATE_CODES: Readonly<Record<number, number>> = { 131: 0x41, 132: 0x54 }

export interface TranslatedCode {
  /** What the host reads; undefined: the byte only announces another one. */
  readonly value: number | undefined
  /** The next byte belongs to a key that goes up. */
  readonly pending: boolean
}

/** @param afterBreak `pending` of the byte before */
export function translateScanCode(byte: number, afterBreak: boolean): TranslatedCode {
  if (byte === BREAK_PREFIX) return { value: undefined, pending: true }
  const code = SET_1[byte] ?? LATE_CODES[byte] ?? byte
  return { value: afterBreak ? code | BREAK_BIT : code, pending: false }
}
