/**
 * Decimal arithmetic: DAA, DAS, AAA, AAS, AAM, AAD (Intel SDM vol. 2A), and the undocumented SALC.
 */
import { EAX } from '../../mmu/layout.ts'
import type { Core } from '../core.ts'
import { DE } from '../descriptor.ts'
import { AF, CF, carry, getFlags, setResultFlags } from '../flags.ts'
import type { Handler } from '../op.ts'
import { getReg16, setReg8, setReg16 } from '../operands.ts'
import { always, type OpcodeTable } from './binder.ts'

const BYTE_SHIFT = 24

function decimalAdjust(core: Core, sign: 1 | -1): void {
  const al = core.r8[0]!
  const before = getFlags(core.r)
  const low = (al & 15) > 9 || (before & AF) !== 0
  const high = al > 0x99 || (before & CF) !== 0
  let result = al
  let flags = 0
  if (low) {
    result += sign * 6
    flags |= AF
    if (sign < 0 && al < 6) flags |= CF
  }
  if (high) {
    result += sign * 0x60
    flags |= CF
  }
  core.r8[0] = result
  setResultFlags(core.r, result & 0xff, BYTE_SHIFT, flags)
}

function asciiAdjust(core: Core, sign: 1 | -1): void {
  const al = core.r8[0]!
  const adjust = (al & 15) > 9 || (getFlags(core.r) & AF) !== 0
  const ax = getReg16(core, EAX) + (adjust ? sign * 0x106 : 0)
  setReg16(core, EAX, ax & 0xff0f)
  setResultFlags(core.r, ax & 0xf, BYTE_SHIFT, adjust ? AF | CF : 0)
}

const daa: Handler = (core) => decimalAdjust(core, 1)
const das: Handler = (core) => decimalAdjust(core, -1)
const aaa: Handler = (core) => asciiAdjust(core, 1)
const aas: Handler = (core) => asciiAdjust(core, -1)

const aam: Handler = (core, op) => {
  const base = op.immediate & 0xff
  if (base === 0) core.raise(DE, -1)
  const al = core.r8[0]!
  const low = al % base
  setReg16(core, EAX, (Math.floor(al / base) << 8) | low)
  setResultFlags(core.r, low, BYTE_SHIFT, 0)
}

const aad: Handler = (core, op) => {
  const low = (core.r8[0]! + core.r8[1]! * (op.immediate & 0xff)) & 0xff
  setReg16(core, EAX, low)
  setResultFlags(core.r, low, BYTE_SHIFT, 0)
}

/** AL = CF ? FF : 0. */
const salc: Handler = (core) => setReg8(core, EAX, -carry(core.r))

export function bindBcd(table: OpcodeTable): void {
  table[0x27] = always(daa)
  table[0x2f] = always(das)
  table[0x37] = always(aaa)
  table[0x3f] = always(aas)
  table[0xd4] = always(aam)
  table[0xd5] = always(aad)
  table[0xd6] = always(salc)
}
