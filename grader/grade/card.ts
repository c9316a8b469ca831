/** Makes the counterexample card of a law that does not hold. */
import { z } from 'zod'
import type { AnyLaw } from '../contract/law.ts'
import type { Counterexample } from '../contract/run-law.ts'
import { GraderFailure } from '../failures.ts'
import type { Card } from '../result/result.ts'
import type { Variant } from '../variant.ts'

/** What a card must know of the grading that it belongs to. */
export interface CardContext {
  /** The command that replays, up to its own options: `trapframe replay --lab hlt-idle --seed alice`. */
  readonly replay: string
  /** The law stands in the public suite, so that the student's `test/` can name it. */
  readonly isPublic: boolean
}

/** A command longer than this is no use on a command line; without the case, replaying finds the first that fails. */
const MAX_COMMAND = 1500

export function makeCard(
  law: AnyLaw<object, Variant>,
  found: Counterexample,
  suite: string,
  context: CardContext,
): Card {
  const testCase = z.json().safeParse(found.case)
  if (!testCase.success) {
    throw new GraderFailure(`The law "${law.id}" makes cases that are no plain data, so no card can hold them.`)
  }
  const id = suite === 'public' ? `${law.id}-1` : `${law.id}-2`
  const json = JSON.stringify(testCase.data)
  return {
    id,
    law: law.id,
    sentence: law.sentence,
    case: testCase.data,
    description: [...found.description],
    difference: found.difference,
    trace: [...found.trace],
    ...(found.at === undefined ? {} : { at: found.at }),
    shrinks: found.shrinks,
    replay: replayCommand(law.id, json, context),
    test: testToPaste(law, json, found, context.isPublic),
  }
}

function replayCommand(law: string, json: string, { replay }: CardContext): string {
  const command = `${replay} --law ${law} --case ${quote(json)}`
  return command.length <= MAX_COMMAND ? command : `${replay} --law ${law}`
}

/** A word for a POSIX shell, whatever it holds. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A vitest test for `test/`; `suite.ts` there exports `checkCase(lawId, case)`. */
function testToPaste(law: AnyLaw<object, Variant>, json: string, found: Counterexample, isPublic: boolean): string {
  if (!isPublic)
    return `// The law "${law.id}" is part of the hidden suite only: replay its case with the command of this card.`
  const name = `${law.id}: ${found.difference.what}`
  return [
    `import { it } from 'vitest'`,
    `import { checkCase } from './suite.ts'`,
    ``,
    `it(${JSON.stringify(name)}, () => {`,
    `  checkCase(${JSON.stringify(law.id)}, ${json})`,
    `})`,
    ``,
  ].join('\n')
}
