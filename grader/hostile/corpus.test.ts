import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRoot } from '../project-root.ts'
import { CORPUS } from './corpus.ts'
import { renderCorpus } from './corpus-table.ts'
import { FAMILIES } from './hostile.ts'

describe('the hostile corpus', () => {
  it('names each submission once, in lower-case words', () => {
    const ids = CORPUS.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  })

  it('has submissions in every family, together in the order of families', () => {
    const families = CORPUS.map(({ family }) => FAMILIES.indexOf(family))
    expect([...new Set(families)].sort((a, b) => a - b)).toEqual(FAMILIES.map((_, place) => place))
    expect(CORPUS.length).toBeGreaterThanOrEqual(150)
  })

  it('says in one sentence what each tries', () => {
    for (const { id, tries } of CORPUS) expect([id, tries]).toEqual([id, expect.stringMatching(/^[A-Z][^\n]+[.!]$/)])
  })

  it('expects no points of what is not run', () => {
    for (const { id, expect: end } of CORPUS) {
      if (!end.outcomes.includes('graded')) expect([id, end.points]).toEqual([id, 'none'])
      expect([id, end.outcomes.length > 0]).toEqual([id, true])
    }
  })

  it('is listed in the documentation as it is', async () => {
    await expect(renderCorpus()).toMatchFileSnapshot(join(projectRoot(), 'docs/hostile-corpus.md'))
  })
})
