import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from './failures.ts'
import { requireWritable, writeFileAtomically } from './files.ts'

const folder = mkdtempSync(join(tmpdir(), 'files-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('writeFileAtomically', () => {
  it('replaces the file and leaves nothing beside it', () => {
    const path = join(folder, 'result.json')
    for (const text of ['old', 'new']) writeFileAtomically(path, text)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(readdirSync(folder)).toEqual(['result.json'])
  })

  it('says in one sentence why it cannot, and leaves nothing behind', () => {
    const missing = join(folder, 'none', 'x.json')
    const sentence = `Cannot write ${missing}: there is no such file or folder.`
    expect(() => writeFileAtomically(missing, '')).toThrow(new WrongUse(sentence))
    expect(() => requireWritable(missing)).toThrow(new WrongUse(sentence))
    const taken = join(folder, 'taken')
    mkdirSync(taken)
    expect(() => requireWritable(taken)).toThrow(`Cannot write ${taken}: it is a folder.`)
    expect(() => writeFileAtomically(taken, '')).toThrow(WrongUse)
    expect(() => requireWritable(join(folder, 'result.json', 'x'))).toThrow(WrongUse)
    expect(readdirSync(folder).sort()).toEqual(['result.json', 'taken'])
  })
})
