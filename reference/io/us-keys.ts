/**
 * What a person types at a terminal, as the keys of a US keyboard that would have been pressed (scan code set 2: IBM PS/2
 * Hardware Interface Technical Reference, "101/102-Key Keyboard"; what terminals send: ECMA-48 and XTerm Control Sequences).
 */

/** A key goes down or up; its scan code has E0h in bits 8–15 for the keys of the middle blocks. */
export interface KeyEvent {
  readonly code: number
  readonly down: boolean
}

const SHIFT = 0x12
const CONTROL = 0x14
const ENTER = 0x5a
const TAB = 0x0d
const BACKSPACE = 0x66
const ESCAPE = 0x76

/** Each row: characters, those that Shift makes of the same keys, and the keys' codes. */
const ROWS: readonly (readonly [string, string, string])[] = [
  ['`1234567890-=', '~!@#$%^&*()_+', '0e 16 1e 26 25 2e 36 3d 3e 46 45 4e 55'],
  ['qwertyuiop[]\\', 'QWERTYUIOP{}|', '15 1d 24 2d 2c 35 3c 43 44 4d 54 5b 5d'],
  ["asdfghjkl;'", 'ASDFGHJKL:"', '1c 1b 23 2b 34 33 3b 42 4b 4c 52'],
  ['zxcvbnm,./ ', 'ZXCVBNM<>? ', '1a 22 21 2a 32 31 3a 41 49 4a 29'],
]

/** What follows ESC [ or ESC O. */
const SEQUENCES: Readonly<Record<string, number>> = {
  A: 0xe075,
  B: 0xe072,
  C: 0xe074,
  D: 0xe06b,
  H: 0xe06c,
  F: 0xe069,
  P: 0x05,
  Q: 0x06,
  R: 0x04,
  S: 0x0c,
  '1~': 0xe06c,
  '2~': 0xe070,
  '3~': 0xe071,
  '4~': 0xe069,
  '5~': 0xe07d,
  '6~': 0xe07a,
  '15~': 0x03,
  '17~': 0x0b,
  '18~': 0x83,
  '19~': 0x0a,
  '20~': 0x01,
  '21~': 0x09,
  '23~': 0x78,
  '24~': 0x07,
}

const PLAIN = new Map<string, number>()
const SHIFTED = new Map<string, number>()
for (const [plain, shifted, codes] of ROWS) {
  for (const [i, code] of codes.split(' ').entries()) {
    PLAIN.set(plain[i]!, Number.parseInt(code, 16))
    SHIFTED.set(shifted[i]!, Number.parseInt(code, 16))
  }
}

const ESC = '\u001b'
const LAST_CONTROL = 0x1f
const DELETE = 0x7f
/** A letter's control character, and the letter. */
const CONTROL_TO_LETTER = 0x60

/** Takes a terminal's bytes one by one; a key is known once all its bytes have come. */
export class UsKeys {
  /** Bytes of a sequence that has begun. */
  #begun = ''

  /** The keys that a byte completes. */
  take(byte: number): KeyEvent[] {
    const character = String.fromCharCode(byte)
    if (this.#begun === '') {
      if (character !== ESC) return keysOf(byte)
      this.#begun = character
      return []
    }
    if (this.#begun === ESC && character !== '[' && character !== 'O') return [...this.settle(), ...this.take(byte)]
    this.#begun += character
    if (this.#begun.length === 2 || (byte >= 0x30 && byte <= 0x3b)) return []
    const code = SEQUENCES[this.#begun.slice(2)]
    this.#begun = ''
    return code === undefined ? [] : press(code)
  }

  /** Nothing follows for now: an ESC that stands alone is the key of that name. */
  settle(): KeyEvent[] {
    const keys = this.#begun === ESC ? press(ESCAPE) : []
    if (this.#begun === ESC) this.#begun = ''
    return keys
  }
}

function keysOf(byte: number): KeyEvent[] {
  const character = String.fromCharCode(byte)
  if (character === '\r' || character === '\n') return press(ENTER)
  if (character === '\t') return press(TAB)
  if (character === '\b' || byte === DELETE) return press(BACKSPACE)
  const code = PLAIN.get(character)
  if (code !== undefined) return press(code)
  const shifted = SHIFTED.get(character)
  if (shifted !== undefined) return press(shifted, SHIFT)
  const letter = byte <= LAST_CONTROL ? PLAIN.get(String.fromCharCode(byte | CONTROL_TO_LETTER)) : undefined
  return letter === undefined ? [] : press(letter, CONTROL)
}

function press(code: number, modifier?: number): KeyEvent[] {
  const key = [
    { code, down: true },
    { code, down: false },
  ]
  return modifier === undefined ? key : [{ code: modifier, down: true }, ...key, { code: modifier, down: false }]
}
