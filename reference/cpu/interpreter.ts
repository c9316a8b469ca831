/**
 * The interpreter's loop: look up a block, run its ops, account for them; and everything that comes between two
 * instructions: events, interrupt shadows, single steps, faults, the end of the budget (Intel SDM vol. 3A §6.9).
 *
 * Exactness: no instruction starts once the budget is used up, and how a run was sliced into budgets changes nothing.
 */
import { EIP, FETCH_PAGE, FLAGS, LIMIT } from '../mmu/layout.ts'
import type { Cycles } from '../sched/virtual-time.ts'
import { decodeBlock, decodeUncached, findFetchPage } from './blocks.ts'
import {
  ATTEND_DEBUG,
  ATTEND_DEBUG_TRAP,
  ATTEND_EVENT,
  ATTEND_EXIT,
  ATTEND_HALTED,
  ATTEND_REPLAY,
  ATTEND_SHADOW,
  ATTEND_TRAP,
  ATTEND_WINDOW,
  type Core,
  ExitRequest,
  GuestFault,
} from './core.ts'
import { breaksBefore, DR6_SINGLE_STEP } from './debug.ts'
import type { Exit } from './exit.ts'
import { IF } from './flags.ts'
import { CS } from './instruction.ts'
import { deliverDebug, deliverFault } from './interrupts.ts'
import type { Block } from './op.ts'

const PAGE_MASK = -4096
const OFFSET_MASK = 0xfff
const STEPPING = ATTEND_SHADOW | ATTEND_TRAP | ATTEND_REPLAY | ATTEND_DEBUG

/** What `interpret` needs of its vcpu between instructions. */
export interface EventSource {
  /** Delivers the injected event through the IDT. Answers with an exit when that is intercepted or fails for good. */
  deliverEvent(): Exit | undefined
}

/** Runs until something other than the guest's own affairs happens. */
export function interpret(core: Core, events: EventSource, budget: Cycles): Exit {
  core.end = 0
  core.limit = core.cyclesAt(0) + budget
  core.refuel()
  if (core.answers.length > 0) core.attention |= ATTEND_REPLAY
  core.answersUsed = 0
  for (;;) {
    const exit = runOn(core, events)
    if (exit !== undefined) return exit
  }
}

/** True when an external interrupt can be taken now. */
export function isInterruptible(core: Core): boolean {
  return (core.r[FLAGS]! & IF) !== 0 && (core.attention & (ATTEND_SHADOW | ATTEND_EVENT)) === 0
}

/** Hot path. Runs until an exit (then it is returned) or a fault (that is then delivered; `undefined`). */
function runOn(core: Core, events: EventSource): Exit | undefined {
  const r = core.r
  let block: Block | undefined
  let i = 0
  try {
    for (;;) {
      if (core.attention !== 0) {
        const exit = attend(core, events)
        if (exit !== undefined) return exit
      }
      const stepping = core.attention & STEPPING
      if (core.fuel <= 0 && isExhausted(core)) return { reason: 'budget' }
      if (stepping !== 0 && isBroken(core, stepping)) {
        const exit = breakHere(core)
        if (exit !== undefined) return exit
        continue
      }
      const eip = r[EIP]!
      core.blockEip = eip
      const at = (core.csBase + eip) | 0
      if ((at & PAGE_MASK) !== r[FETCH_PAGE] || core.blocks === null) findFetchPage(core, at)
      block = core.blocks === null ? undefined : (core.blocks[at & OFFSET_MASK] as Block | undefined)
      if (block === undefined || block.count === 0) block = decodeBlock(core, at)
      if (!core.csFlat && (eip >>> 0) + block.lengthBytes - 1 > r[LIMIT + CS]! >>> 0) block = decodeUncached(core, at)
      if (core.engine !== undefined && stepping === 0 && core.engine.enter(block, at)) {
        const { stoppedAt } = core.engine
        if (stoppedAt !== undefined) {
          core.engine.stoppedAt = undefined
          return interrupted(core, stoppedAt, 0, core.engine.thrown)
        }
        block = undefined
        continue
      }
      core.end = stepping !== 0 ? 1 : block.count < core.fuel ? block.count : core.fuel
      i = 0
      let op = block.first
      for (;;) {
        op.run(core, op)
        i++
        if (i >= core.end) break
        op = op.next
      }
      if (core.suspended) return interrupted(core, block, i - 1, core.exitRequest)
      if (!op.transfers) r[EIP] = eip + op.end
      block = undefined
      core.work += i
      core.fuel -= i
      core.counters.retired += i
      core.end = 0
      i = 0
      if (stepping !== 0) {
        const exit = stepped(core, stepping)
        if (exit !== undefined) return exit
      }
    }
  } catch (thrown) {
    return interrupted(core, block, i, thrown)
  }
}

