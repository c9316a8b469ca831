/**
 * A lab's rubric: `rubrics/<lab>.yaml`, all that an instructor changes without programming. Every mistake in it is one
 * sentence with file and line.
 */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import type { AnyLab } from '../contract/lab.ts'
import { WrongUse } from '../failures.ts'
import { reasonOf } from '../files.ts'
import { projectRoot } from '../project-root.ts'
import { checkSums, type RubricPath } from './check-sums.ts'
import { type Rubric, rubricSchema } from './rubric-schema.ts'

/** The rubric of a lab, from `rubrics/<id>.yaml` unless another file is named. */
export function loadRubric(lab: AnyLab, file = join(projectRoot(), 'rubrics', `${lab.id}.yaml`)): Rubric {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WrongUse(`Cannot read the rubric ${file}: ${reasonOf(error)}.`)
  }
  const inProject = relative(projectRoot(), file)
  return parseRubric(lab, text, inProject.startsWith('..') ? file : inProject)
}

/**
 * Reads and checks a rubric.
 *
 * @param file how messages name it
 * @throws WrongUse with one sentence for the first mistake: `rubrics/hlt-idle.yaml:12: item "accounting" wants 40 …`
 */
export function parseRubric(lab: AnyLab, text: string, file: string): Rubric {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [syntaxError] = document.errors
  if (syntaxError !== undefined) {
    const [sentence] = syntaxError.message.split(' at line ')
    throw wrong(file, lines.linePos(syntaxError.pos[0]).line, `${sentence}`)
  }
  const lineOf = (path: RubricPath): number => {
    for (let length = path.length; length >= 0; length--) {
      const offset = offsetOf(document, path.slice(0, length))
      if (offset !== undefined) return lines.linePos(offset).line
    }
    return 1
  }
  const parsed = rubricSchema.safeParse(document.toJS({ maxAliasCount: 0 }))
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    const keys = path.map((key) => (typeof key === 'symbol' ? String(key) : key))
    throw wrong(file, lineOf(keys), `${keys.join('.') || 'the rubric'}: ${message}`)
  }
  const [mistake] = checkSums(lab, parsed.data)
  if (mistake !== undefined) throw wrong(file, lineOf(mistake.path), mistake.sentence)
  return parsed.data
}

/** Where a key, or the value at a path, begins in the text. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: RubricPath): number | undefined {
  const last = path.at(-1)
  const parent = path.length === 0 ? undefined : document.getIn(path.slice(0, -1), true)
  if (typeof last === 'string' && isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last)
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return pair.key.range[0]
  }
  const node = document.getIn(path, true)
  return isNode(node) && node.range ? node.range[0] : undefined
}

function wrong(file: string, line: number, sentence: string): WrongUse {
  return new WrongUse(`${file}:${line}: ${sentence.replace(/\.?$/, '.')}`)
}
