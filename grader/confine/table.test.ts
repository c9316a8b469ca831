import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectRoot } from '../project-root.ts'
import { ATTACKS } from './fixtures/attacks.ts'
import { LAYERS } from './layer.ts'

it('docs/confinement.md shows each attack that is tried, and the layers that are shown to stop it', () => {
  const columns = LAYERS.filter((layer) => layer !== 'process')
  const rows = ATTACKS.map(({ tries, stoppedBy }) => {
    const cells = columns.map((layer) => (stoppedBy.includes(layer) ? '●' : ''))
    return `| ${[tries, ...cells].join(' | ')} |`.replaceAll('|  |', '| |').replaceAll('|  |', '| |')
  })
  const text = readFileSync(join(projectRoot(), 'docs/confinement.md'), 'utf8')
  const table = text.slice(text.indexOf('| a submission that'))
  expect(table.split('\n').slice(2, 2 + rows.length)).toEqual(rows)
})