/** The budget is used up, not only the part of it that `fuel` holds; an instruction that was answered completes in any case. */
function isExhausted(core: Core): boolean {
  core.refuel()
  return core.fuel <= 0 && (core.attention & ATTEND_REPLAY) === 0
}

/** A breakpoint stands at the next instruction, which has not begun yet. */
function isBroken(core: Core, reasons: number): boolean {
  return (reasons & (ATTEND_DEBUG | ATTEND_REPLAY)) === ATTEND_DEBUG && breaksBefore(core)
}

function breakHere(core: Core): Exit | undefined {
  const exit = deliverDebug(core, 0)
  if (exit === undefined) core.work++
  core.refuel()
  return exit
}

/** An instruction did not complete: the `i`-th of `block`, or (no block) the fetch of the next one. */
function interrupted(core: Core, block: Block | undefined, i: number, thrown: unknown): Exit | undefined {
  if (!core.committed) {
    if (block !== undefined) core.r[EIP] = core.blockEip + block.ops[i]!.start
    core.forgetDebug()
  }
  core.committed = false
  core.end = 0
  core.work += i
  core.counters.retired += i
  if (thrown instanceof ExitRequest) {
    core.suspended = false
    core.refuel()
    core.answersUsed = 0
    const op = block?.ops[i]
    core.waitingLength = op === undefined ? 0 : op.end - op.start
    return thrown.exit
  }
  if (!(thrown instanceof GuestFault)) throw thrown
  core.answers.length = 0
  core.attention &= ~ATTEND_REPLAY
  const exit = deliverFault(core, thrown.vector, thrown.error)
  if (exit === undefined) {
    core.attention &= ~ATTEND_SHADOW
    core.work++
  }
  core.refuel()
  return exit
}

/** What comes before the next instruction. */
function attend(core: Core, events: EventSource): Exit | undefined {
  if ((core.attention & ATTEND_EXIT) !== 0) {
    const exit = core.pendingExits.shift()
    if (core.pendingExits.length === 0) core.attention &= ~ATTEND_EXIT
    return exit
  }
  if ((core.attention & ATTEND_REPLAY) !== 0) return undefined
  if ((core.attention & ATTEND_DEBUG_TRAP) !== 0) {
    const exit = deliverDebug(core, 0)
    if (exit !== undefined) return exit
  }
  if ((core.attention & ATTEND_EVENT) !== 0) {
    core.attention &= ~(ATTEND_EVENT | ATTEND_HALTED | ATTEND_SHADOW)
    const exit = events.deliverEvent()
    if (exit !== undefined) return exit
  }
  if ((core.attention & ATTEND_HALTED) !== 0) return { reason: 'hlt', length: 1 }
  if ((core.attention & ATTEND_WINDOW) !== 0 && isInterruptible(core)) return { reason: 'interruptWindow' }
  return undefined
}

/** One instruction was executed by itself, because of `reasons`: its shadow ends, its answers are used, its trap is taken. */
function stepped(core: Core, reasons: number): Exit | undefined {
  core.answers.length = 0
  core.answersUsed = 0
  const trap = (reasons & ATTEND_TRAP) !== 0 && !core.trapSuppressed
  core.trapSuppressed = false
  core.attention &= ~(reasons & (ATTEND_REPLAY | ATTEND_SHADOW))
  if ((reasons & ATTEND_DEBUG) !== 0) core.refreshDebugging()
  return trap ? deliverDebug(core, DR6_SINGLE_STEP) : undefined
}
