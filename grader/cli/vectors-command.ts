/**
 * `trapframe vectors FILE`: runs single-instruction vectors of a real processor and prints where the machine differs.
 */
import { loadVectors, VectorFileError } from '../../reference/cpu/vector-file.ts'
import { runVectors, type VectorResult } from '../../reference/cpu/vectors.ts'
import { reasonOf } from '../files.ts'

const EXIT_PASSED = 0
const EXIT_FAILED = 1
const EXIT_UNREADABLE = 2

export interface VectorsOptions {
  /** How many failing vectors are printed; all are counted. */
  readonly maxFailures: number
}

/** @returns the exit status: 0 all pass, 1 some fail, 2 the file cannot be used */
export function vectorsCommand(file: string, options: VectorsOptions, out: { write(text: string): void }): number {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  try {
    for (const result of runVectors(loadVectors(file))) {
      if (result.skipped !== undefined) {
        counts.skipped++
      } else if (result.differences.length === 0) {
        counts.passed++
      } else {
        counts.failed++
        if (counts.failed <= options.maxFailures) out.write(describe(result))
      }
    }
  } catch (error) {
    if (!(error instanceof VectorFileError)) throw error
    const why = error.cause === undefined ? '' : `: ${reasonOf(error.cause)}.`
    out.write(`${error.message}${why}\n`)
    return EXIT_UNREADABLE
  }
  out.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
  return counts.failed === 0 ? EXIT_PASSED : EXIT_FAILED
}

function describe({ vector, differences }: VectorResult): string {
  const head = `vector ${vector.id} (${vector.cat}, ${vector.mode}-bit): ${vector.mn}, bytes ${vector.bytes}`
  return `${[head, ...differences.map((difference) => `  ${difference}`)].join('\n')}\n`
}
