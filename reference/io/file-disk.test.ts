import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryDisk } from './block-device.ts'
import { FileDisk } from './file-disk.ts'

const SECTORS = 8

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trapframe-disk-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a disk in a file', () => {
  it('holds what a disk in memory holds, after any writes, and so does its file', () => {
    const writes = fc.array(fc.tuple(fc.nat(SECTORS - 1), fc.nat(255)), { maxLength: 10 })
    fc.assert(
      fc.property(writes, (script) => {
        const path = join(folder, 'disk.img')
        writeFileSync(path, new Uint8Array(SECTORS * 512))
        const disk = new FileDisk(path, true)
        const model = new MemoryDisk(new Uint8Array(SECTORS * 512))
        for (const [lba, value] of script) {
          for (const each of [disk, model]) expect(each.write(lba, new Uint8Array(512).fill(value))).toBe(true)
        }
        for (let lba = 0; lba < SECTORS; lba++) expect(disk.read(lba)).toEqual(model.read(lba))
        disk.flush()
        disk.close()
        expect(new Uint8Array(readFileSync(path))).toEqual(model.bytes)
      }),
      { seed: 1, numRuns: 15 },
    )
  })

  it('refuses what is no whole number of sectors, and says so of a write that the file does not take', () => {
    const path = join(folder, 'odd.img')
    for (const size of [0, 100]) {
      writeFileSync(path, new Uint8Array(size))
      expect(() => new FileDisk(path, false)).toThrow(`${size} bytes are not a whole number of sectors`)
    }
    writeFileSync(path, new Uint8Array(512))
    const disk = new FileDisk(path, false)
    expect(disk.write(0, new Uint8Array(512))).toBe(false)
    disk.close()
  })
})
