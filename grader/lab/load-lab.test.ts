import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { counterLab } from '../grade/fixtures/counter-lab.ts'
import { labMistakes } from './lab-schema.ts'
import { listLabs, loadLab } from './load-lab.ts'

const folder = mkdtempSync(join(tmpdir(), 'labs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const put = (id: string, text: string) => {
  mkdirSync(join(folder, id))
  writeFileSync(join(folder, id, 'lab.ts'), text)
}
put('empty-lab', 'export default { id: "empty-lab" }\n')
mkdirSync(join(folder, 'no-lab'))

describe('loadLab', () => {
  it('names the labs there are when there is none of that name', async () => {
    expect(listLabs(folder)).toEqual(['empty-lab'])
    await expect(loadLab('nope', folder)).rejects.toThrow('There is no lab "nope"; the labs are empty-lab.')
    await expect(loadLab('../empty-lab', folder)).rejects.toThrow('There is no lab')
  })

  it('says what a declaration lacks', async () => {
    await expect(loadLab('empty-lab', folder)).rejects.toThrow(/^assignments\/empty-lab\/lab\.ts is not a lab: title: /)
  })
})

describe('labMistakes', () => {
  it('finds nothing wrong with a lab, and names what is wrong with others', () => {
    expect(labMistakes(counterLab, 'counter')).toEqual([])
    expect(labMistakes(counterLab, 'other')).toEqual(['id: the folder is called other, the lab counter'])
    expect(labMistakes({ ...counterLab, entry: 'x.ts' }, 'counter')).toEqual(['entry: x.ts is no solution file'])
    const twice = [...counterLab.suites.public, counterLab.suites.public[0]]
    const doubled = { ...counterLab, suites: { ...counterLab.suites, public: twice } }
    expect(labMistakes(doubled, 'counter')).toEqual(['suites.public: two laws are called sum'])
    const idle = { ...counterLab.suites.public[0], runs: { public: 0, hidden: 1 } }
    const unearned = { ...counterLab, suites: { ...counterLab.suites, public: [idle] } }
    expect(labMistakes(unearned, 'counter')).toEqual(['suites.public: the law sum runs no cases there'])
    expect(labMistakes({ ...counterLab, solution: ['/etc/passwd'] }, 'counter')[0]).toMatch(
      /^solution\.0: must be a path/,
    )
  })
})
