/**
 * A WebAssembly module around one translated function (WebAssembly Core Specification 2.0 §5.5): it imports the machine's
 * memory and the way back to the interpreter, and exports the function.
 */
import { ByteList, TYPE_I32 } from './wasm-code.ts'

const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const SECTION_TYPE = 1
const SECTION_IMPORT = 2
const SECTION_FUNCTION = 3
const SECTION_EXPORT = 7
const SECTION_CODE = 10
const FUNCTION_TYPE = 0x60
const IMPORT_FUNCTION = 0
const IMPORT_MEMORY = 2
const EXPORT_FUNCTION = 0
const LIMITS_WITH_MAXIMUM = 1

/** What the module imports, all from the namespace `machine`. */
export const IMPORTS = 'machine'
export const MEMORY = 'memory'
export const CALLOUT = 'callout'
/** The index of the imported function in `call`. */
export const CALLOUT_FUNCTION = 0
/** The exported function. */
export const RUN = 'run'

/** Types: (i32) → i32 for the callout, (i32, i32) → i32 for the region. */
const TYPES = [
  { parameters: 1, results: 1 },
  { parameters: 2, results: 1 },
]

/**
 * @param body as {@link WasmCode.finish} gives it, of a function (i32, i32) → i32
 * @param pages the imported memory's size in units of 64 KiB, which it never leaves
 */
export function encodeModule(body: Uint8Array, pages: number): Uint8Array<ArrayBuffer> {
  const types = new ByteList().unsigned(TYPES.length)
  for (const { parameters, results } of TYPES) {
    types.byte(FUNCTION_TYPE)
    for (const count of [parameters, results]) types.unsigned(count).append(new Array<number>(count).fill(TYPE_I32))
  }
  const imports = new ByteList().unsigned(2)
  imports.name(IMPORTS).name(CALLOUT).byte(IMPORT_FUNCTION).unsigned(0)
  imports.name(IMPORTS).name(MEMORY).byte(IMPORT_MEMORY).byte(LIMITS_WITH_MAXIMUM).unsigned(pages).unsigned(pages)
  const functions = new ByteList().unsigned(1).unsigned(1)
  const exports = new ByteList().unsigned(1).name(RUN).byte(EXPORT_FUNCTION).unsigned(1)

  const head = new ByteList().append(MAGIC_AND_VERSION)
  for (const [id, section] of [
    [SECTION_TYPE, types],
    [SECTION_IMPORT, imports],
    [SECTION_FUNCTION, functions],
    [SECTION_EXPORT, exports],
  ] as const) {
    head.byte(id).unsigned(section.length).append(section.bytes)
  }
  const count = new ByteList().unsigned(1)
  head
    .byte(SECTION_CODE)
    .unsigned(count.length + body.length)
    .append(count.bytes)
  const module = new Uint8Array(head.length + body.length)
  module.set(head.bytes)
  module.set(body, head.length)
  return module
}
