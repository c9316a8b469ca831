/** The corpus as a list for docs/hostile-corpus.md: what each submission tries, and how it must end. */
import { CORPUS } from './corpus.ts'
import { type AllowedPoints, type Expectation, FAMILIES } from './hostile.ts'

const POINTS_IN_WORDS: Readonly<Record<AllowedPoints, string>> = {
  none: 'no points',
  atMostWrong: 'no more points than without the attack',
  all: 'all points',
  atMostRight: 'no more points than right code',
}
const OUTCOMES_IN_WORDS: Readonly<Record<string, string>> = {
  graded: 'graded',
  doesNotCompile: 'does not compile',
  importRefused: 'import refused',
  notReadable: 'not readable',
}

export function renderCorpus(): string {
  return [
    '# The hostile corpus',
    '',
    `${CORPUS.length} submissions in ${FAMILIES.length} families, as \`grader/hostile\` has them; see [hostile.md](hostile.md).`,
    `This file is written by \`npx vitest run grader/hostile/corpus.test.ts --update\`.`,
    ...FAMILIES.flatMap((family) => {
      const entries = CORPUS.filter((entry) => entry.family === family)
      return [
        '',
        `## ${family}: ${entries.length}`,
        '',
        '| submission | tries | must end |',
        '|---|---|---|',
        ...entries.map(
          ({ id, tries, expect }) => `| ${id} | ${tries.replaceAll('|', '\\|')} | ${endInWords(expect)} |`,
        ),
      ]
    }),
    '',
  ].join('\n')
}

/** `graded, no points; all laws timedOut`. */
function endInWords({ outcomes, points, verdicts, some }: Expectation): string {
  const outcome = outcomes.map((each) => OUTCOMES_IN_WORDS[each] ?? each).join(' or ')
  if (!outcomes.includes('graded')) return `${outcome}, ${POINTS_IN_WORDS[points]}`
  const laws = verdicts === undefined ? '' : `; all laws ${verdicts.join(' or ')}`
  return `${outcome}, ${POINTS_IN_WORDS[points]}${laws}${some === undefined ? '' : `; some law ${some}`}`
}
