/** Known-wrong idle monitors: each a small edit of the solution, with what its author believed. */
import { type Mutant, mutantsOf } from '../../../grader/contract/lab.ts'
import type { Variant } from '../public/variant.ts'

const FILE = 'reference/cpu/idle.ts'

const mutant = mutantsOf<Variant>(FILE)

const BOOKING = '    account[activityOf(account)] += now - account.since\n'
const SLEEPS_ON = "    if (!this.#wakes(view)) return 'sleep'\n"
const WAKES = '(view.nmiPending && !view.nmiBlocked) || (view.interruptPending && view.interruptFlag)'
const NEXT_EIP = '(view.eip + view.instructionLength) >>> 0'
const ANSWERS_NOW = "    if (this.#wakes(view)) return { eip, next: 'run', pollCycles: 0 }\n"

export const mutants: readonly Mutant[] = [
  mutant(
    'kick-restarts-stamp',
    'accounting',
    'A kick ends the period, so the clock of the sleep starts anew; the time before it is lost.',
    [
      [
        SLEEPS_ON,
        "    if (!this.#wakes(view)) {\n      this.#account(vcpu).since = now\n      return 'sleep'\n    }\n",
      ],
    ],
  ),
  mutant('kick-counts-twice', 'accounting', 'Each kick books the sleep so far, but leaves the stamp where it was.', [
    [
      SLEEPS_ON,
      "    const asleep = this.#account(vcpu)\n    asleep.idle += now - asleep.since\n    if (!this.#wakes(view)) return 'sleep'\n",
    ],
  ]),
  mutant('totals-of-32-bits', 'accounting', 'Thirty-two bits are enough for a count of cycles.', [
    [BOOKING, `${BOOKING}    account.idle = BigInt.asUintN(32, account.idle)\n`],
  ]),
  mutant('floating-point', 'accounting', 'A time is a number, so Number() does no harm.', [
    [BOOKING, '    account[activityOf(account)] += BigInt(Number(now) - Number(account.since))\n'],
  ]),
  mutant('idle-includes-steal', 'accounting', 'A sleep ends when the vcpu runs again, not when it could.', [
    ['    this.#settle(vcpu, now).halted = false\n', ''],
    [
      '    this.#settle(vcpu, now).onPcpu = true\n',
      '    const account = this.#settle(vcpu, now)\n    account.onPcpu = true\n    account.halted = false\n',
    ],
  ]),
  mutant('steal-is-busy', 'accounting', 'What is not idle is busy.', [
    ["  return onPcpu ? 'busy' : 'steal'", "  return onPcpu || !halted ? 'busy' : 'steal'"],
  ]),
  mutant('host-clock', 'accounting', 'Time is what the computer under the desk says.', [
    [BOOKING, '    account[activityOf(account)] += BigInt(Math.trunc(performance.now()))\n'],
  ]),
  mutant(
    'question-counts-as-idle',
    'accounting',
    'While the hypervisor answers, the guest does nothing, so all since its last event was idle.',
    [
      [
        '    const { place, number, halves } = IDLE_VARIANT\n',
        '    const { place, number, halves } = IDLE_VARIANT\n    const asking = this.#account(vcpu)\n    asking.idle += now - asking.since\n    asking.since = now\n',
      ],
    ],
  ),
  mutant(
    'open-period-forgotten',
    'accounting',
    'The times are what has been booked; a sleep that still lasts is booked when it ends.',
    [['    const open = now - account.since\n', '    const open = 0n * now\n']],
  ),
  mutant(
    'poll-is-busy',
    'accounting',
    'A vcpu that polls holds a pcpu, so it is busy.',
    [
      ['    account.halted = true\n', '    account.halted = IDLE_VARIANT.pollCycles === 0\n    account.polls = true\n'],
      ['  halted: boolean\n', '  halted: boolean\n  polls: boolean\n'],
      ['      halted: false,\n', '      halted: false,\n      polls: false,\n'],
      [
        '    this.#settle(vcpu, now).onPcpu = false\n',
        '    const account = this.#settle(vcpu, now)\n    account.onPcpu = false\n    if (account.polls) account.halted = true\n',
      ],
      [
        '    this.#settle(vcpu, now).halted = false\n',
        '    this.#settle(vcpu, now).halted = false\n    this.#account(vcpu).polls = false\n',
      ],
    ],
    ({ pollCycles }) => pollCycles > 0,
  ),
  mutant('eip-not-advanced', 'halting', 'The processor has executed the HLT, so EIP is already behind it.', [
    [NEXT_EIP, 'view.eip'],
  ]),
  mutant('hlt-is-one-byte', 'halting', 'HLT is F4, and F4 is one byte.', [[NEXT_EIP, '(view.eip + 1) >>> 0']]),
  mutant('eip-advanced-twice', 'halting', 'EIP is moved on at the exit, and once more at the entry.', [
    [NEXT_EIP, '(view.eip + 2 * view.instructionLength) >>> 0'],
  ]),
  mutant(
    'lost-wake-up',
    'halting',
    'In the shadow of STI nothing can be delivered, so the vcpu may sleep; but no kick will come for what already waits.',
    [[ANSWERS_NOW, "    if (this.#wakes(view) && !view.interruptShadow) return { eip, next: 'run', pollCycles: 0 }\n"]],
  ),
  mutant('always-sleeps', 'halting', 'HLT means sleep; whatever waits will kick.', [[ANSWERS_NOW, '']]),
  mutant('nmi-wakes-its-handler', 'halting', 'An NMI always wakes, also a HLT inside the NMI handler.', [
    [WAKES, 'view.nmiPending || (view.interruptPending && view.interruptFlag)'],
  ]),
  mutant('nmi-ignored', 'waking', 'Interrupts wake a vcpu, and NMIs are interrupts that IF masks.', [
    [WAKES, 'view.interruptPending && view.interruptFlag'],
  ]),
  mutant(
    'masked-interrupt-wakes',
    'waking',
    'The controller asserts INTR, so the vcpu wakes; whether IF is set is seen later.',
    [[WAKES, '(view.nmiPending && !view.nmiBlocked) || view.interruptPending']],
  ),
  mutant('every-kick-wakes', 'waking', 'Nobody kicks without a reason.', [[SLEEPS_ON, '    this.#wakes(view)\n']]),
  mutant(
    'delivers-in-the-shadow',
    'delivery',
    'IF is set, so the interrupt can go in; the shadow of STI is a detail.',
    [["view.interruptFlag && !view.interruptShadow ? 'interrupt'", "view.interruptFlag ? 'interrupt'"]],
  ),
  mutant('interrupt-before-nmi', 'delivery', 'First come, first served.', [
    [
      "    if (view.nmiPending && !view.nmiBlocked && !view.interruptShadow) return 'nmi'\n",
      "    if (view.interruptPending && view.interruptFlag && !view.interruptShadow) return 'interrupt'\n    if (view.nmiPending && !view.nmiBlocked && !view.interruptShadow) return 'nmi'\n",
    ],
  ]),
  mutant('no-window', 'delivery', 'What cannot be taken now is taken some other time.', [
    ["? 'interrupt' : 'window'", "? 'interrupt' : 'none'"],
  ]),
  mutant('ignores-if', 'delivery', 'The controller has an interrupt, so the guest gets it.', [
    ["view.interruptFlag && !view.interruptShadow ? 'interrupt'", "!view.interruptShadow ? 'interrupt'"],
  ]),
  mutant('one-account-a-vm', 'independence', 'The vcpus of a VM share what they do.', [
    [
      '    const account = this.#accounts[vcpu]\n',
      '    const own = this.#accounts[vcpu]\n    const account = this.#accounts.find((each) => each.vm === own?.vm)\n',
    ],
  ]),
  mutant(
    'restore-restarts-stamp',
    'independence',
    'A monitor that takes over begins to count at once, and only then.',
    [
      ['  restore(state: string, _now: bigint): void {', '  restore(state: string, now: bigint): void {'],
      ['    ) as Account[]\n', '    ) as Account[]\n    for (const account of this.#accounts) account.since = now\n'],
    ],
  ),
  mutant('restore-wakes-everybody', 'independence', 'After a migration every vcpu runs.', [
    ['    ) as Account[]\n', '    ) as Account[]\n    for (const account of this.#accounts) account.halted = false\n'],
  ]),
  mutant('halves-swapped', 'guest', 'The first register has the first half.', [
    [
      '    const high = Number(BigInt.asUintN(32, total >> UINT32_BITS))',
      '    const low = Number(BigInt.asUintN(32, total >> UINT32_BITS))',
    ],
    ['    const low = Number(BigInt.asUintN(32, total))', '    const high = Number(BigInt.asUintN(32, total))'],
  ]),
  mutant('no-upper-half', 'guest', 'The lower half is all that ever counts.', [
    ['Number(BigInt.asUintN(32, total >> UINT32_BITS))', '0 * Number(total >> UINT32_BITS)'],
  ]),
  mutant(
    'rounds-to-nearest',
    'guest',
    'Half a unit more is closer to the truth.',
    [['  return (cycles * perSecond) / CYCLE_HZ', '  return (cycles * perSecond + CYCLE_HZ / 2n) / CYCLE_HZ']],
    ({ unit }) => unit !== 'cycles',
  ),
  mutant(
    'only-the-asking-vcpu',
    'guest',
    'The guest asks for the idle time of the vcpu that asks.',
    [["if (IDLE_VARIANT.scope === 'vcpu') return", 'if (IDLE_VARIANT.pollCycles >= 0) return']],
    ({ scope }) => scope === 'vm',
  ),
  mutant('answers-every-question', 'guest', 'A guest asks for nothing but its idle time.', [
    ['question.instruction !== asked || question.eax !== number', 'question.instruction !== asked'],
  ]),
  mutant(
    'never-polls',
    'efficiency',
    'A vcpu that halts gives up its pcpu at once.',
    [["next: pollCycles > 0 ? 'poll' : 'block', pollCycles }", "next: 'block', pollCycles: 0 * pollCycles }"]],
    ({ pollCycles }) => pollCycles > 0,
  ),
  mutant('keeps-a-diary', 'efficiency', 'Every period is worth remembering.', [
    ['  #accounts: Account[] = []\n', '  #accounts: Account[] = []\n  #diary: bigint[] = []\n'],
    [BOOKING, `    this.#diary.push(now)\n${BOOKING}`],
    ['    return JSON.stringify(this.#accounts, (', '    return JSON.stringify([...this.#accounts, ...this.#diary], ('],
  ]),
]
