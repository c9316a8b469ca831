/**
 * Why a vcpu stopped: one closed union of plain records, named as `KVM_RUN` names them.
 *
 * Nothing here has behaviour, so an exit may cross into another process. A read (`io` in, `mmio` read, `cpuid`,
 * `hypercall`) completes at the next entry: the hypervisor gives its answer with `Vcpu.complete…` first.
 */
import type { AccessSize } from '../io/device.ts'

export type Exit =
  /** IN, OUT, INS, OUTS; one exit for each element of a repeated one. `value` is 0 for `in`. */
  | {
      readonly reason: 'io'
      readonly direction: 'in' | 'out'
      readonly port: number
      readonly size: AccessSize
      readonly value: number
    }
  /** An access to a guest physical address without memory. `value` is 0 for a read. */
  | {
      readonly reason: 'mmio'
      readonly write: boolean
      readonly gpa: number
      readonly size: AccessSize
      readonly value: number
    }
  /**
   * HLT at CPL 0, `length` bytes long with its prefixes. When HLT is intercepted EIP still points at it; otherwise the
   * vcpu is halted and EIP is behind it.
   */
  | { readonly reason: 'hlt'; readonly length: number }
  /** An intercepted #PF, before the guest sees it. */
  | { readonly reason: 'pageFault'; readonly gva: number; readonly error: number }
  /** An intercepted MOV to a control register; EIP is behind it and the write has not been done. */
  | { readonly reason: 'cr'; readonly cr: number; readonly value: number }
  /** An intercepted INVLPG; EIP is behind it and nothing was flushed. */
  | { readonly reason: 'invlpg'; readonly gva: number }
  /** An intercepted exception, before the guest sees it. `error` is −1 when the vector has no error code. */
  | { readonly reason: 'exception'; readonly vector: number; readonly error: number }
  /** CPUID of a hypervisor leaf (0x4000_0000–0x4000_FFFF); EIP still points at it. */
  | { readonly reason: 'cpuid'; readonly leaf: number; readonly subleaf: number }
  /** VMCALL; EIP still points at it. The convention of the guest registers is the hypervisor's. */
  | { readonly reason: 'hypercall'; readonly number: number; readonly args: readonly number[] }
  /** The guest can now take an interrupt, and the hypervisor had asked to be told. */
  | { readonly reason: 'interruptWindow' }
  /** Triple fault. */
  | { readonly reason: 'shutdown' }
  /** The budget is used up. */
  | { readonly reason: 'budget' }

export type ExitReason = Exit['reason']
