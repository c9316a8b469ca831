import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { translateScanCode } from './scan-codes.ts'
import { type KeyEvent, UsKeys } from './us-keys.ts'

const bytesOf = (text: string) => [...text].map((character) => character.charCodeAt(0))

function typed(text: string): KeyEvent[] {
  const keys = new UsKeys()
  return [...bytesOf(text).flatMap((byte) => keys.take(byte)), ...keys.settle()]
}

/** What a driver reads of it, in set 1. */
function set1(text: string): string[] {
  return typed(text).map(({ code, down }) => {
    const { value } = translateScanCode(code & 0xff, !down)
    return `${code > 0xff ? 'e0 ' : ''}${value!.toString(16).padStart(2, '0')}`
  })
}

/** The US layout as set 1 numbers its keys (IBM PC/AT Technical Reference, "Keyboard"), 02h–35h. */
const SET_1_PLAIN = "1234567890-=\b\tqwertyuiop[]\r.asdfghjkl;'`.\\zxcvbnm,./"

describe('the keys of a US keyboard', () => {
  it('go down and up again, in this order, whatever is typed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'Q', '?', '\r', '\u0003', '\u001b[A', '\u001b[15~', '\u001b')),
        (texts) => {
          const held: number[] = []
          for (const { code, down } of typed(texts.join(''))) {
            if (down) {
              expect(held).not.toContain(code)
              held.push(code)
            } else expect(held.pop()).toBe(code)
          }
          expect(held).toEqual([])
        },
      ),
      { seed: 7, numRuns: 100 },
    )
  })

  it('are where they have always been', () => {
    for (const [i, character] of [...SET_1_PLAIN].entries()) {
      if (character === '.' && i + 2 !== 0x34) continue
      const code = (i + 2).toString(16).padStart(2, '0')
      expect([character, set1(character)]).toEqual([character, [code, (i + 2 + 0x80).toString(16)]])
    }
  })

  it('take Shift and Control where a character wants them', () => {
    expect(set1('A')).toEqual(['2a', '1e', '9e', 'aa'])
    expect(set1('?')).toEqual(['2a', '35', 'b5', 'aa'])
    expect(set1('\u0003')).toEqual(['1d', '2e', 'ae', '9d'])
    expect(set1('\n')).toEqual(set1('\r'))
    expect(set1(' ')).toEqual(['39', 'b9'])
  })

  it('have arrows and function keys, and an Esc that nothing follows', () => {
    expect(set1('\u001b[A\u001bOB')).toEqual(['e0 48', 'e0 c8', 'e0 50', 'e0 d0'])
    expect(set1('\u001bOP\u001b[24~')).toEqual(['3b', 'bb', '58', 'd8'])
    expect(set1('\u001b')).toEqual(['01', '81'])
    expect(set1('\u001bx')).toEqual(['01', '81', '2d', 'ad'])
    expect(set1('\u001b[99zé')).toEqual([])
  })
})
