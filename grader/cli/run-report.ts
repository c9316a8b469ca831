/** What `trapframe run` tells when it ends: the exit status, counters, and where the guest stood. */
import { type Machine, PC_COSTS } from '../../reference/machine.ts'
import { writeFileAtomically } from '../files.ts'
import { dumpState } from './state-dump.ts'

/** No debug-exit status is even, so these cannot be mistaken for one. */
export const STATUS_ASLEEP = 120
export const STATUS_LIMIT = 124
/** With a dump of the state on standard error. */
export const STATUS_TRIPLE_FAULT = 1

/** How a run ended. */
export type Ending = 'debugExit' | 'reset' | 'tripleFault' | 'asleep' | 'limit' | 'quit'

const ENDING_TEXT: Readonly<Record<Exclude<Ending, 'debugExit' | 'reset' | 'quit'>, string>> = {
  tripleFault: 'the guest shut down: a triple fault',
  asleep: 'the guest sleeps, and nothing can wake it any more',
  limit: 'the limit of --max-instructions is reached',
}

interface ReportOptions {
  /** A JSON file for counters. */
  readonly stats?: string
  /** Prints the outcome as JSON. */
  readonly json?: boolean
}

/** Instructions of all processors. */
export function retiredBy({ vm }: Machine): number {
  return vm.processors.reduce((sum, { vcpu }) => sum + vcpu.counters.retired, 0)
}

/** Writes and prints how a run ended; answers with the exit status. */
export function report(
  { host, vm, monitor }: Machine,
  ending: Ending,
  options: ReportOptions,
  printed: string | undefined,
  wallMs: number,
): number {
  const { counters, cycles } = vm.processors[0]!.vcpu
  const times = monitor.times(0, host.clock(host.now))
  const status = {
    debugExit: (vm.exitStatus ?? 0) & 0xff,
    tripleFault: STATUS_TRIPLE_FAULT,
    asleep: STATUS_ASLEEP,
    limit: STATUS_LIMIT,
    quit: 0,
    reset: 0,
  }[ending]
  const record = {
    ending,
    status,
    instructions: counters.retired,
    cycles,
    virtualSeconds: host.now / PC_COSTS.hz,
    wallSeconds: wallMs / 1000,
    idleCycles: Number(times.idle),
    busyCycles: Number(times.busy),
    vcpu: counters,
    engine: vm.processors.map(({ vcpu }) => vcpu.engineStatistics ?? null),
    host: host.counters,
    mmu: vm.mmuCounters,
  }
  if (options.stats !== undefined) writeFileAtomically(options.stats, `${JSON.stringify(record, null, 2)}\n`)
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...record, serial: printed }, null, 2)}\n`)
  else if (ending !== 'debugExit' && ending !== 'quit' && ending !== 'reset') {
    const { vcpu } = vm.processors[0]!
    const { eip } = vcpu.registers
    process.stderr.write(
      `trapframe: ${ENDING_TEXT[ending]} (EIP ${eip.toString(16)}h, ${counters.retired} instructions).\n`,
    )
    if (ending === 'tripleFault') process.stderr.write(`${dumpState(vcpu, vm.memory)}\n`)
  }
  return status
}
