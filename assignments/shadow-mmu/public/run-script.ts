/** Plays a script against a shadow MMU: one event for each thing that happens, as the machine would report it. */
import type { LawContext } from '../../../grader/contract/law.ts'
import type { ShadowMmu } from '../../../reference/index.ts'
import { Machine } from './machine.ts'
import { INNER_TABLE, LOW_FRAMES } from './memory.ts'
import { A, D, G, P, U, W } from './oracle.ts'
import { entryAddress, PAGES, pageAddress, type Script, type Step, stepText } from './script.ts'
import type { Variant } from './variant.ts'
import { DIRECTORIES, FIRST_DATA, KERNEL_BASE, KERNEL_TABLE, TABLES } from './words.ts'

export type Context = Pick<LawContext<ShadowMmu, Variant>, 'variant' | 'connect'>

const KERNEL_REGION = KERNEL_BASE >>> 22
const SHARED_TABLE = TABLES[3]!
const VISITED = [
  [0, 0],
  [0, 1],
  [1, 0],
  [2, 0],
  [3, 0],
] as const
/** Where in a page a touch goes. */
const OFFSET = 0x24

/** A guest on the model machine, with the MMU that is put to the test. */
export class Player {
  readonly machine: Machine
  #words = 0

  constructor(start: Omit<Script, 'steps'>, context: Context) {
    const machine = new Machine(context.variant)
    this.machine = machine
    const kernel = P | W | A | D | (start.global ? G : 0)
    for (let gfn = 0; gfn < LOW_FRAMES; gfn++) this.#set(KERNEL_TABLE, gfn, gfn, kernel)
    for (const [n, directory] of DIRECTORIES.entries()) {
      this.#set(directory, 0, TABLES[n]!, P | W | U)
      this.#set(directory, 1, SHARED_TABLE, P | W | U)
      this.#set(directory, KERNEL_REGION, KERNEL_TABLE, P | W | A)
      for (let page = 0; page < PAGES; page++)
        this.#set(TABLES[n]!, page, FIRST_DATA + ((page + n) % 8), P | U | start.bits)
    }
    for (let page = 0; page < PAGES; page++) {
      this.#set(SHARED_TABLE, page, FIRST_DATA + 8 + page, P | U | start.bits)
      this.#set(INNER_TABLE, page, FIRST_DATA + page, P | U | start.bits)
    }
    const paging = { writeProtect: start.wp, pageSizeExtensions: start.pse, globalPages: start.pge }
    machine.begin(context.connect(machine.operations()), paging, DIRECTORIES[0]! * 4096)
    machine.inspect()
  }

  step(step: Step): void {
    const { machine } = this
    machine.say(stepText(step))
    switch (step.do) {
      case 'entry':
        this.write(entryAddress(step.table, step.index), entryValue(step))
        break
      case 'device':
        machine.deviceWrites(entryAddress(step.table, step.index), [entryValue(step), entryValue(step)])
        break
      case 'clear': {
        const at = entryAddress(step.table, step.index)
        this.write(at, machine.memory.read(at) & ~step.bits)
        break
      }
      case 'touch':
        machine.access(pageAddress(step.region, step.page) + OFFSET, step, ++this.#words * 8)
        break
      case 'cross': {
        const access = { write: true, user: step.user }
        const first = pageAddress(step.region, step.page) + 0xffc
        if (machine.access(first, access, 0)) machine.access(first + 4, access, 0)
        break
      }
      case 'invlpg':
        machine.invlpg(pageAddress(step.region, step.page))
        break
      case 'load':
        machine.loadCr3(DIRECTORIES[step.directory]! * 4096)
        break
      case 'mode':
        machine.setMode({ writeProtect: step.wp, pageSizeExtensions: step.pse, globalPages: step.pge })
        break
      case 'data':
        this.write(step.gfn * 4096 + 0xff0, ++this.#words * 8)
        break
    }
    machine.inspect()
  }

  /** The guest's kernel writes a word of low memory. */
  write(gpa: number, value: number): boolean {
    return this.machine.access((KERNEL_BASE + gpa) >>> 0, { write: true, user: false }, value)
  }

  /** The pages that scripts visit most are read, so that nothing wrong stays unseen. */
  readSome(): void {
    this.machine.say('the user reads some pages')
    for (const [region, page] of VISITED) this.machine.access(pageAddress(region, page), { write: false, user: true })
    this.machine.inspect()
  }

  #set(table: number, index: number, gfn: number, bits: number): void {
    this.machine.memory.write(table * 4096 + 4 * index, gfn * 4096 + bits)
  }
}

function entryValue({ gfn, bits }: { readonly gfn: number; readonly bits: number }): number {
  return (gfn * 4096 + bits) >>> 0
}

/** Plays a script to its last step, or to the first thing that is wrong. */
export function playScript(script: Script, context: Context): Player {
  const player = new Player(script, context)
  for (const step of script.steps) {
    if (player.machine.problems.length > 0) break
    player.step(step)
  }
  return player
}
