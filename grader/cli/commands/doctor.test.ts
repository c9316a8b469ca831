import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { type ConfinementReport, LAYERS } from '../../confine/layer.ts'
import { runCli } from '../program.ts'
import { addDoctorCommand } from './doctor.ts'

const WHOLE: ConfinementReport = { layers: LAYERS, missing: [], sandbox: 'inside' }
const LAPTOP: ConfinementReport = {
  layers: ['process', 'permission'],
  missing: [
    { layer: 'prlimit', why: 'there is no prlimit on the PATH', get: 'use Linux' },
    { layer: 'bubblewrap', why: 'there is no bwrap on the PATH', get: 'apt install bubblewrap' },
    { layer: 'seccomp', why: 'it comes with bubblewrap', get: 'get bubblewrap first' },
  ],
}

async function doctor(report: ConfinementReport, ...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const statuses: number[] = []
  const streams = {
    out: { write: (text: string) => out.push(text) },
    err: { write: (text: string) => err.push(text) },
    env: {},
    setStatus: (status: number) => void statuses.push(status),
  }
  const program = new Command()
  addDoctorCommand(program, streams, () => report)
  await program.parseAsync(['doctor', ...args], { from: 'user' })
  return { out: out.join(''), err: err.join(''), status: statuses.at(-1) ?? 0 }
}

describe('trapframe doctor', () => {
  it('has a line for each layer, and the level', async () => {
    const { out, status } = await doctor(WHOLE)
    for (const layer of LAYERS) expect(out).toMatch(new RegExp(`^${layer} +yes +protects from: `, 'm'))
    expect(out).toMatch(/^Level: sandbox /m)
    expect(out).toMatch(/Node \d+\.\d+/)
    expect(status).toBe(0)
  })

  it('says why a layer is missing and how to get it, and that one is not needed', async () => {
    const { out } = await doctor(LAPTOP)
    expect(out).toMatch(
      /^bubblewrap +no .*\n +not here: there is no bwrap on the PATH\n +to get it: apt install bubblewrap$/m,
    )
    expect(out).toMatch(/^uid +not needed/m)
    expect(out).toMatch(/^Level: process /m)
  })

  it('ends with 1 and a sentence for each layer below the level that is required', async () => {
    const below = await doctor(LAPTOP, '--require', 'sandbox')
    expect(below.status).toBe(1)
    expect(below.err.split('\n').filter(Boolean)).toHaveLength(3)
    expect(below.err).toContain(
      'trapframe: The level "sandbox" needs bubblewrap, but there is no bwrap on the PATH: apt install bubblewrap.',
    )
    expect((await doctor(LAPTOP, '--require', 'process')).status).toBe(0)
    expect((await doctor(WHOLE, '--require', 'sandbox')).err).toBe('')
  })

  it('speaks JSON', async () => {
    const { out } = await doctor(LAPTOP, '--json')
    const said = JSON.parse(out) as { level: string; layers: { layer: string; state: string; get?: string }[] }
    expect(said.level).toBe('process')
    expect(said.layers.map(({ layer }) => layer)).toEqual([...LAYERS])
    expect(said.layers.find(({ layer }) => layer === 'bubblewrap')).toMatchObject({
      state: 'no',
      get: 'apt install bubblewrap',
    })
  })

  it('has no level where even the permission model is missing', async () => {
    const missing = [{ layer: 'permission', why: 'this Node has none', get: 'use another' }] as const
    const { out } = await doctor({ layers: ['process'], missing })
    expect(out).toMatch(/^Level: none /m)
  })

  it('examines this machine, and refuses a level that there is not', async () => {
    const said: string[] = []
    const streams = { out: { write: () => {} }, err: { write: (text: string) => said.push(text) }, env: {} }
    expect(await runCli(['doctor'], streams)).toBe(0)
    expect(await runCli(['doctor', '--require', 'much'], streams)).toBe(2)
    expect(said.join('')).toMatch(/Allowed choices are process, sandbox\./)
  })
})
