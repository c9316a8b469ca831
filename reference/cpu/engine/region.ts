/**
 * What is translated together: the basic blocks that a hot block reaches by branches, calls and returns, across pages, as
 * far as the interpreter has been there. They become one function.
 */
import { FETCH_FRAME, FETCH_GPA, FETCH_PAGE, FRAME_SHIFT, TLB_ADDEND, TLB_MMIO, TLB_PAGE } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import type { Block, Op } from '../op.ts'

const PAGE_MASK = -4096
const OFFSET_MASK = 0xfff

/** How control leaves a node. */
export type Ending =
  /** To the instruction behind it. */
  | 'fall'
  /** Jcc, LOOP, JCXZ: to the target or to the instruction behind it. */
  | 'branch'
  | 'jump'
  | 'call'
  | 'return'
  | 'indirectJump'
  | 'indirectCall'
  /** An instruction that only the interpreter executes, and that may go anywhere. */
  | 'leave'

/** An instruction at its address. */
export interface PlacedOp {
  readonly op: Op
  readonly eip: number
}

/** A basic block of a region. */
export interface RegionNode {
  readonly index: number
  readonly eip: number
  ops: PlacedOp[]
  ending: Ending
  /** Of a branch, jump or call. */
  target: number
  /** The instruction behind it: of a fall, a branch, and where a call returns to. */
  next: number
}

/** A page of a region's code, as it is mapped. */
export interface CodePage {
  /** Linear address. */
  readonly page: number
  /** Byte offset of its frame in machine memory. */
  readonly frame: number
  /** Guest physical address. */
  readonly gpa: number
}

export interface Region {
  readonly nodes: readonly RegionNode[]
  /** By EIP. */
  readonly byEip: ReadonlyMap<number, RegionNode>
  readonly pages: ReadonlyMap<number, CodePage>
  /** Nodes that control may reach by an address in a register or on the stack. */
  readonly indirect: ReadonlySet<RegionNode>
  /** The blocks that nodes were made of. */
  readonly blocks: ReadonlyMap<number, Block>
  readonly instructions: number
}

export interface RegionLimits {
  readonly instructions: number
  readonly pages: number
  /** A block is worth it: it ran often enough, and is not in another region that will do. */
  readonly wants: (block: Block, eip: number) => boolean
}

/** How an op that writes EIP ends its block; everything that has no translation of its own is `leave`. */
export function endingOf(op: Op): Ending {
  const { opcode } = op
  if (!op.transfers) return 'fall'
  if (op.operandSize !== 32 || op.addressMask !== -1) return 'leave'
  if (isConditional(op)) return 'branch'
  if (opcode === 0xe2 || opcode === 0xe3) return 'branch'
  if (opcode === 0xe9 || opcode === 0xeb) return 'jump'
  if (opcode === 0xe8) return 'call'
  if (opcode === 0xc3 || opcode === 0xc2) return 'return'
  if (opcode === 0xff && op.reg === 4) return 'indirectJump'
  if (opcode === 0xff && op.reg === 2) return 'indirectCall'
  if (isRepeatedString(op)) return 'fall'
  return 'leave'
}

/** Jcc. */
export function isConditional({ opcode }: Op): boolean {
  return (opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0x180 && opcode <= 0x18f)
}

/** MOVS, STOS, LODS, CMPS or SCAS with a REP prefix: it goes on at itself or behind itself. */
function isRepeatedString(op: Op): boolean {
  const { opcode } = op
  return op.repeat !== 0 && opcode >= 0xa4 && opcode <= 0xaf && opcode !== 0xa8 && opcode !== 0xa9
}

