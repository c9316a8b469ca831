/**
 * Breakpoints and single steps (Intel SDM vol. 3B ch. 17): DR0–DR3 are compared with instructions, data and ports.
 *
 * Pages with watched data have no tags in the TLB, so that only accesses to them take the slow way, where `noteAccess` looks.
 */
import { CR4, DR, EIP, FLAGS } from '../mmu/layout.ts'
import { CR4_DE } from './control-registers.ts'
import type { Core } from './core.ts'
import { RF } from './flags.ts'

/** DR6: which breakpoint, access to debug registers, single step, task switch. */
export const DR6_ACCESS = 0x2000
export const DR6_SINGLE_STEP = 0x4000
/** Bits of DR6 and DR7 that read as 1, and those that can be written. */
export const DR6_ONES = 0xffff_0ff0 | 0
export const DR6_WRITABLE = 0xe00f
export const DR7_ONES = 0x400
export const DR7_WRITABLE = 0xffff_23ff | 0
/** General detect: the next access to a debug register is #DB. */
export const DR7_GENERAL_DETECT = 0x2000

const ON_EXECUTION = 0
const ON_WRITE = 1
const ON_PORT = 2
const LENGTHS = [1, 2, 8, 4]
const CONTROL_SHIFT = 16
const PAGE_MASK = -4096

interface Breakpoint {
  /** Its bit in DR6. */
  readonly bit: number
  readonly kind: number
  readonly address: number
  readonly length: number
}

/** What DR7 enables. */
function enabledBreakpoints(core: Core): Breakpoint[] {
  const control = core.r[DR + 7]!
  const found: Breakpoint[] = []
  for (let n = 0; n < 4; n++) {
    if (((control >> (2 * n)) & 3) === 0) continue
    const fields = control >> (CONTROL_SHIFT + 4 * n)
    const kind = fields & 3
    const length = kind === ON_EXECUTION ? 1 : LENGTHS[(fields >> 2) & 3]!
    if (kind === ON_PORT && (core.r[CR4]! & CR4_DE) === 0) continue
    found.push({ bit: 1 << n, kind, address: core.r[DR + n]! & -length, length })
  }
  return found
}

/** The breakpoints of a core, sorted by what they watch. */
export class Breakpoints {
  readonly instructions: readonly Breakpoint[]
  readonly data: readonly Breakpoint[]
  readonly ports: readonly Breakpoint[]
  /** Linear addresses of the pages that hold watched data. */
  readonly pages: ReadonlySet<number>

  constructor(core: Core) {
    const all = enabledBreakpoints(core)
    this.instructions = all.filter(({ kind }) => kind === ON_EXECUTION)
    this.ports = all.filter(({ kind }) => kind === ON_PORT)
    this.data = all.filter(({ kind }) => kind !== ON_EXECUTION && kind !== ON_PORT)
    this.pages = new Set(this.data.map(({ address }) => address & PAGE_MASK))
  }
}

function matches(point: Breakpoint, address: number, size: number): boolean {
  const first = point.address >>> 0
  const at = address >>> 0
  return at < first + point.length && first < at + size
}

/** A load or store of the running instruction: a trap follows it when the bytes are watched. */
export function noteAccess(core: Core, linear: number, size: number, write: boolean): void {
  for (const point of core.breakpoints.data) {
    if ((write || point.kind !== ON_WRITE) && matches(point, linear, size)) core.noteDebug(point.bit)
  }
}

/** The same for a port. */
export function notePort(core: Core, port: number, size: number): void {
  for (const point of core.breakpoints.ports) if (matches(point, port, size)) core.noteDebug(point.bit)
}

/** True when the next instruction is #DB instead; RF lets one instruction pass. */
export function breaksBefore(core: Core): boolean {
  const { r } = core
  if ((r[FLAGS]! & RF) !== 0) {
    r[FLAGS] = r[FLAGS]! & ~RF
    return false
  }
  const at = core.csBase + r[EIP]!
  let hit = 0
  for (const point of core.breakpoints.instructions) if (matches(point, at, 1)) hit |= point.bit
  r[DR + 6] = r[DR + 6]! | hit
  return hit !== 0
}
