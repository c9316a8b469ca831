import { describe, expect, it } from 'vitest'
import { runCaptured } from '../fixtures/run-captured.ts'

const noLabs = {
  list: () => [],
  load: () => Promise.reject(new Error('There are no labs.')),
  rubric: () => {
    throw new Error('There are no labs.')
  },
}

const translate = (...args: string[]) => runCaptured(['translate', ...args], noLabs)

describe('trapframe translate', () => {
  it('shows each guest instruction beside what it becomes, and the locals by their names', async () => {
    const { status, out } = await translate('guest:flood', '--at', '100020', '--after', '2000')
    expect(status).toBe(0)
    expect(out).toMatch(/^100020: \w+/m)
    expect(out).toMatch(/local\.set \$eax$/m)
    expect(out).toMatch(/br_table/)
  })

  it.each([
    [['guest:flood', '--at', 'f0000000', '--after', '2000'], 'No code at f0000000h has run so far'],
    [['guest:flood', '--at', 'start'], 'It is a hexadecimal number, as 100020.'],
    [['guest:flood'], "required option '--at <address>' not specified"],
  ])('%j is refused in one sentence', async (args, sentence) => {
    const { status, err } = await translate(...args)
    expect([status, err.includes(sentence)]).toEqual([2, true])
  })
})
