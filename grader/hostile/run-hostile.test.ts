import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { projectRoot } from '../project-root.ts'
import { loadRubric } from '../rubric/rubric.ts'
import { CORPUS } from './corpus.ts'
import { type Hostile, inFamily, KEEPS_ALL, NOT_READABLE } from './hostile.ts'
import { onRight, onWrong } from './kit.ts'
import { runHostile } from './run-hostile.ts'
import { Surroundings } from './surroundings.ts'
import { renderHostile } from './table.ts'

const RUBRIC = loadRubric(counterLab, join(projectRoot(), 'grader/grade/fixtures/counter.yaml'))
const TOKEN = 'TRAPFRAME_BAIT_TOKEN'
const run = (corpus: readonly Hostile[], only?: string) =>
  runHostile(counterLab, RUBRIC, { corpus, ...(only === undefined ? {} : { only }) })

/** One or two of each family that ends quickly. */
const FEW = [
  ...['deep-recursion', 'exit-in-call', 'unhandled-rejection', 'always-equal', 'json-forged', 'left-for-the-next'],
  ...['asymmetric-matcher', 'imports-fast-check', 'imports-the-solution', 'type-of-a-secret', 'by-the-global'],
  ...['by-a-sloppy-module', 'by-the-caller', 'environment-by-name', 'fetch', 'clock-stands-still', 'answers-a-cycle'],
  ...['answers-negative-zero', 'symlink-entry', 'fifo-entry', 'own-settings', 'settings-that-run', 'alternates'],
  ...['zip-slip', 'zip-lying-size', 'gzip-bomb', 'message-for-runners', 'import-that-steers'],
]

describe('hostile submissions against the toy lab', () => {
  it('end as they must, and are told of in a table', async () => {
    const progress: string[] = []
    const corpus = CORPUS.filter(({ id }) => FEW.includes(id))
    const report = await runHostile(counterLab, RUBRIC, { corpus, onProgress: (_, __, { id }) => progress.push(id) })
    expect(report.problems).toEqual([])
    expect(progress).toHaveLength(FEW.length)
    expect(report.honest).toEqual({ right: 100, wrong: 10 })
    expect(report.ended.filter(({ escaped }) => escaped)).toEqual([])
    const table = renderHostile(report)
    expect(table).toContain('All of them ended as they must.')
    for (const { id, tries } of corpus) expect(table).toContain(`| ${id} | ${tries} |`)
  })

  it('are found out when they gain, lose, end otherwise or leave something behind', async () => {
    const corpus = inFamily('forging', [
      { id: 'gains', tries: 'Is right.', submission: onRight({}), expect: { outcomes: ['graded'], points: 'none' } },
      { id: 'loses', tries: 'Is wrong.', submission: onWrong({}), expect: KEEPS_ALL },
      { id: 'is-read', tries: 'Can be read.', submission: onWrong({}), expect: NOT_READABLE },
      {
        id: 'leaves',
        tries: 'Leaves a file.',
        submission: (kit) => ({
          kind: 'directory',
          build: () => writeFileSync(join(tmpdir(), kit.bait.mark), ''),
        }),
        expect: NOT_READABLE,
      },
      {
        id: 'tells',
        tries: 'Knows what it must not know.',
        submission: onWrong(({ bait }) => ({ call: `throw new Error('${bait.mark}')` })),
        expect: { outcomes: ['graded'], points: 'none', some: 'held' },
      },
    ])
    const report = await run(corpus)
    expect(report.problems).toEqual([
      'gains: It may have 0 points at most, and has 100.',
      'loses: It must keep all 100 points, and has 10.',
      'loses: Its laws must end in held, and some ended in failed.',
      'is-read: It must end in notReadable, and ended in graded.',
      'is-read: It may have 0 points at most, and has 10.',
      'is-read: Its laws must end in notRun, and some ended in failed, held.',
      expect.stringMatching(/^leaves: It left a file in .*\/tmp\.$/),
      'tells: Some law must end in held, and all ended in threw.',
      'tells: What it must not know stands in its result.',
    ])
    expect(renderHostile(report)).toContain('5 of them did not end as they must.')
  })

  it('can be picked by family or name, and by nothing else', async () => {
    const corpus = inFamily('forging', [{ id: 'a', tries: 'A.', submission: onWrong({}), expect: NOT_READABLE }])
    expect((await run(corpus, 'forging')).ended).toHaveLength(1)
    expect((await run(corpus, 'a')).ended).toHaveLength(1)
    await expect(run(corpus, 'b')).rejects.toThrow('no family and no entry "b". The families are forging.')
  })
})

describe('the surroundings', () => {
  it('tell of connections, files and processes, take them away, and give the environment back', async () => {
    const before = process.env[TOKEN]
    const surroundings = await Surroundings.open()
    const { mark, tcpPort, secretFile, tokenName } = surroundings.bait
    try {
      expect(readFileSync(secretFile, 'utf8')).toContain(mark)
      expect(process.env[tokenName]).toContain(mark)
      expect(await surroundings.traces()).toEqual([])
      const socket = connect(tcpPort, '127.0.0.1')
      await once(socket, 'connect')
      writeFileSync(join(tmpdir(), 'anything'), '')
      const child = spawn('/bin/sh', ['-c', 'sleep 60; true', mark], { stdio: 'ignore' })
      await once(child, 'spawn')
      const traces = await surroundings.traces()
      expect(traces.join()).toMatch(/TCP connection.*anything in the folder.*a process: .*sleep 60/)
      await once(child, 'exit')
      expect(await surroundings.traces()).toEqual([])
    } finally {
      await surroundings.close()
    }
    expect(process.env[TOKEN]).toBe(before)
  })
})
