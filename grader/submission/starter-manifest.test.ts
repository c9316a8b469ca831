import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { WrongUse } from '../failures.ts'
import { makeTrees, type Tree } from './fixtures/trees.ts'
import { MANIFEST, readManifest } from './starter-manifest.ts'

const trees = makeTrees()
afterAll(() => trees.remove())
const read = (files: Tree) => readManifest({ directory: trees.make(files) })

describe('readManifest', () => {
  it('reads lab and seed', async () => {
    const manifest = { lab: 'counter', seed: 'abc', version: '0.1.0' }
    expect(await read({ [MANIFEST]: JSON.stringify(manifest) })).toEqual(manifest)
    expect(await read({})).toBeUndefined()
  })

  it('refuses what is no manifest', async () => {
    await expect(read({ [MANIFEST]: '{' })).rejects.toThrow(/it is no JSON\.$/)
    await expect(read({ [MANIFEST]: '{"lab": 1}' })).rejects.toThrow(WrongUse)
    await expect(read({ [MANIFEST]: Uint8Array.of(0xff) })).rejects.toThrow(/trapframe\.json is not UTF-8 text\.$/)
    const linked = trees.make({})
    symlinkSync('/etc/passwd', join(linked, MANIFEST))
    await expect(readManifest({ directory: linked })).rejects.toThrow(/is a symbolic link/)
  })
})
