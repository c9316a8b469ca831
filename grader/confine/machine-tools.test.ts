import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { codeRangeMegabytes, findTool, permissionFlags, sharedLibraries } from './machine-tools.ts'

const folder = mkdtempSync(join(tmpdir(), 'trapframe-tools-'))
writeFileSync(join(folder, 'hammer'), '', { mode: 0o755 })
writeFileSync(join(folder, 'manual'), '', { mode: 0o644 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

describe('findTool', () => {
  it('finds what can be run, on absolute folders of the PATH only', () => {
    vi.stubEnv('PATH', `.:relative::${folder}`)
    expect(findTool('hammer')).toBe(join(folder, 'hammer'))
    expect([findTool('manual'), findTool('saw')]).toEqual([undefined, undefined])
  })
})

describe('permissionFlags', () => {
  it('takes the flag that this Node knows', () => {
    expect(permissionFlags(new Set(['--permission', '--experimental-permission']))).toEqual(['--permission'])
    expect(permissionFlags(new Set(['--experimental-permission']))).toContain('--experimental-permission')
    expect(permissionFlags(new Set())).toBeUndefined()
  })
})

describe('codeRangeMegabytes', () => {
  it('counts what is mapped to be written and run', () => {
    const maps = `00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/node
7fc130000000-7fc150000000 rwxp 00000000 00:00 0
7fc150000000-7fc150001000 rw-p 00000000 00:00 0
`
    expect(codeRangeMegabytes(maps)).toBe(512)
    expect(codeRangeMegabytes('')).toBe(0)
  })
})

const ldd = findTool('ldd')

describe.skipIf(ldd === undefined)(`sharedLibraries${ldd === undefined ? ' (skipped: there is no ldd)' : ''}`, () => {
  it('names the loader and the C library of Node by absolute paths', () => {
    const libraries = sharedLibraries(process.execPath)
    expect(libraries.map(({ target }) => target).join()).toMatch(/ld-.*\.so/)
    for (const { source, target } of libraries) expect([source[0], target[0]]).toEqual(['/', '/'])
  })

  it('says what it does not know', () => {
    expect(() => sharedLibraries(join(folder, 'manual'))).toThrow()
  })
})
