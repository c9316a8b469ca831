/**
 * The part of the WebAssembly JavaScript API that the engine needs; TypeScript declares it only together with a browser's.
 */
import { CALLOUT, IMPORTS, MEMORY, RUN } from './wasm-module.ts'

type RegionFunction = (entry: number, fuel: number) => number

interface WebAssemblyHost {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
    readonly Instance: new (
      module: object,
      imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    ) => { readonly exports: Readonly<Record<string, unknown>> }
    readonly CompileError: new () => Error
  }
}

/** Compiles a module of {@link encodeModule}; undefined when WebAssembly refuses it. */
export function compile(
  module: Uint8Array<ArrayBuffer>,
  memory: unknown,
  callout: (id: number) => number,
): RegionFunction | undefined {
  const { WebAssembly } = globalThis as unknown as WebAssemblyHost
  try {
    const compiled = new WebAssembly.Module(module)
    const instance = new WebAssembly.Instance(compiled, { [IMPORTS]: { [CALLOUT]: callout, [MEMORY]: memory } })
    return instance.exports[RUN] as RegionFunction
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
}
