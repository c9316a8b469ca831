/**
 * What attacks need of the lab under test: right code and wrong code as one text each, and hooks to weave an attack
 * into either.
 */
import { posix } from 'node:path'
import { ts } from 'ts-morph'
import type { AnyLab } from '../contract/lab.ts'
import { GraderFailure } from '../failures.ts'
import { allowedPaths } from '../submission/layout.ts'
import { solutionFiles } from '../submission/solution-files.ts'
import type { Variant } from '../variant.ts'
import { sampleText } from './sample.ts'
import type { Bait } from './surroundings.ts'

/** Text that is woven into honest code. Each part is statements of plain JavaScript. */
export interface Hooks {
  /** At the top of the module, before anything else. */
  readonly first?: string
  /** At the end of the module. */
  readonly load?: string
  /** In `create`, with `honest`, the instance of honest code, in scope. */
  readonly create?: string
  /** In each method before honest code is called: `honest`, `name` and `args` are in scope. */
  readonly call?: string
  /** In each method after it: `answer` is in scope, too, and may be set anew. */
  readonly answer?: string
  /** Stands for the object that `create` gives, made of `object`, which has the woven methods. */
  readonly object?: string
}

export interface Kit {
  readonly lab: AnyLab
  /** The entry's path, as `src/idle.ts`. */
  readonly entry: string
  /** The submission of the reference solution, file by file. */
  readonly right: ReadonlyMap<string, string>
  /** A submission of wrong code that answers each call with the least that its port allows. */
  readonly wrong: ReadonlyMap<string, string>
  /** What is laid out to be stolen or touched. */
  readonly bait: Bait
  /** Right code with an attack. */
  rightWith(hooks: Hooks): ReadonlyMap<string, string>
  /** Wrong code with an attack. */
  wrongWith(hooks: Hooks): ReadonlyMap<string, string>
}

export function makeKit(lab: AnyLab, variant: Variant, bait: Bait): Kit {
  const [entry = ''] = allowedPaths(lab)
  const right = standAlone(lab, solutionFiles(lab, variant))
  const methods = Object.entries(lab.port.events as Record<string, { result: unknown }>)
  const names = methods.map(([name]) => name)
  const bodies = methods.map(([name, { result }]) => `    ${name}() { return ${sampleText(result)} },`)
  const wrong = new Map([
    [entry, ['// @ts-nocheck', 'export function create() {', '  return {', ...bodies, '  }', '}', ''].join('\n')],
  ])
  const weaveInto = (files: ReadonlyMap<string, string>) => (hooks: Hooks) =>
    new Map([...files, [entry, weave(files.get(entry) ?? '', names, hooks)]])
  return { lab, entry, right, wrong, bait, rightWith: weaveInto(right), wrongWith: weaveInto(wrong) }
}

/** The files with the variant's constants in the place of their import, since nobody can hand in the variant's module. */
function standAlone(lab: AnyLab, files: ReadonlyMap<string, string>): Map<string, string> {
  const module = `./${posix.basename(lab.variantModule)}`
  const variantPath = posix.join(posix.dirname([...files.keys()][0] ?? ''), module)
  const constants = (files.get(variantPath) ?? '').replaceAll(/^export /gm, '')
  const alone = new Map<string, string>()
  for (const [path, text] of files) {
    if (path === variantPath) continue
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
    const found = source.statements.find(
      (each) =>
        ts.isImportDeclaration(each) &&
        ts.isStringLiteral(each.moduleSpecifier) &&
        each.moduleSpecifier.text === module,
    )
    alone.set(path, found === undefined ? text : `${text.slice(0, found.pos)}\n${constants}${text.slice(found.end)}`)
  }
  return alone
}

const HONEST = 'createHonestly'

/** The text of honest code with its `create` under another name, and a `create` that does what the hooks say. */
function weave(text: string, methods: readonly string[], hooks: Hooks): string {
  const source = ts.createSourceFile('entry.ts', text, ts.ScriptTarget.ES2023, true)
  const create = source.statements.find((each) => ts.isFunctionDeclaration(each) && each.name?.text === 'create')
  if (create === undefined)
    throw new GraderFailure('The solution has no function create(), so no attack can be woven in.')
  const honest = create.getText(source).replace(/^export\s+function\s+create\b/, `function ${HONEST}`)
  return `// @ts-nocheck
${hooks.first ?? ''}
${text.slice(0, create.getStart(source))}${honest}${text.slice(create.end)}
export function create(...operations) {
  const honest = ${HONEST}(...operations)
  ${hooks.create === undefined ? '' : `;${hooks.create}`}
  const object = {}
  for (const name of ${JSON.stringify(methods)}) {
    object[name] = (...args) => {
      ${hooks.call === undefined ? '' : `;${hooks.call}`}
      let answer = honest[name](...args)
      ${hooks.answer === undefined ? '' : `;${hooks.answer}`}
      return answer
    }
  }
  return ${hooks.object ?? 'object'}
}
${hooks.load ?? ''}
`
}

type Weave = Hooks | ((kit: Kit) => Hooks)

/** A submission of right code with an attack. */
export function onRight(hooks: Weave): (kit: Kit) => { kind: 'files'; files: ReadonlyMap<string, string> } {
  return (kit) => ({ kind: 'files', files: kit.rightWith(typeof hooks === 'function' ? hooks(kit) : hooks) })
}

/** A submission of wrong code with an attack. */
export function onWrong(hooks: Weave): (kit: Kit) => { kind: 'files'; files: ReadonlyMap<string, string> } {
  return (kit) => ({ kind: 'files', files: kit.wrongWith(typeof hooks === 'function' ? hooks(kit) : hooks) })
}

/** A submission whose entry is this text. */
export function withText(
  text: string | ((kit: Kit) => string),
): (kit: Kit) => { kind: 'files'; files: ReadonlyMap<string, string> } {
  return (kit) => ({ kind: 'files', files: new Map([[kit.entry, typeof text === 'function' ? text(kit) : text]]) })
}
