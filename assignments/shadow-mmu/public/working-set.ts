/** Guests with many processes and many pages, and what each thing that they do costs. */
import { Machine } from './machine.ts'
import { LARGE_GFN, LOW_FRAMES } from './memory.ts'
import { A, D, G, P, PS, U, W } from './oracle.ts'
import type { Context } from './run-script.ts'
import { KERNEL_BASE } from './words.ts'

/** Guest frames: directories from here on, their tables behind them, the kernel's table, and what no table ever is. */
const FIRST_DIRECTORY = 1
const FIRST_TABLE = 12
const KERNEL_TABLE = 24
const KERNEL_REGION = KERNEL_BASE >>> 22
export const MAX_PROCESSES = 10

export interface WorkingSetOptions {
  readonly processes: number
  /** Pages of each process, all below one table. */
  readonly pages: number
  /** Bits of their entries besides P and U. */
  readonly bits: number
  readonly globalKernel?: boolean
}

/** Each process has a directory, one table, and its pages; all share the kernel's. */
export class WorkingSet {
  readonly machine: Machine
  readonly #pages: number

  constructor(context: Context, { processes, pages, bits, globalKernel = false }: WorkingSetOptions) {
    this.machine = new Machine(context.variant)
    this.#pages = pages
    const { memory } = this.machine
    const kernel = P | W | A | D | (globalKernel ? G : 0)
    for (let gfn = 0; gfn < LOW_FRAMES; gfn++) memory.write(KERNEL_TABLE * 4096 + 4 * gfn, gfn * 4096 + kernel)
    for (let process = 0; process < processes; process++) {
      const directory = (FIRST_DIRECTORY + process) * 4096
      memory.write(directory, tableOf(process) * 4096 + (P | W | U | A))
      memory.write(directory + 4 * KERNEL_REGION, KERNEL_TABLE * 4096 + (P | W | A))
      for (let page = 0; page < pages; page++) {
        memory.write(tableOf(process) * 4096 + 4 * page, (LARGE_GFN + page) * 4096 + (P | U | bits))
      }
    }
    const paging = { writeProtect: true, pageSizeExtensions: true, globalPages: true }
    this.machine.begin(context.connect(this.machine.operations()), paging, FIRST_DIRECTORY * 4096)
  }

  /** Hidden faults and emulated writes so far: what an exit costs, whatever becomes of it. */
  get exits(): number {
    return this.machine.counts.hiddenFaults + this.machine.counts.emulated
  }

  load(process: number): void {
    this.machine.say(`CR3 = that of process ${process + 1}`)
    this.machine.loadCr3((FIRST_DIRECTORY + process) * 4096)
  }

  touch(page: number, write = false): boolean {
    return this.machine.access((page << 12) >>> 0, { write, user: true }, page)
  }

  touchAll(write = false): void {
    this.machine.say(`the user ${write ? 'writes to' : 'reads'} ${this.#pages} pages`)
    for (let page = 0; page < this.#pages; page++) this.touch(page, write)
  }

  touchKernel(page: number): void {
    this.machine.access(KERNEL_BASE + (page << 12), { write: false, user: false })
  }

  /** The kernel writes a word of low memory. */
  write(gpa: number, value: number): boolean {
    return this.machine.access((KERNEL_BASE + gpa) >>> 0, { write: true, user: false }, value)
  }

  /** As fork does: every page of a process becomes read-only, or can be written to again. */
  protectAll(process: number, on: boolean): void {
    this.machine.say(`the kernel makes the pages of process ${process + 1} ${on ? 'read-only' : 'writable'}`)
    for (let page = 0; page < this.#pages; page++) {
      const at = tableOf(process) * 4096 + 4 * page
      const entry = this.machine.memory.read(at)
      this.write(at, on ? entry & ~W : entry | W)
    }
  }

  /** A page of 4 MiB at 4 MiB, of the first process. */
  mapLarge(): void {
    this.write(FIRST_DIRECTORY * 4096 + 4, LARGE_GFN * 4096 + (P | W | U | PS))
  }

  touchLarge(page: number): void {
    this.machine.access((1 << 22) + (page << 12), { write: true, user: true }, page)
  }

  /** Frames that were tables of a process become data, and the kernel writes so many words to each. */
  reuse(process: number, words: number): void {
    this.machine.say(`process ${process + 1} ends; its directory and its table become data`)
    for (const gfn of [FIRST_DIRECTORY + process, tableOf(process)]) {
      for (let word = 0; word < words; word++) this.write(gfn * 4096 + 4 * (word % 1024), 0)
    }
  }
}

function tableOf(process: number): number {
  return FIRST_TABLE + process
}
