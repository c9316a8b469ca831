/** `trapframe translate KERNEL --at ADDRESS`: guest code and the WebAssembly that the fast engine makes of it, side by side. */
import { type Command, InvalidArgumentError } from 'commander'
import { CPU_MODELS, DEFAULT_CPU_MODEL } from '../../../reference/cpu/cpuid.ts'
import type { TranslationListing } from '../../../reference/cpu/engine/function.ts'
import type { Machine } from '../../../reference/machine.ts'
import { WrongUse } from '../../failures.ts'
import { MACHINE_TYPES, machineMaker } from '../boot-machine.ts'
import { parseCount, parseSize } from '../numbers.ts'
import { instructionAt } from '../state-dump.ts'
import type { Streams } from '../terminal.ts'

const DEFAULT_INSTRUCTIONS = 1_000_000
const DEFAULT_MEMORY = 64 << 20
const CODE_SIZE = 32
const GUEST_COLUMN = 44

interface TranslateOptions {
  readonly at: number
  readonly after: number
  readonly append: string
  readonly initrd?: string
  readonly mem: number
  readonly cpu: string
}

export function addTranslateCommand(program: Command, { out }: Streams): void {
  program
    .command('translate')
    .description('show guest code and the WebAssembly that the fast engine makes of it, side by side')
    .argument('<kernel>', 'as for trapframe run')
    .requiredOption('--at <address>', 'linear address of an instruction, in hexadecimal', parseAddress)
    .option('--after <n>', 'run so many guest instructions first', parseCount, DEFAULT_INSTRUCTIONS)
    .option('--append <text>', 'the kernel command line', '')
    .option('--initrd <file>', 'a file that the kernel gets as its RAM disk or first module')
    .option('--mem <size>', 'memory, such as 64M or 512K', parseSize, DEFAULT_MEMORY)
    .option('--cpu <model>', `what CPUID says: ${Object.keys(CPU_MODELS).join(', ')}`, DEFAULT_CPU_MODEL.name)
    .addHelpText(
      'after',
      `
Only code that has run is translated, with what it reaches by branches and calls: if there is none at the address, give
--after another number, so that it has run and the processor is still in the same mode.

Example:
  trapframe translate guest:clock --at 100000 --after 500`,
    )
    .action((kernel: string, options: TranslateOptions) => {
      const request = { ...options, disk: [], engine: 'interpreter', machine: MACHINE_TYPES[0]!, smp: 1 }
      const machine = machineMaker(kernel, request)(() => true)
      machine.host.runUntil(options.after)
      const listing = machine.vm.processors[0]!.vcpu.explainTranslation(options.at)
      if (listing === undefined) {
        throw new WrongUse(
          `No code at ${options.at.toString(16)}h has run so far; another number of instructions for --after may help.`,
        )
      }
      out.write(sideBySide(machine, listing))
    })
}

/** Each guest instruction stands beside the first line of what it became; before all others stands the way in. */
function sideBySide({ vm }: Pick<Machine, 'vm'>, { marks, lines }: TranslationListing): string {
  const { vcpu } = vm.processors[0]!
  const guests = marks.map(({ eip, offset }) => {
    const text = instructionAt(vcpu, vm.memory, eip >>> 0, CODE_SIZE)?.text ?? ''
    return { offset, text: `${(eip >>> 0).toString(16)}: ${text}` }
  })
  let listing = ''
  for (const { offset, depth, text } of lines) {
    while (guests.length > 1 && guests[1]!.offset <= offset) listing += `${guests.shift()!.text}\n`
    const guest = guests[0] !== undefined && guests[0].offset <= offset ? guests.shift()!.text : ''
    listing += `${guest.padEnd(GUEST_COLUMN)} ${'  '.repeat(depth)}${text}\n`
  }
  return listing
}

function parseAddress(text: string): number {
  if (!/^(0x)?[0-9a-f]{1,8}h?$/i.test(text)) throw new InvalidArgumentError('It is a hexadecimal number, as 100020.')
  return Number.parseInt(text.replace(/h$/i, ''), 16)
}
