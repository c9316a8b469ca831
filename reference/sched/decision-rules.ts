/**
 * What the hardware would have done where an idle monitor decides (Intel SDM vol. 2A, HLT; vol. 2B, STI; vol. 3A, handling
 * multiple NMIs): each function gives the first rule that a decision breaks, or nothing.
 */
import type { Delivery, HaltDecision, VcpuView } from '../cpu/idle-port.ts'
import type { Processor } from '../vm/vm.ts'

/** A rule of the hardware that a decision of the monitor broke. */
export type Rule =
  /** After a HLT the guest goes on behind it. */
  | 'eip'
  /** A vcpu sleeps although something waits that it would take. */
  | 'sleptThrough'
  /** A vcpu does not sleep, or wakes, although nothing waits that it would take. */
  | 'wokeSpuriously'
  /** Something was delivered that the vcpu may not take now. */
  | 'illegalDelivery'
  /** Something that the vcpu could take now was held back, or the moment when it can was not asked for. */
  | 'heldBack'
  /** An interrupt went before a waiting NMI. */
  | 'priority'

export interface Problem {
  readonly rule: Rule
  readonly expected: string
  readonly actual: string
}

/** What the monitor is shown of a vcpu. */
export function viewOf(processor: Processor, instructionLength: number): VcpuView {
  const { vcpu, nmiPending } = processor
  return {
    eip: vcpu.registers.eip >>> 0,
    instructionLength,
    interruptFlag: vcpu.registers.interruptFlag,
    interruptShadow: vcpu.interruptShadow,
    nmiBlocked: vcpu.nmiBlocked,
    interruptPending: processor.interruptPending(),
    nmiPending,
  }
}

/** What is wrong with a decision after a HLT that ends at `behind`. `wakes`: something waits that the vcpu takes. */
export function problemOfHalt(behind: number, decision: HaltDecision, wakes: boolean): Problem | undefined {
  if (decision.eip !== behind) {
    return {
      rule: 'eip',
      expected: `EIP ${behind.toString(16)}h, behind the HLT`,
      actual: `EIP ${decision.eip.toString(16)}h`,
    }
  }
  if (wakes && decision.next !== 'run') {
    return { rule: 'sleptThrough', expected: 'the vcpu runs on, something waits that it takes', actual: decision.next }
  }
  if (!wakes && decision.next === 'run') {
    return { rule: 'wokeSpuriously', expected: 'the vcpu sleeps, nothing waits that it would take', actual: 'run' }
  }
  return undefined
}

/** What is wrong with the answer to a kick. */
export function problemOfKick(view: VcpuView, answer: 'sleep' | 'wake', wakes: boolean): Problem | undefined {
  if (wakes && answer === 'sleep') {
    const what = view.nmiPending && !view.nmiBlocked ? 'an NMI' : 'an interrupt'
    return { rule: 'sleptThrough', expected: `wake: ${what} waits that the vcpu takes`, actual: 'sleep' }
  }
  if (!wakes && answer === 'wake') {
    return { rule: 'wokeSpuriously', expected: 'sleep: nothing waits that the vcpu would take', actual: 'wake' }
  }
  return undefined
}

/** What is wrong with what is to be delivered at an entry. `interruptible`: the vcpu can take an interrupt now. */
export function problemOfDelivery(view: VcpuView, answer: Delivery, interruptible: boolean): Problem | undefined {
  const nmiNow = view.nmiPending && !view.nmiBlocked
  const interruptNow = view.interruptPending && interruptible
  if (answer === 'nmi' && !nmiNow) {
    return { rule: 'illegalDelivery', expected: 'no NMI: none waits, or its handler still runs', actual: 'nmi' }
  }
  if (answer === 'interrupt' && !interruptNow) {
    return {
      rule: 'illegalDelivery',
      expected: 'no interrupt: IF is clear, a shadow holds, or none waits',
      actual: answer,
    }
  }
  if (answer === 'interrupt' && nmiNow) return { rule: 'priority', expected: 'nmi, which goes first', actual: answer }
  if (nmiNow && answer !== 'nmi' && !view.interruptShadow) {
    return { rule: 'heldBack', expected: 'nmi: it waits and nothing blocks it', actual: answer }
  }
  if (interruptNow && !nmiNow && answer !== 'interrupt') {
    return { rule: 'heldBack', expected: 'interrupt: one waits and the vcpu takes it', actual: answer }
  }
  if (view.interruptPending && !nmiNow && !interruptNow && answer === 'none') {
    return { rule: 'heldBack', expected: 'window: an interrupt waits until the vcpu can take it', actual: answer }
  }
  return undefined
}
