/**
 * Writing EFLAGS, with all that depends on its bits: single steps, alignment checks, virtual-8086 mode.
 */
import { FLAGS } from '../mmu/layout.ts'
import { ATTEND_TRAP, type Core } from './core.ts'
import { AC, RF, setFlags, TF, VM } from './flags.ts'

/** Writes EFLAGS and what depends on TF, RF, AC and VM. */
export function writeFlags(core: Core, flags: number): void {
  const before = core.r[FLAGS]!
  setFlags(core.r, flags)
  if ((flags & TF) !== 0) core.attention |= ATTEND_TRAP
  else core.attention &= ~ATTEND_TRAP
  if (((before | flags) & RF) !== 0) core.refreshDebugging()
  if (((before ^ flags) & AC) !== 0) core.refreshAlignment()
  if (((before ^ flags) & VM) !== 0) core.refreshPaging()
}
