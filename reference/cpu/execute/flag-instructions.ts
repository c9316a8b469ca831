/**
 * CLC, STC, CMC, CLD, STD, CLI, STI, LAHF, SAHF, PUSHF, POPF (Intel SDM vol. 2A/2B).
 */
import { FLAGS } from '../../mmu/layout.ts'
import { ATTEND_SHADOW, type Core } from '../core.ts'
import { GP } from '../descriptor.ts'
import { checkV86Privilege, mergeFlags } from '../far-transfer.ts'
import { AF, CF, DF, FLAGS_ALWAYS_ONE, getFlags, IF, IOPL_MASK, IOPL_SHIFT, PF, RF, SF, VM, ZF } from '../flags.ts'
import type { Handler } from '../op.ts'
import { drop, peek, push } from '../operands.ts'
import { writeFlags } from '../write-flags.ts'
import { always, ending, type OpcodeTable } from './binder.ts'

const SAHF_FLAGS = SF | ZF | AF | PF | CF

function change(core: Core, cleared: number, set: number): void {
  core.r[FLAGS] = (getFlags(core.r) & ~cleared) | set
}

const clc: Handler = (core) => change(core, CF, 0)
const stc: Handler = (core) => change(core, 0, CF)
const cmc: Handler = (core) => {
  core.r[FLAGS] = getFlags(core.r) ^ CF
}
const cld: Handler = (core) => change(core, DF, 0)
const std: Handler = (core) => change(core, 0, DF)

function checkInterruptPrivilege(core: Core): void {
  if (core.protectedMode && core.cpl > (core.r[FLAGS]! & IOPL_MASK) >> IOPL_SHIFT) core.raise(GP, 0)
}

const cli: Handler = (core) => {
  checkInterruptPrivilege(core)
  change(core, IF, 0)
}

/** Interrupts stay off until the next instruction is complete, if they were off. */
const sti: Handler = (core) => {
  checkInterruptPrivilege(core)
  if ((core.r[FLAGS]! & IF) !== 0) return
  change(core, 0, IF)
  core.attention |= ATTEND_SHADOW
}

const lahf: Handler = (core) => {
  core.r8[1] = (getFlags(core.r) & SAHF_FLAGS) | FLAGS_ALWAYS_ONE
}
const sahf: Handler = (core) => change(core, SAHF_FLAGS, core.r8[1]! & SAHF_FLAGS)

const pushf: Handler = (core, op) => {
  checkV86Privilege(core)
  push(core, op.width, getFlags(core.r) & ~(VM | RF))
}

const popf: Handler = (core, op) => {
  checkV86Privilege(core)
  const image = peek(core, op.width, 0)
  drop(core, op.width >> 3)
  writeFlags(core, mergeFlags(core, image, op.width))
}

export function bindFlags(table: OpcodeTable): void {
  table[0x9c] = always(pushf)
  table[0x9d] = ending(popf)
  table[0x9e] = always(sahf)
  table[0x9f] = always(lahf)
  table[0xf5] = always(cmc)
  table[0xf8] = always(clc)
  table[0xf9] = always(stc)
  table[0xfa] = ending(cli)
  table[0xfb] = ending(sti)
  table[0xfc] = always(cld)
  table[0xfd] = always(std)
}
