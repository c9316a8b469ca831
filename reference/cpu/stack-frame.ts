/**
 * Pushing on a stack that is not (yet) the processor's: the inner stack of a gate (Intel SDM vol. 3A §5.8.5, §6.12.1).
 */
import { ATTRIBUTES, BASE, ESP, LIMIT, SELECTOR, TR } from '../mmu/layout.ts'
import type { Core } from './core.ts'
import {
  ATTR_BIG,
  ATTR_EXPAND_DOWN,
  attributesOf,
  baseOf,
  type Descriptor,
  limitOf,
  SS_FAULT,
  TS,
  TYPE_IS_32,
} from './descriptor.ts'
import { SS } from './instruction.ts'
import { storeAs, systemLoad16, systemLoad32 } from './memory-access.ts'
import { checkedStackDescriptor, installDescriptor, isNull, markAccessed, selectorError } from './segments.ts'

/** A stack with its pointer: values are pushed in memory, registers stay as they are until `install`. */
export class StackFrame {
  readonly #core: Core
  readonly #base: number
  readonly #limit: number
  readonly #attributes: number
  readonly #mask: number
  readonly #user: boolean
  readonly #error: number
  #pointer: number
  readonly #selector: number
  readonly #descriptor: Descriptor | undefined

  private constructor(core: Core, pointer: number, selector: number, d: Descriptor | undefined, cpl: number) {
    this.#core = core
    this.#base = d === undefined ? core.r[BASE + SS]! : baseOf(d)
    this.#limit = (d === undefined ? core.r[LIMIT + SS]! : limitOf(d)) >>> 0
    this.#attributes = d === undefined ? core.r[ATTRIBUTES + SS]! : attributesOf(d)
    this.#mask = (this.#attributes & ATTR_BIG) !== 0 ? -1 : 0xffff
    this.#user = cpl === 3
    this.#pointer = pointer
    this.#selector = selector
    this.#descriptor = d
    this.#error = d === undefined ? core.externalEvent : selectorError(core, selector)
  }

  /** The stack that is in use. */
  static current(core: Core): StackFrame {
    return new StackFrame(core, core.r[ESP]!, 0, undefined, core.cpl)
  }

  /** The stack for the inner level `cpl`, from the task-state segment. */
  static inner(core: Core, cpl: number): StackFrame {
    const r = core.r
    const is32 = (r[ATTRIBUTES + TR]! & TYPE_IS_32) !== 0
    const offset = is32 ? 4 + 8 * cpl : 2 + 4 * cpl
    const last = offset + (is32 ? 5 : 3)
    if (last > r[LIMIT + TR]! >>> 0) core.raise(TS, selectorError(core, r[SELECTOR + TR]!))
    const at = (r[BASE + TR]! + offset) | 0
    const pointer = is32 ? systemLoad32(core, at) : systemLoad16(core, at)
    const selector = systemLoad16(core, (at + (is32 ? 4 : 2)) | 0)
    if (isNull(selector)) core.raise(TS, core.externalEvent)
    const d = checkedStackDescriptor(core, selector, cpl, TS)
    return new StackFrame(core, pointer, selector, markAccessed(core, selector, d), cpl)
  }

  push(width: number, value: number): void {
    const size = width >> 3
    const top = (this.#pointer - size) & this.#mask
    const first = top >>> 0
    const last = first + size - 1
    const expandsDown = (this.#attributes & ATTR_EXPAND_DOWN) !== 0
    const highest = this.#mask === -1 ? 0xffff_ffff : 0xffff
    const inside = expandsDown ? first > this.#limit && last <= highest : last <= this.#limit
    if (!inside) this.#core.raise(SS_FAULT, this.#error)
    storeAs(this.#core, (this.#base + top) | 0, width === 32 ? 4 : 2, value, this.#user)
    this.#pointer = (this.#pointer & ~this.#mask) | top
  }

  /** Makes this the processor's stack. */
  install(): void {
    if (this.#descriptor !== undefined) installDescriptor(this.#core, SS, this.#selector, this.#descriptor)
    this.#core.r[ESP] = this.#pointer
  }
}
