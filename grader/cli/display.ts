/**
 * What `trapframe run --display` means: nothing, or the terminal as the machine's screen and keyboard.
 *
 * Without a terminal on stdin its bytes are typed as fast as the guest reads keys; without one on stdout the screen is printed once, at the end.
 */
import { performance } from 'node:perf_hooks'
import { type KeyEvent, UsKeys } from '../../reference/io/us-keys.ts'
import { screenText } from '../../reference/io/vga-screen.ts'
import type { Machine } from '../../reference/machine.ts'
import { WrongUse } from '../failures.ts'
import { TerminalScreen } from './terminal-screen.ts'
import { attachTerminal, type PersonEvents } from './terminal-serial.ts'

/** What the help says of `--display`. */
export const DISPLAY_HELP = 'none, or terminal: it shows the VGA in text mode, and is the keyboard'

const FRAME_MS = 33
/** Keys that wait for the guest; then the terminal does. */
const MOST_WAITING = 256

/** The machine's screen and keyboard, where a person is. */
export interface Display {
  /** Somebody may type: an idle guest is waited for. */
  readonly mayReceive: boolean
  readonly realTime: boolean
  /** To be called after every slice of the run: gives the guest keys, and shows what it wrote. */
  update(): void
  /** Gives the terminal back, with the last screen on it. */
  close(): void
}

/**
 * @param machine the machine that runs now; a reset makes another one
 * @throws WrongUse when there is no such display
 */
export function openDisplay(name: string, machine: () => Machine, person: PersonEvents): Display {
  if (name === 'terminal') return new TerminalDisplay(machine, person)
  if (name !== 'none') throw new WrongUse(`--display takes none or terminal, not "${name}".`)
  return { mayReceive: false, realTime: false, update: () => {}, close: () => {} }
}

class TerminalDisplay implements Display {
  readonly realTime = process.stdin.isTTY === true
  mayReceive = true
  readonly #machine: () => Machine
  readonly #terminal: ReturnType<typeof attachTerminal>
  readonly #keys = new UsKeys()
  readonly #screen = new TerminalScreen()
  readonly #waiting: KeyEvent[] = []
  #drawnAt = Number.NEGATIVE_INFINITY

  constructor(machine: () => Machine, person: PersonEvents) {
    this.#machine = machine
    this.#terminal = attachTerminal({
      ...person,
      onByte: (byte) => {
        person.onInput()
        if (this.#waiting.length >= MOST_WAITING) return false
        this.#waiting.push(...this.#keys.take(byte))
        return true
      },
    })
    process.stdin.once('end', () => {
      this.mayReceive = false
      person.onInput()
    })
  }

  update(): void {
    const machine = this.#machine()
    const { host, vm, chipset } = machine
    this.#waiting.push(...this.#keys.settle())
    let taken = 0
    while (taken < this.#waiting.length && chipset.key(this.#waiting[taken]!.code, this.#waiting[taken]!.down)) taken++
    if (taken > 0) {
      this.#waiting.splice(0, taken)
      host.noticeLines(vm)
      this.#terminal.resume()
    }
    const now = performance.now()
    if (process.stdout.isTTY !== true || now - this.#drawnAt < FRAME_MS) return
    this.#drawnAt = now
    this.#write(this.#screen.update(vm.memory, chipset.vga.page))
  }

  close(): void {
    const { vm, chipset } = this.#machine()
    this.#terminal.detach()
    const text = screenText(vm.memory, chipset.vga.page).join('\n').trimEnd()
    this.#write(`${this.#screen.end()}${text}\n`)
  }

  #write(text: string): void {
    if (text !== '') process.stdout.write(text)
  }
}
