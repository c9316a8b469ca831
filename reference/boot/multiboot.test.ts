import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadMultiboot, type MultibootOptions, multibootEntryState } from './multiboot.ts'

const MAGIC = 0x1bad_b002
const MIB = 0x10_0000
const OPTIONS: MultibootOptions = { kernelName: 'notes.txt', commandLine: '', modules: [], bootLoaderName: 'test' }

interface TestSegment {
  readonly gva?: number
  readonly gpa: number
  readonly bytes: Uint8Array
  readonly bssBytes: number
}

function words(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values.map((value) => value >>> 0)).buffer)
}

function header(flags: number, fields: readonly number[] = []): Uint8Array {
  return words([MAGIC, flags, -(MAGIC + flags), ...fields])
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** A 32-bit ELF executable with the multiboot header behind its program headers. */
function elf(segments: readonly TestSegment[], entry = segments[0]!.gva ?? segments[0]!.gpa, flags = 3): Uint8Array {
  const start = 52 + 32 * segments.length + 12
  let offset = start
  const table = segments.map(({ gpa, gva = gpa, bytes, bssBytes }) => {
    const at = offset
    offset += bytes.length
    return words([1, at, gva, gpa, bytes.length, bytes.length + bssBytes, 7, 4])
  })
  const ident = words([
    0x464c_457f,
    0x0001_0101,
    0,
    0,
    0x0003_0002,
    1,
    entry,
    52,
    0,
    0,
    0x0020_0034,
    segments.length,
    0,
  ])
  return join(ident, ...table, header(flags), ...segments.map((segment) => segment.bytes))
}

/** Memory full of AAh. */
function makeMemory(sizeBytes = 4 * MIB) {
  const bytes = new Uint8Array(sizeBytes).fill(0xaa)
  const view = new DataView(bytes.buffer)
  return {
    sizeBytes,
    bytes,
    writeBytes: (gpa: number, written: Uint8Array) => bytes.set(written, gpa),
    word: (gpa: number) => view.getUint32(gpa, true),
    text: (gpa: number) => new TextDecoder().decode(bytes.subarray(gpa, bytes.indexOf(0, gpa))),
  }
}

const content = (maxLength: number) => fc.uint8Array({ maxLength })
const kernel: TestSegment = { gpa: MIB, bytes: Uint8Array.of(1, 2, 3, 4), bssBytes: 8 }

describe('loadMultiboot', () => {
  it('puts each segment at its physical address, zeros behind it, and nothing in between', () => {
    const segment = fc.record({ bytes: content(40), bssBytes: fc.nat(40), gap: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (list) => {
        let gpa = MIB
        const segments = list.map(({ bytes, bssBytes, gap }) => {
          const placed = { gpa: gpa + gap, gva: (gpa + gap + 0xc000_0000) >>> 0, bytes, bssBytes: bssBytes + 1 }
          gpa = placed.gpa + bytes.length + bssBytes + 1
          return placed
        })
        const memory = makeMemory(2 * MIB)
        const expected = new Uint8Array(gpa + 64 - MIB).fill(0xaa)
        for (const { gpa, bytes, bssBytes } of segments) expected.set(join(bytes, new Uint8Array(bssBytes)), gpa - MIB)
        const { entry } = loadMultiboot(elf(segments), memory, OPTIONS)
        expect(memory.bytes.subarray(MIB, gpa + 64)).toEqual(expected)
        expect(entry).toBe(segments[0]!.gpa)
      }),
      { numRuns: 30 },
    )
  })

  it('tells command line, boot loader and modules as they were given, on pages of their own', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\0', ' '))
    const modules = fc.array(fc.record({ name: text, bytes: content(9000) }), { maxLength: 4 })
    fc.assert(
      fc.property(text, text, modules, (commandLine, bootLoaderName, modules) => {
        const memory = makeMemory(2 * MIB)
        const { ebx } = loadMultiboot(elf([kernel]), memory, { commandLine, modules, bootLoaderName })
        expect(memory.word(ebx)).toBe(0x24d)
        expect([memory.text(memory.word(ebx + 16)), memory.text(memory.word(ebx + 64))]).toEqual([
          commandLine,
          bootLoaderName,
        ])
        expect(memory.word(ebx + 20)).toBe(modules.length)
        let free = MIB + 12
        modules.forEach(({ name, bytes }, i) => {
          const entry = memory.word(ebx + 24) + 16 * i
          const [start, end] = [memory.word(entry), memory.word(entry + 4)]
          expect([start % 4096, start >= free, memory.text(memory.word(entry + 8))]).toEqual([0, true, name])
          expect(memory.bytes.slice(start, end)).toEqual(bytes)
          free = end
        })
      }),
      { numRuns: 30 },
    )
  })

  it('tells the memory: lower and upper KiB, and a map that leaves the hole out', () => {
    const memory = makeMemory(4 * MIB)
    const { ebx } = loadMultiboot(elf([kernel]), memory, OPTIONS)
    expect([memory.word(ebx + 4), memory.word(ebx + 8), memory.word(ebx + 44)]).toEqual([640, 3072, 48])
    const map = memory.word(ebx + 48)
    expect(Array.from({ length: 12 }, (_, i) => memory.word(map + 4 * i))).toEqual([
      20,
      0,
      0,
      0xa_0000,
      0,
      1,
      20,
      MIB,
      0,
      3 * MIB,
      0,
      1,
    ])
  })

  it('keeps the information out of a kernel that lies in low memory', () => {
    const memory = makeMemory()
    const low = { gpa: 0x9_0000, bytes: new Uint8Array(0x1_0000).fill(7), bssBytes: 0 }
    const { ebx } = loadMultiboot(elf([low]), memory, OPTIONS)
    expect([ebx, memory.bytes[0x9_0000], memory.bytes[0x9_ffff]]).toEqual([0x8_f000, 7, 7])
  })

  it('loads the address-field form, with and without its optional ends', () => {
    const data = Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2)
    const image = (loadEnd: number, bssEnd: number) =>
      join(new Uint8Array(8).fill(1), header(1 << 16, [MIB + 4, MIB, loadEnd, bssEnd, MIB + 36]), data)
    const memory = makeMemory(2 * MIB)
    expect(loadMultiboot(image(MIB + 38, MIB + 44), memory, OPTIONS).entry).toBe(MIB + 36)
    expect([...memory.bytes.subarray(MIB + 36, MIB + 45)]).toEqual([9, 8, 0, 0, 0, 0, 0, 0, 0xaa])
    loadMultiboot(image(0, 0), memory, OPTIONS)
    expect([...memory.bytes.subarray(MIB + 36, MIB + 45)]).toEqual([...data, 0xaa])
    expect(() => loadMultiboot(image(2 * MIB, 0), memory, OPTIONS)).toThrow('is cut off: load_end_addr 0x200000 needs')
    expect(() => loadMultiboot(image(0, MIB + 1), memory, OPTIONS)).toThrow('bss_end_addr 0x100001 lies before')
  })

  it('never throws anything but its own sentences, whatever the file', () => {
    const good = elf([kernel])
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(good.length),
        (bytes, cut) => {
          const image = good.slice(0, bytes.length % 2 === 0 ? good.length : cut)
          for (const [at, value] of bytes) if (at < 92 && at < image.length) image[at] = value
          try {
            loadMultiboot(image, makeMemory(2 * MIB), OPTIONS)
          } catch (error) {
            expect(error).toHaveProperty('name', 'MultibootError')
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each([
    [
      '"notes.txt" is no multiboot kernel: no header with magic 0x1BADB002 in its first 8192 bytes.',
      new Uint8Array(9000),
    ],
    ['the header at byte 4 has a wrong checksum', words([0, MAGIC, 0, 1])],
    ['no header with magic', join(new Uint8Array(8184), header(0))],
    ['asks for multiboot features that this loader does not have: flags 0x8.', elf([kernel], MIB, 8)],
    ['no ELF file and its multiboot header has no address fields', join(header(0), new Uint8Array(60))],
    ['ends inside the address fields', header(1 << 16)],
    ['segment 0 ends at 0x400008, and memory ends at 0x400000', elf([{ ...kernel, gpa: 4 * MIB - 4 }])],
    ['segment 0 at 0xB8000 reaches into 0xA0000–0xFFFFF', elf([{ ...kernel, gpa: 0xb_8000 }])],
    ['has no segment to load', elf([{ ...kernel, bytes: new Uint8Array(0), bssBytes: 0 }])],
  ])('says "%s"', (message, image) => {
    expect(() => loadMultiboot(image, makeMemory(), OPTIONS)).toThrow(message)
  })

  it('says which module does not fit', () => {
    const modules = [{ name: 'disk.img', bytes: new Uint8Array(3 * MIB) }]
    expect(() => loadMultiboot(elf([kernel]), makeMemory(), { ...OPTIONS, modules })).toThrow(
      'Module "disk.img" does not fit: it would go from 0x101000 to 0x401000, and memory ends at 0x400000.',
    )
  })

  it('describes the entry in flat protected mode with A20 on', () => {
    const entry = loadMultiboot(elf([kernel]), makeMemory(), OPTIONS)
    const state = multibootEntryState(entry)
    expect(state).toMatchObject({ eax: 0x2bad_b002, ebx: entry.ebx, eip: MIB, eflags: 2, a20: true })
    expect([state.cr0 & 0x8000_0001, state.cs.base, state.data.limit]).toEqual([1, 0, 0xffff_ffff])
  })
})
