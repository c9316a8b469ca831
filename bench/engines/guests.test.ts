import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bootKernel, createMachine, PC_COSTS } from '../../reference/machine.ts'
import { CHECKSUMS } from './checksums.ts'
import { buildKernel } from './kernel.ts'
import { SECTIONS } from './sections.ts'

const MEMORY_BYTES = 128 << 20
/** What a guest writes 8 to the debug-exit port for. */
const STATUS_DONE = 17
/** Virtual seconds until a guest counts as hanging. */
const LONG = 5
const TIMEOUT_MS = 300_000

/** Runs all sections with one unit of work each. */
function runAll(kernel: string, engine: 'wasm' | 'interpreter') {
  let printed = ''
  const machine = createMachine({
    memoryBytes: MEMORY_BYTES,
    engine,
    serialSink: (byte) => {
      printed += String.fromCharCode(byte)
      return true
    },
  })
  const bytes = Uint8Array.from(readFileSync(kernel))
  bootKernel(machine, { name: 'sections', bytes, commandLine: 'section=all work=1', modules: [] })
  const { host, vm } = machine
  while (vm.exitStatus === undefined && !host.ended && host.now < LONG * PC_COSTS.hz) {
    host.runUntil(host.now + PC_COSTS.hz / 10)
  }
  const checksums = Object.fromEntries(
    [...printed.matchAll(/^checksum (\S+) ([0-9a-f]{8})$/gm)].map(([, name = '', sum]) => [name, sum]),
  )
  return { checksums, status: vm.exitStatus, instructions: vm.processors[0]!.vcpu.counters.retired, now: host.now }
}

const kernel = buildKernel()
if ('missing' in kernel) process.stderr.write(`The benchmark's guests are not tested. ${kernel.missing}\n`)

describe.skipIf('missing' in kernel)('the guests of the comparison', () => {
  const path = 'missing' in kernel ? '' : kernel.path

  it('the benchmark knows each section, and its checksum for one unit of work', () => {
    expect(SECTIONS.map(({ name }) => name).toSorted()).toEqual(Object.keys(CHECKSUMS).toSorted())
  })

  it('print the checksums that other machines print, by the interpreter and by the engine, at the same virtual time', {
    timeout: TIMEOUT_MS,
  }, () => {
    const interpreted = runAll(path, 'interpreter')
    expect(interpreted).toMatchObject({ checksums: CHECKSUMS, status: STATUS_DONE })
    expect(runAll(path, 'wasm')).toEqual(interpreted)
  })
})
