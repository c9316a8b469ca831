/** Finds a student's line in a stack of the bundle, by the bundle's source map (revision 3). */
import { SourceMap } from 'node:module'
import type { Locate } from '../port/client.ts'
import { SUBMISSION_NAME } from '../subject/realm.ts'
import { SOURCE_NAMESPACE } from './bundle.ts'
import { SOURCE_FOLDER } from './layout.ts'

const FRAME = new RegExp(`${SUBMISSION_NAME.replace('.', '\\.')}:(\\d{1,9}):(\\d{1,9})`, 'g')

/** The first frame of a stack that lies in the student's files, as `src/idle.ts:12`. */
export function locateWith(map: string): Locate {
  const sources = new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0])
  return (stack) => {
    for (const [, line, column] of stack.matchAll(FRAME)) {
      const entry = sources.findEntry(Number(line) - 1, Number(column) - 1)
      if (!('originalSource' in entry)) continue
      const source = entry.originalSource.replace(`${SOURCE_NAMESPACE}:`, '')
      if (source.startsWith(`${SOURCE_FOLDER}/`)) return `${source}:${entry.originalLine + 1}`
    }
    return undefined
  }
}
