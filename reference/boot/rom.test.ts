import { describe, expect, it } from 'vitest'
import { type BootMemory, loadRom, resetEntryState } from './rom.ts'

/** Memory of `sizeBytes` that shows what was written. */
function makeMemory(sizeBytes: number): BootMemory & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(sizeBytes)
  return { sizeBytes, bytes, writeBytes: (gpa, written) => bytes.set(written, gpa) }
}

describe('loadRom', () => {
  it('puts the image where the reset vector points', () => {
    const memory = makeMemory(0x10_0000)
    const image = new Uint8Array(0x1_0000)
    image[0xfff0] = 0xea
    loadRom(image, memory, 'bios.bin')
    expect(memory.bytes[resetEntryState.cs.base + resetEntryState.eip]).toBe(0xea)
    expect(resetEntryState.cs.selector * 16).toBe(resetEntryState.cs.base)
  })

  it('lets a ROM of 128 KiB end at the same place', () => {
    const memory = makeMemory(0x10_0000)
    const image = new Uint8Array(0x2_0000)
    image.set([1], 0)
    image.set([2], 0x1_fff0)
    loadRom(image, memory, 'bios.bin')
    expect([memory.bytes[0xe_0000], memory.bytes[0xf_fff0]]).toEqual([1, 2])
  })

  it('refuses another size and too little memory, in one sentence', () => {
    expect(() => loadRom(new Uint8Array(100), makeMemory(0x10_0000), 'bios.bin')).toThrow(
      '"bios.bin" is no ROM: it has 100 bytes, and a ROM has 64 KiB or 128 KiB.',
    )
    expect(() => loadRom(new Uint8Array(0x1_0000), makeMemory(0xf_ffff), 'bios.bin')).toThrow(
      'needs memory up to 1 MiB',
    )
  })
})
