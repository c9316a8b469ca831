import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { detectConfinement } from './detect.ts'
import { LAYERS, type Layer } from './layer.ts'
import { planLaunch } from './plan-launch.ts'

const report = detectConfinement()
const folder = mkdtempSync(join(tmpdir(), 'trapframe-plan-'))
const script = join(folder, 'subject.cjs')
writeFileSync(script, '')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const limits = { cpuSeconds: 7, heapMegabytes: 64, dataMegabytes: 128, openFiles: 32 }
const layerSets = fc.subarray([...report.layers])
const plan = (layers: readonly Layer[]) => planLaunch({ layers, sandbox: report.sandbox }, { script, folder, limits })

describe('planLaunch', () => {
  it('names files by absolute paths, and hands on nothing of the environment', () => {
    fc.assert(
      fc.property(layerSets, (layers) => {
        const { file, descriptors, env } = plan(layers)
        expect([file, ...descriptors].filter((path) => !path.startsWith('/'))).toEqual([])
        expect(env).toEqual({ TZ: 'UTC' })
      }),
      { seed: 5, numRuns: 30 },
    )
  })

  it('puts on the layers that it is told to, and no other', () => {
    const signs: Readonly<Partial<Record<Layer, RegExp>>> = {
      permission: /permission /,
      prlimit: /prlimit --cpu=7:8 /,
      uid: /--reuid 65534 /,
      bubblewrap: /bwrap /,
    }
    fc.assert(
      fc.property(layerSets, (layers) => {
        const { file, args } = plan(layers)
        const words = [file, ...args].join(' ')
        for (const layer of LAYERS) {
          const sign = signs[layer]
          if (sign !== undefined) expect(sign.test(words)).toBe(layers.includes(layer))
        }
      }),
      { seed: 5, numRuns: 60 },
    )
  })

  it('gives the filter to the sandbox only, as a file at descriptor 5', () => {
    fc.assert(
      fc.property(layerSets, (layers) => {
        const { args, descriptors } = plan(layers)
        const filtered = layers.includes('seccomp') && layers.includes('bubblewrap')
        expect(descriptors).toHaveLength(filtered ? 1 : 0)
        expect(args.join(' ').includes('--seccomp 5')).toBe(filtered)
        for (const file of descriptors) expect(readFileSync(file).length % 8).toBe(0)
      }),
      { seed: 5, numRuns: 30 },
    )
  })

  it('leaves the folder closed to listing by others', () => {
    plan(report.layers)
    expect(statSync(folder).mode & 0o066).toBe(0)
  })
})
