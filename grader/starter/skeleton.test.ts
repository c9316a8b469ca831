import { Project, ts } from 'ts-morph'
import { describe, expect, it } from 'vitest'
import { makeSkeleton } from './skeleton.ts'

const SOLUTION = `/**
 * Counts how long vcpus sleep.
 */
import type { IdleMonitor, View } from './idle-port.ts'
// @solution
import { divide } from './divide.ts'
// @end
import { LIMIT, type Unit } from './units.ts'

/** What a vcpu is doing. */
export interface Phase {
  readonly since: bigint
}

// @solution
const SECRET_FACTOR = 77n

/** A private matter. */
function scaleSecretly(value: bigint): bigint {
  return divide(value * SECRET_FACTOR, LIMIT)
}
// @end

/** The idle monitor. */
export class Idle implements IdleMonitor {
  // @solution Which state does a vcpu need?
  readonly #phases: Phase[] = []
  #unit: Unit = 'cycles'
  // @end

  /** Begins. */
  attach(count: number, now: bigint): void {
    // @solution Remember when each vcpu began.
    // Think of vcpus that never run.

    for (let index = 0; index < count; index++) this.#phases.push({ since: now })
    this.#unit = 'cycles'
    // @end
  }

  /** Reads. */
  halted(vcpu: number, view: View): bigint {
    if (vcpu < 0) throw new RangeError('no such vcpu')
    // @solution Don't count a halt twice.
    const since = this.#phases[vcpu]?.since ?? 0n
    if (view.pending) return 0n
    return scaleSecretly(since)
    // @end
  }

  sleeps(vcpu: number): boolean {
    let answer = vcpu > 0
    // @solution
    answer &&= this.#phases.length > vcpu
    // @end
    return answer
  }

  // @solution
  #helper(): void {
    this.#phases.pop()
  }
  // @end
}

/** Makes one. */
export function create(): IdleMonitor {
  return new Idle()
}
`

const PORT = `export interface View { readonly pending: boolean }
export interface IdleMonitor {
  attach(count: number, now: bigint): void
  halted(vcpu: number, view: View): bigint
  sleeps(vcpu: number): boolean
}
`

const options = { rewriteImport: (specifier: string) => specifier.replace('./', '../platform/') }

function problems(files: Record<string, string>): string[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      allowImportingTsExtensions: true,
      noEmit: true,
      strict: true,
      noImplicitReturns: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
    },
  })
  project.createSourceFile('/package.json.ts', '')
  project.getFileSystem().writeFileSync('/package.json', '{"type":"module"}')
  for (const [path, text] of Object.entries(files)) project.createSourceFile(path, text)
  return project.getPreEmitDiagnostics().map((diagnostic) => {
    const message = diagnostic.getMessageText()
    return `${diagnostic.getSourceFile()?.getBaseName()}:${diagnostic.getLineNumber()} ${typeof message === 'string' ? message : message.getMessageText()}`
  })
}

function exportsOf(text: string): string[] {
  const project = new Project({ useInMemoryFileSystem: true })
  return [...project.createSourceFile('a.ts', text).getExportedDeclarations().keys()].sort()
}

describe('the skeleton of a solution', () => {
  const skeleton = makeSkeleton(SOLUTION, 'reference/cpu/idle.ts', options)

  it('compiles under strict settings', () => {
    const notWritten =
      'export class NotWritten extends Error {\n  constructor(method: string, hint: string) {\n    super(method + hint)\n  }\n}\n'
    const files = {
      '/src/idle.ts': skeleton.text,
      '/platform/idle-port.ts': PORT,
      '/platform/grader/contract/not-written.ts': notWritten,
    }
    expect(problems(files)).toEqual([])
  })

  it('holds no line of what was stripped', () => {
    expect(skeleton.stripped.length).toBe(7)
    for (const part of skeleton.stripped) {
      for (const line of part.split('\n').map((each) => each.trim())) {
        if (/^\W*$/.test(line)) continue
        expect(skeleton.text).not.toContain(line)
      }
    }
    expect(skeleton.text).not.toMatch(/@solution|@end/)
  })

  it('keeps every export, signature and doc comment outside the marks', () => {
    expect(exportsOf(skeleton.text)).toEqual(exportsOf(SOLUTION))
    for (const kept of [
      '/** Begins. */',
      'attach(count: number, now: bigint): void {',
      '/** Reads. */',
      '/** What a vcpu is doing. */',
    ]) {
      expect(skeleton.text).toContain(kept)
    }
  })

  it('puts the hints in the place of the solution, and throws where nothing is left', () => {
    expect(skeleton.text).toContain(
      "    // TODO: Remember when each vcpu began.\n    // Think of vcpus that never run.\n    throw new NotWritten('attach', 'Remember when each vcpu began. Think of vcpus that never run.')\n  }",
    )
    expect(skeleton.text).toContain(`    throw new NotWritten('halted', "Don't count a halt twice.")\n`)
    expect(skeleton.text).toContain('    // TODO: Write this part.\n    return answer')
    expect(skeleton.text).toContain('  // TODO: Which state does a vcpu need?\n\n  /** Begins. */')
  })

  it('drops imports that only the solution used, and rewrites the others', () => {
    expect(skeleton.text).toContain(
      "from '../platform/idle-port.ts'\nimport { NotWritten } from '../platform/grader/contract/not-written.ts'\n",
    )
    expect(skeleton.text).not.toMatch(/units|divide/)
  })

  it('leaves no gaps of two empty lines and none before a brace', () => {
    expect(skeleton.text).not.toMatch(/\n\n\n|\{\n\n|\n\n\s*\}/)
  })

  it('is made again from itself without a change', () => {
    expect(makeSkeleton(skeleton.text, 'idle.ts', { rewriteImport: (specifier) => specifier }).text).toBe(skeleton.text)
  })
})