/** Collects the region of the block that begins at the linear address `start`. The code segment is flat. */
export function collectRegion(core: Core, start: number, limits: RegionLimits): Region {
  const pages = new Map<number, CodePage>()
  const blocks = new Map<number, Block>()
  const indirectEips = new Set<number>()
  const queue = [start]
  const seen = new Set(queue)
  let instructions = 0
  const visit = (eip: number) => {
    if (seen.has(eip)) return
    seen.add(eip)
    queue.push(eip)
  }
  for (let eip = queue.shift(); eip !== undefined; eip = queue.shift()) {
    const block = findBlock(core, eip, pages, limits, eip === start)
    if (block === undefined) continue
    if (instructions + block.count > limits.instructions && blocks.size > 0) continue
    blocks.set(eip, block)
    instructions += block.count
    const last = block.ops[block.ops.length - 1]!
    const next = (eip + last.end) | 0
    const target = (next + last.immediate) | 0
    switch (endingOf(last)) {
      case 'branch':
        visit(target)
        visit(next)
        break
      case 'jump':
        visit(target)
        break
      case 'call':
        visit(target)
        visit(next)
        indirectEips.add(next)
        break
      case 'indirectCall':
        visit(next)
        indirectEips.add(next)
        break
      case 'fall':
        visit(next)
        break
    }
    for (const seenTarget of last.targets ?? []) {
      visit(seenTarget)
      indirectEips.add(seenTarget)
    }
  }
  return split(blocks, pages, indirectEips)
}

/** The page that is fetched from, which the TLB may have lost since. */
function fetchedPage({ r }: Core, page: number): CodePage | undefined {
  if (r[FETCH_PAGE] !== page || r[FETCH_FRAME] === -1) return undefined
  return { page, frame: r[FETCH_FRAME]!, gpa: r[FETCH_GPA]! }
}

function mappedPage({ tlbTable, tlbHalf }: Core, page: number): CodePage | undefined {
  const entry = tlbTable.index(tlbHalf, page)
  const physical = tlbTable.physical[entry >> 2]!
  if (tlbTable.words[entry + TLB_PAGE] !== page || (physical & TLB_MMIO) !== 0) return undefined
  return { page, frame: (page + tlbTable.words[entry + TLB_ADDEND]!) | 0, gpa: physical & PAGE_MASK }
}

/** The decoded block at a linear address, when its page is mapped, holds code and fits in. */
function findBlock(
  core: Core,
  eip: number,
  pages: Map<number, CodePage>,
  limits: RegionLimits,
  isFirst: boolean,
): Block | undefined {
  const page = eip & PAGE_MASK
  let known = pages.get(page)
  if (known === undefined) {
    if (pages.size >= limits.pages) return undefined
    known = fetchedPage(core, page) ?? mappedPage(core, page)
    if (known === undefined) return undefined
  }
  const block = core.machine.codeFrames[known.frame >>> FRAME_SHIFT]?.blocks32[eip & OFFSET_MASK] as Block | undefined
  if (block === undefined || block.count === 0) return undefined
  if (!isFirst && !limits.wants(block, eip)) return undefined
  pages.set(page, known)
  return block
}

/** Makes nodes: a block that runs into the start of another one ends there. */
function split(
  blocks: ReadonlyMap<number, Block>,
  pages: ReadonlyMap<number, CodePage>,
  indirectEips: ReadonlySet<number>,
): Region {
  const nodes: RegionNode[] = []
  const byEip = new Map<number, RegionNode>()
  let instructions = 0
  for (const [eip, block] of blocks) {
    const ops: PlacedOp[] = []
    let ending: Ending | undefined
    for (const op of block.ops) {
      const at = (eip + op.start) | 0
      if (at !== eip && blocks.has(at)) {
        ending = 'fall'
        break
      }
      ops.push({ op, eip: at })
    }
    const last = ops[ops.length - 1]!
    const next = (last.eip + last.op.end - last.op.start) | 0
    const node: RegionNode = {
      index: nodes.length,
      eip,
      ops,
      ending: ending ?? endingOf(last.op),
      target: (next + last.op.immediate) | 0,
      next,
    }
    instructions += ops.length
    nodes.push(node)
    byEip.set(eip, node)
  }
  const indirect = new Set<RegionNode>()
  for (const eip of indirectEips) {
    const node = byEip.get(eip)
    if (node !== undefined) indirect.add(node)
  }
  return { nodes, byEip, pages, indirect, blocks, instructions }
}

/** Nodes of the same region that control may go to directly. */
export function successors(region: Region, node: RegionNode): RegionNode[] {
  const eips: number[] = []
  if (node.ending === 'branch' || node.ending === 'jump' || node.ending === 'call') eips.push(node.target)
  if (node.ending === 'branch' || node.ending === 'fall') eips.push(node.next)
  return eips.map((eip) => region.byEip.get(eip)).filter((n) => n !== undefined)
}
