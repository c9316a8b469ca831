/** A lab's datasheet: the evidence that its suites may give marks (design §6). Plain data, and its views. */
import type { Variant } from '../variant.ts'

export const DATASHEET_SCHEMA = 'trapframe/datasheet/v1'

export interface Graded {
  readonly variant: string
  readonly hiddenSeed: number
  readonly points: number
  /** The rubric items that lost points. */
  readonly lost: readonly string[]
  /** The laws that did not hold. */
  readonly killedBy: readonly string[]
}

export interface Datasheet {
  readonly schema: typeof DATASHEET_SCHEMA
  readonly lab: string
  readonly version: string
  readonly maxPoints: number
  readonly variants: readonly { readonly seed: string; readonly parameters: Variant }[]
  readonly reference: readonly Graded[]
  readonly starter: { readonly points: number; readonly baseline: number }
  readonly mutants: readonly {
    readonly id: string
    readonly item: string
    readonly story: string
    readonly gradings: readonly Graded[]
  }[]
  /** For each rubric item: the mutants that lose points in it, and those that lose them nowhere else. */
  readonly items: readonly {
    readonly id: string
    readonly kills: readonly string[]
    readonly alone: readonly string[]
  }[]
  readonly benign: readonly { readonly id: string; readonly story: string; readonly gradings: readonly Graded[] }[]
  /** Gradings of the same seeds that gave the same digest, and those that did not. */
  readonly repeated: { readonly same: number; readonly different: number }
  /** Gradings made in this process and confined that came to the same digest, and those that did not. */
  readonly confined: { readonly same: number; readonly different: number }
  /** The solution of one variant, graded as another. */
  readonly copies: readonly { readonly from: string; readonly to: string; readonly points: number }[]
  readonly leaks: readonly { readonly file: string; readonly text: string }[]
  /** What does not hold, a sentence each; empty when the lab may be published. */
  readonly problems: readonly string[]
}

/** The datasheet as text; the same text serves as Markdown. */
export function renderDatasheet(sheet: Datasheet): string {
  const variants = sheet.variants.map(
    ({ seed, parameters }) =>
      `| ${seed} | ${Object.entries(parameters)
        .map(([name, value]) => `${name} = ${String(value)}`)
        .join(', ')} |`,
  )
  const mutants = sheet.mutants.map(
    ({ id, item, gradings }) =>
      `| ${id} | ${item} | ${range(gradings.map(({ points }) => points))} | ${laws(gradings)} |`,
  )
  const lines = [
    `# Datasheet of ${sheet.lab}`,
    '',
    `Made by \`trapframe verify ${sheet.lab}\`, version ${sheet.version}.`,
    '',
    ...(sheet.problems.length === 0
      ? ['All of it holds.']
      : ['**Not all of it holds:**', '', ...sheet.problems.map((problem) => `- ${problem}`)]),
    '',
    '| variant | parameters |',
    '|---|---|',
    ...variants,
    '',
    `- The reference scores ${range(sheet.reference.map(({ points }) => points))} of ${sheet.maxPoints} in ${sheet.reference.length} gradings.`,
    `- The untouched starter scores ${sheet.starter.points}; it should score ${sheet.starter.baseline}.`,
    `- ${sheet.repeated.same} repeated gradings of the reference gave the same digest, ${sheet.repeated.different} another.`,
    `- ${sheet.confined.same} gradings came to the same digest in the grader's process and confined, ${sheet.confined.different} to another.`,
    ...sheet.benign.map(
      ({ id, gradings }) => `- The benign variant ${id} scores ${range(gradings.map(({ points }) => points))}.`,
    ),
    ...sheet.copies.map(({ from, to, points }) => `- The solution of ${from}, handed in for ${to}, scores ${points}.`),
    `- Parts of the solution found in the starter: ${sheet.leaks.length === 0 ? 'none' : sheet.leaks.map(({ file }) => file).join(', ')}.`,
    '',
    '| mutant | written for | points | killed by |',
    '|---|---|---:|---|',
    ...mutants,
    '',
    '| rubric item | kills | kills alone |',
    '|---|---:|---|',
    ...sheet.items.map(({ id, kills, alone }) => `| ${id} | ${kills.length} | ${alone.join(', ') || '–'} |`),
    '',
  ]
  return lines.join('\n')
}

function range(points: readonly number[]): string {
  const [low, high] = [Math.min(...points), Math.max(...points)]
  return low === high ? `${low}` : `${low} to ${high}`
}

function laws(gradings: readonly Graded[]): string {
  return [...new Set(gradings.flatMap(({ killedBy }) => killedBy))].join(', ') || 'counters'
}
