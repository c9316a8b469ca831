/**
 * The frame of every guest: a multiboot kernel at 1 MiB by the header's address fields (Multiboot Specification 0.6.96
 * §3.1), with a stack, and the debug-exit port to end with.
 */
import { Assembler, registers, symbol } from '../../reference/index.ts'

/** A guest ready to be loaded. */
export interface Guest {
  /** A multiboot kernel. */
  readonly image: Uint8Array
  /** Guest physical address of the first instruction. */
  readonly entry: number
  /** Guest physical address of each label. */
  readonly symbols: ReadonlyMap<string, number>
  /** The program as assembled: addresses, bytes and text. */
  readonly listing: string
}

const LOAD_ADDRESS = 0x10_0000
const HEADER_MAGIC = 0x1bad_b002
const ADDRESS_FIELDS = 1 << 16
const STACK_BYTES = 4096
const DEBUG_EXIT_PORT = 0xf4

const { eax, al, esp } = registers

/** Assembles a guest; `write` gives its instructions and data, entered in flat protected mode with interrupts off. */
export function buildKernel(write: (a: Assembler) => void): Guest {
  const a = new Assembler({ origin: LOAD_ADDRESS, codeSize: 32 })
  a.label('header')
  a.dd(HEADER_MAGIC, ADDRESS_FIELDS, -(HEADER_MAGIC + ADDRESS_FIELDS))
  a.dd('header', 'header', 'imageEnd', symbol('imageEnd').plus(STACK_BYTES), 'entry')
  a.label('entry')
  a.mov(esp, symbol('imageEnd').plus(STACK_BYTES))
  write(a)
  a.align(16)
  a.label('imageEnd')
  const { bytes, symbols, listing } = a.assemble()
  return { image: bytes, entry: symbols.get('entry')!, symbols, listing }
}

/** Ends the run with exit status `(result << 1) | 1`. */
export function emitExit(a: Assembler, result: number): void {
  a.mov(eax, result)
  a.out(DEBUG_EXIT_PORT, al)
  const stop = a.unique('stop')
  a.cli()
  a.label(stop)
  a.hlt()
  a.jmp(stop)
}