describe('a solution file as a whole', () => {
  it('is dropped when its first comment says so', () => {
    const text = '// @solution-file\n/** All of it. */\nexport const answer = 42\n'
    expect(makeSkeleton(text, 'reference/a.ts', options)).toEqual({ text: '', stripped: [text], dropped: true })
  })

  it('stays as it is without marks, even with marks in strings', () => {
    const text = "export const a = '// @solution'\nexport const b = `\n// @solution\n// @end\n`\n"
    expect(makeSkeleton(text, 'reference/a.ts', options).text).toBe(text)
  })

  it('gets its import of NotWritten below the opening comment when it has no other', () => {
    const text =
      '/** The file. */\n\n/** The function. */\nexport function f(): number {\n  // @solution Try.\n  return 1\n  // @end\n}\n'
    const made = makeSkeleton(text, 'reference/a.ts', options).text
    expect(made).toMatch(
      /^\/\*\* The file\. \*\/\nimport \{ NotWritten \} from '.*'\n\n\/\*\* The function\. \*\/\nexport function/,
    )
  })

  it('throws in a branch when only branches are stripped', () => {
    const text =
      'export function f(a: boolean): number {\n  if (a) {\n    // @solution One.\n    return 1\n    // @end\n  } else {\n    // @solution Two.\n    return 2\n    // @end\n  }\n}\n'
    expect(makeSkeleton(text, 'a.ts', options).text.match(/throw new NotWritten\('f'/g)).toHaveLength(2)
  })
})

describe('marks that are wrong', () => {
  const body = (...lines: string[]): string => `export function f(a: number): number {\n${lines.join('\n')}\n}\n`
  it.each([
    ['a mark without end', body('// @solution', 'return a'), /^reference\/x\.ts:2: "@solution" has no "@end"/],
    ['an end without mark', body('return a', '// @end'), /^reference\/x\.ts:3: "@end" has no "@solution"/],
    [
      'a mark inside a mark',
      body('// @solution', '// hint', '', '// @solution', 'return a', '// @end'),
      /^reference\/x\.ts:5: .* line 2/,
    ],
    [
      'a mark in an expression',
      body('return (', '// @solution', 'a', '// @end', ')'),
      /^reference\/x\.ts:3: this mark cuts/,
    ],
    [
      'an end in an inner block',
      body('// @solution', 'if (a) {', 'a++', '// @end', '}', 'return a'),
      /^reference\/x\.ts:5: this mark cuts/,
    ],
    [
      'a mark between doc comment and member',
      'class A {\n  /** Doc. */\n  // @solution\n  a = 1\n  // @end\n}\n',
      /^reference\/x\.ts:3: this mark cuts/,
    ],
    [
      'a mark around an export',
      '// @solution\nexport const a = 1\n// @end\n',
      /^reference\/x\.ts:2: a mark must not remove an export/,
    ],
    [
      'a function left without a value',
      body('while (a > 0) {', '// @solution', 'a--', '// @end', 'if (a === 1) return a', '}', 'throw 0').replace(
        'throw 0',
        '',
      ),
      /^reference\/x\.ts:1: without its solution f may end/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => makeSkeleton(text, 'reference/x.ts', options)).toThrow(message)
  })
})
