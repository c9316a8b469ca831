/**
 * Where LOCK is allowed: read-modify-write instructions with their destination in memory (Intel SDM vol. 2A, LOCK).
 * Anywhere else it is #UD.
 */
import type { Instruction } from '../instruction.ts'

const CMP = 7
const NOT = 2
const NEG = 3
const BT = 4
const GROUP_INC_DEC = 1

export function isLockable(insn: Instruction): boolean {
  if (!insn.hasModrm || insn.mod === 3) return false
  const { opcode, reg } = insn
  if (opcode < 0x38) return (opcode & 7) < 2
  switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83:
      return reg !== CMP
    case 0x86:
    case 0x87:
    case 0x1ab:
    case 0x1b3:
    case 0x1bb:
    case 0x1b0:
    case 0x1b1:
    case 0x1c0:
    case 0x1c1:
    case 0x1c7:
      return true
    case 0xf6:
    case 0xf7:
      return reg === NOT || reg === NEG
    case 0xfe:
    case 0xff:
      return reg <= GROUP_INC_DEC
    case 0x1ba:
      return reg > BT
    default:
      return false
  }
}
