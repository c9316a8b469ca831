import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLinuxKernel, LinuxError, loadLinux } from './linux.ts'
import type { BootMemory } from './rom.ts'

const MIB = 1 << 20
const SETUP_BYTES = 1024

/** A bzImage with nothing but its header and `code`. */
function bzImage(code: readonly number[], change: (view: DataView) => void = () => {}): Uint8Array {
  const codeBytes = Math.ceil(code.length / 16) * 16
  const image = new Uint8Array(SETUP_BYTES + codeBytes)
  const view = new DataView(image.buffer)
  view.setUint8(0x1f1, 1)
  view.setUint32(0x1f4, codeBytes / 16, true)
  view.setUint8(0x201, 0x6a)
  view.setUint32(0x202, 0x5372_6448, true)
  view.setUint16(0x206, 0x020f, true)
  view.setUint8(0x211, 1)
  view.setUint32(0x22c, 0x7fff_ffff, true)
  view.setUint32(0x238, 2047, true)
  view.setUint32(0x258, 16 * MIB, true)
  view.setUint32(0x260, MIB, true)
  image.set(code, SETUP_BYTES)
  change(view)
  return image
}

function makeMemory(sizeBytes: number): BootMemory & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(sizeBytes)
  return {
    sizeBytes,
    bytes,
    writeBytes(gpa, written) {
      if (gpa < 0 || gpa + written.length > sizeBytes) throw new Error(`outside: ${gpa}`)
      bytes.set(written, gpa)
    },
  }
}

const OPTIONS = { kernelName: 'vmlinuz', commandLine: 'console=ttyS0' }

describe('loadLinux', () => {
  it('gives the kernel all memory and its RAM disk whole, whatever their sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 40 }), fc.integer({ min: 1, max: 200_000 }), (sizeMib, initrdBytes) => {
        const memory = makeMemory(sizeMib * MIB)
        const bytes = new Uint8Array(initrdBytes).fill(0x5a)
        const { esi } = loadLinux(bzImage([1, 2, 3]), memory, { ...OPTIONS, initrd: { name: 'initrd', bytes } })
        const page = new DataView(memory.bytes.buffer, esi, 4096)
        const gpa = page.getUint32(0x218, true)
        expect(page.getUint32(0x21c, true)).toBe(initrdBytes)
        expect(gpa % 4096).toBe(0)
        expect(gpa).toBeGreaterThanOrEqual(17 * MIB)
        expect(memory.bytes.subarray(gpa, gpa + initrdBytes).every((byte) => byte === 0x5a)).toBe(true)
        let ram = 0
        for (let i = 0; i < page.getUint8(0x1e8); i++) {
          const at = 0x2d0 + i * 20
          if (page.getUint32(at + 16, true) === 1) ram += Number(page.getBigUint64(at + 8, true))
        }
        expect(ram).toBe(sizeMib * MIB - MIB + 0x9_fc00)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('puts code, header, GDT and command line where the entry says', () => {
    const memory = makeMemory(20 * MIB)
    const { entry, esi, gdt } = loadLinux(bzImage([0xaa, 0xbb]), memory, OPTIONS)
    expect([...memory.bytes.subarray(entry, entry + 2)]).toEqual([0xaa, 0xbb])
    const view = new DataView(memory.bytes.buffer)
    expect(view.getUint32(esi + 0x202, true)).toBe(0x5372_6448)
    const line = view.getUint32(esi + 0x228, true)
    expect(Buffer.from(memory.bytes.subarray(line, line + 14)).toString()).toBe('console=ttyS0\0')
    expect(view.getUint32(gdt.base + 0x14, true)).toBe(0x00cf_9b00)
    expect(gdt.limit).toBe(0x1f)
  })

  it('never throws anything but its own sentences, whatever the file', () => {
    const good = bzImage([1])
    const change = fc.array(fc.tuple(fc.integer({ min: 0x1f1, max: 0x263 }), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(change, fc.nat(good.length), fc.boolean(), (changes, cut, isCut) => {
        const image = good.slice(0, isCut ? cut : good.length)
        for (const [at, value] of changes) if (at < image.length) image[at] = value
        try {
          const initrd = { name: 'i', bytes: new Uint8Array(5000) }
          loadLinux(image, makeMemory(17 * MIB + 8192), { ...OPTIONS, initrd })
        } catch (error) {
          expect(error).toBeInstanceOf(LinuxError)
        }
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  it.each([
    ['"vmlinuz" is no Linux kernel', new Uint8Array(2000), 20],
    ['boot protocol 2.10 or later is needed', bzImage([1], (view) => view.setUint16(0x206, 0x0204, true)), 20],
    ['"vmlinuz" is cut short: it has 1040 bytes and says', bzImage([1], (view) => view.setUint32(0x1f4, 9, true)), 20],
    ['"vmlinuz" is too large: it needs 17 MiB of memory, and the machine has 4 MiB', bzImage([1]), 4],
    [
      'The command line has 13 bytes, and "vmlinuz" takes 5',
      bzImage([1], (view) => view.setUint32(0x238, 5, true)),
      20,
    ],
  ])('says "%s"', (message, image, sizeMib) => {
    expect(() => loadLinux(image, makeMemory(sizeMib * MIB), OPTIONS)).toThrow(message)
  })

  it('knows a kernel by its header', () => {
    expect([isLinuxKernel(bzImage([])), isLinuxKernel(new Uint8Array(4096))]).toEqual([true, false])
  })
})
