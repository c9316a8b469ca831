/** A right idle monitor that keeps plain numbers since the beginning, and takes idle time as what is left. */
import type { GuestQuestion, IdleMonitor, VcpuTimes, VcpuView } from '../../../reference/cpu/idle-port.ts'
import { CYCLE_HZ, IDLE_VARIANT } from '../../../reference/cpu/idle-variant.ts'

interface Meter {
  vm: number
  /** When it last began to wait for a pcpu, to run, or to sleep. */
  mark: number
  doing: 'wait' | 'run' | 'sleep'
  onPcpu: boolean
  ran: number
  waited: number
}

/** Functions around a closed-over record, and no class at all. */
export function create(): IdleMonitor {
  let zero = 0n
  let meters: Meter[] = []

  const since = (now: bigint): number => Number(now - zero)
  const change = (vcpu: number, now: bigint, doing: Meter['doing']): void => {
    const meter = meters[vcpu]!
    const span = since(now) - meter.mark
    if (meter.doing === 'run') meter.ran += span
    if (meter.doing === 'wait') meter.waited += span
    meter.mark = since(now)
    meter.doing = doing
  }
  const ready = (view: VcpuView): boolean =>
    (view.interruptFlag && view.interruptPending) || (!view.nmiBlocked && view.nmiPending)
  const timesOf = (vcpu: number, now: bigint): VcpuTimes => {
    const meter = meters[vcpu]!
    const open = since(now) - meter.mark
    const busy = meter.ran + (meter.doing === 'run' ? open : 0)
    const steal = meter.waited + (meter.doing === 'wait' ? open : 0)
    return { idle: now - zero - BigInt(busy) - BigInt(steal), busy: BigInt(busy), steal: BigInt(steal) }
  }
  const idleInUnits = (vcpu: number, now: bigint): bigint => {
    const asked = meters.flatMap(({ vm }, other) => {
      const counts = IDLE_VARIANT.scope === 'vm' ? vm === meters[vcpu]!.vm : other === vcpu
      return counts ? [timesOf(other, now).idle] : []
    })
    const cycles = asked.reduce((a, b) => a + b, 0n)
    const rates = { cycles: CYCLE_HZ, nanoseconds: 1_000_000_000n, microseconds: 1_000_000n }
    return (cycles * rates[IDLE_VARIANT.unit]) / CYCLE_HZ
  }
  const isMine = (question: GuestQuestion): boolean =>
    question.eax === IDLE_VARIANT.number &&
    question.instruction === (IDLE_VARIANT.place === 'hypercall' ? 'vmcall' : 'cpuid')

  return {
    attach(vms, now) {
      zero = now
      meters = vms.map((vm) => ({ vm, mark: 0, doing: 'wait', onPcpu: false, ran: 0, waited: 0 }))
    },
    scheduled(vcpu, now) {
      meters[vcpu]!.onPcpu = true
      if (meters[vcpu]!.doing !== 'sleep') change(vcpu, now, 'run')
    },
    descheduled(vcpu, now) {
      meters[vcpu]!.onPcpu = false
      if (meters[vcpu]!.doing !== 'sleep') change(vcpu, now, 'wait')
    },
    halted(vcpu, now, view) {
      const eip = (view.eip + view.instructionLength) >>> 0
      if (ready(view)) return { eip, next: 'run', pollCycles: 0 }
      change(vcpu, now, 'sleep')
      return { eip, next: IDLE_VARIANT.pollCycles ? 'poll' : 'block', pollCycles: IDLE_VARIANT.pollCycles }
    },
    kicked(vcpu, now, view) {
      if (!ready(view)) return 'sleep'
      change(vcpu, now, meters[vcpu]!.onPcpu ? 'run' : 'wait')
      return 'wake'
    },
    entering(_vcpu, _now, view) {
      if (view.interruptShadow) return 'window'
      if (view.nmiPending && !view.nmiBlocked) return 'nmi'
      return view.interruptFlag ? 'interrupt' : 'window'
    },
    times: timesOf,
    guestAsks(vcpu, now, question) {
      const { instruction, eax: _, ebx, ecx, edx } = question
      const rest = instruction === 'cpuid' ? { ebx: 0, ecx: 0, edx: 0 } : { ebx, ecx, edx }
      if (!isMine(question)) return { eax: instruction === 'cpuid' ? 0 : 0xffff_fc18, ...rest }
      const units = idleInUnits(vcpu, now)
      const high = Number(units >> 32n) >>> 0
      const low = Number(units & 0xffff_ffffn)
      if (IDLE_VARIANT.halves === 'edx:eax') return { ...rest, eax: low, edx: high }
      return { ...rest, eax: 0, ebx: low, ecx: high }
    },
    save: () => JSON.stringify({ zero: String(zero), meters }),
    restore(state) {
      const saved = JSON.parse(state) as { zero: string; meters: Meter[] }
      zero = BigInt(saved.zero)
      meters = saved.meters
    },
  }
}
