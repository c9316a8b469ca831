/**
 * How fast pages are shared at scale: one scan over 64 VMs of 4,096 pages each, 1 GiB, by the reference service on the
 * machine's own memory, and how large its frame table is (see `bench/README.md`).
 *
 * Run: `npm run build && node dist/bench/sharing.js`.
 */

import { GuestMemory, MachineMemory, SharingHost } from '../reference/index.ts'
import { createSharingService } from '../reference/machine.ts'
import { FRAME_BYTES, FRAME_SHIFT } from '../reference/mmu/layout.ts'

const VMS = 64
const PAGES = 4096
/** Of a VM's pages, in percent: common to all VMs, and zeros. */
const COMMON = 50
const ZEROS = 12
const BUDGET = 4096
const SPARE = 1

/** 48 bits of two multiplicative hashes over 32-bit words, side by side. */
function hash48(bytes: Uint8Array): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, FRAME_BYTES / 4)
  let low = 0x811c_9dc5 | 0
  let high = 0x2545_f491 | 0
  for (let i = 0; i < words.length; i++) {
    low = Math.imul(low ^ words[i]!, 0x0100_0193)
    low ^= low >>> 15
    high = Math.imul(high + words[i]! + i, 0x85eb_ca6b)
    high ^= high >>> 13
  }
  return (high & 0xffff) * 2 ** 32 + (low >>> 0)
}

/** Contents of a page that no other has, or that the same page of every VM has. */
function fill(machine: MachineMemory, pfn: number, seed: number): void {
  const words = new Int32Array(machine.bytes.buffer, pfn << FRAME_SHIFT, FRAME_BYTES / 4)
  let word = seed
  for (let i = 0; i < words.length; i++) {
    word = (Math.imul(word, 0x19660d) + 0x3c6ef35f) | 0
    words[i] = word
  }
}

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(46)} ${figure}\n`)
}

const machine = new MachineMemory({ frames: VMS * PAGES + SPARE, vcpus: 0 })
const host = new SharingHost({ machine, hash: hash48, copies: 'host', random: () => 0 })
const service = createSharingService(host)
service.open(VMS * PAGES + SPARE, host.zeroFrame)
for (let vm = 0; vm < VMS; vm++) {
  const pfns = host.add(vm, new GuestMemory(machine, PAGES * FRAME_BYTES))
  for (const [gfn, pfn] of pfns.entries()) {
    const percent = (100 * gfn) / PAGES
    if (percent < COMMON) fill(machine, pfn, gfn + 1)
    else if (percent < COMMON + ZEROS) continue
    else fill(machine, pfn, (vm + 1) * PAGES + gfn)
  }
  service.vmStarted(vm, pfns)
}

const before = process.cpuUsage()
for (let looked = 0; looked < VMS * PAGES; looked += BUDGET) service.tick(BUDGET)
const { user, system } = process.cpuUsage(before)

const { shared, reclaimed } = service.stats()
const tableBytes = service.save().length
say('pages', `${VMS * PAGES} of ${VMS} VMs, ${(VMS * PAGES * FRAME_BYTES) / 2 ** 30} GiB`)
say('one scan, CPU', `${((user + system) / 1e6).toFixed(1)} s`)
say('shared, reclaimed', `${shared} pages, ${reclaimed} frames (${((100 * reclaimed) / (VMS * PAGES)).toFixed(1)} %)`)
say('frame table', `${((100 * tableBytes) / (VMS * PAGES * FRAME_BYTES)).toFixed(2)} % of memory`)
