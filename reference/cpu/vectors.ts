/**
 * Runs vectors of a real processor and says where this machine differs.
 *
 * The 16-bit vectors that need neither privilege nor tables run a second time in real mode, where only selectors differ.
 */

import type { EngineKind } from './vcpu.ts'
import { REGISTER_NAMES, SEGMENT_NAMES, type Vector } from './vector-file.ts'
import { VectorMachine, type VectorState } from './vector-machine.ts'

type VectorMode = 'protected' | 'real'

export interface VectorResult {
  readonly vector: Vector
  readonly mode: VectorMode
  /** Empty: the vector passes. Each one says what is, and what is wanted. */
  readonly differences: readonly string[]
  /** What `req` names and this machine lacks: the vector was not run. */
  readonly skipped?: string
}

/** ID AC NT OF DF SF ZF AF PF CF. */
const COMPARED_FLAGS = 0x24_4ed5
const IF = 0x200
const ERROR_BITS_OF_PAGING = 7
const KNOWN_REQUIREMENTS = new Set(['exc', 'cpl3', 'paging', 'ldt', 'idt', 'ac', 'pmode'])
const NOT_IN_REAL_MODE = ['cpl3', 'idt', 'ldt', 'pmode', 'paging', 'ac']
/** PUSH of a segment register: its selector in memory is another one in real mode. */
const PUSHES_SELECTOR = /^(?:26|2e|36|3e|64|65|66|67|f2|f3)*(?:06|0e|16|1e|0fa0|0fa8)$/

/** Runs vectors in their order, on one machine. */
export function* runVectors(vectors: Iterable<Vector>, engine: EngineKind = 'interpreter'): Generator<VectorResult> {
  const machine = new VectorMachine(engine)
  for (const vector of vectors) {
    const lacking = vector.req?.find((name) => !KNOWN_REQUIREMENTS.has(name))
    if (lacking !== undefined) {
      yield { vector, mode: 'protected', differences: [], skipped: lacking }
      continue
    }
    yield {
      vector,
      mode: 'protected',
      differences: compare(machine, vector, machine.runProtected(vector), 'protected'),
    }
  }
}

/** The same for the vectors that {@link runsInRealMode}. */
export function* runRealModeVectors(vectors: Iterable<Vector>): Generator<VectorResult> {
  const machine = new VectorMachine()
  for (const vector of vectors) {
    if (!runsInRealMode(vector)) continue
    yield { vector, mode: 'real', differences: compare(machine, vector, machine.runReal(vector), 'real') }
  }
}

function runsInRealMode(vector: Vector): boolean {
  if (vector.mode !== 16 || PUSHES_SELECTOR.test(vector.bytes)) return false
  return !(vector.req ?? []).some((name) => NOT_IN_REAL_MODE.includes(name))
}

function compare(machine: VectorMachine, vector: Vector, state: VectorState, mode: VectorMode): string[] {
  const differences = [
    ...compareException(vector, state),
    ...compareRegisters(vector, state),
    ...(mode === 'protected' ? compareSegments(vector, state) : []),
  ]
  for (const [address, is, wanted] of machine.compareMemory(vector)) {
    differences.push(`[${hex(address)}] is ${hex(is)}, want ${hex(wanted)}`)
  }
  return differences
}

function compareException(vector: Vector, state: VectorState): string[] {
  const wanted = vector.out.exception
  const taken = state.exception
  if (wanted?.vector !== taken?.vector) {
    return [`exception is ${taken?.vector ?? 'none'}, want ${wanted?.vector ?? 'none'}`]
  }
  if (wanted === undefined || taken === null) return []
  const differences: string[] = []
  const paging = vector.req?.includes('paging') === true
  const error = paging && taken.error !== null ? taken.error & ERROR_BITS_OF_PAGING : taken.error
  if (wanted.error !== null && error !== wanted.error) {
    differences.push(`error code is ${error ?? 'none'}, want ${wanted.error}`)
  }
  if (wanted.cr2 !== undefined && taken.cr2 !== wanted.cr2) {
    differences.push(`cr2 is ${hex(taken.cr2)}, want ${hex(wanted.cr2)}`)
  }
  return differences
}

function compareRegisters(vector: Vector, state: VectorState): string[] {
  const differences: string[] = []
  for (const [n, name] of REGISTER_NAMES.entries()) {
    if (vector.undef_regs?.includes(name)) continue
    const mask = ~(vector.undef_reg_bits?.[name] ?? 0)
    const wanted = vector.out[name] ?? vector.in[name]
    const is = state.registers[n]!
    if (((is ^ wanted) & mask) !== 0) differences.push(`${name} is ${hex(is)}, want ${hex(wanted)}`)
  }
  if (state.eip !== vector.out.eip) differences.push(`eip is ${hex(state.eip)}, want ${hex(vector.out.eip)}`)
  const mask = (vector.req?.includes('cpl3') ? COMPARED_FLAGS | IF : COMPARED_FLAGS) & ~vector.undef
  if (((state.eflags ^ vector.out.eflags) & mask) !== 0) {
    differences.push(`eflags is ${hex(state.eflags & mask)}, want ${hex(vector.out.eflags & mask)}`)
  }
  return differences
}

function compareSegments(vector: Vector, state: VectorState): string[] {
  const differences: string[] = []
  for (const name of SEGMENT_NAMES) {
    const wanted = vector.out.seg?.[name] ?? vector.in.seg?.[name]
    const is = state.segments[name]
    if (wanted !== undefined && is !== wanted) differences.push(`${name} is ${hex(is)}, want ${hex(wanted)}`)
  }
  return differences
}

function hex(value: number): string {
  return (value >>> 0).toString(16)
}
