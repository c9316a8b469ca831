/** Everything that a starter repository holds, as paths and texts: the shared templates, the lab's skeleton, the platform. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import type { AnyLab } from '../contract/lab.ts'
import { filesBelow } from '../files.ts'
import { packageVersion, projectRoot } from '../project-root.ts'
import type { Rubric } from '../rubric/rubric-schema.ts'
import { STUDENT_COMPILER_OPTIONS } from '../submission/compiler-options.ts'
import { allowedPaths, PLATFORM_FOLDER, starterPath } from '../submission/layout.ts'
import { starterSpecifier } from '../submission/solution-files.ts'
import { MANIFEST } from '../submission/starter-manifest.ts'
import { drawVariant, type Variant } from '../variant.ts'
import { platformFiles } from './platform-files.ts'
import { makeSkeleton } from './skeleton.ts'

export interface StarterFiles {
  /** Text of each file by its path in the starter. */
  readonly files: ReadonlyMap<string, string>
  /** What of it a student may change, as it would be handed in untouched. */
  readonly skeleton: ReadonlyMap<string, string>
  /** The solution's parts that were left out: what must stand nowhere in the starter. */
  readonly stripped: readonly string[]
}

const TEMPLATES = 'starter'
const TEMPLATE_END = '.hbs'
/** Files whose names would mean something in this project. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' }

/** The starter of a lab for one seed. @throws WrongUse for a seed of another form */
export function starterFiles(lab: AnyLab, rubric: Rubric, seed: string): StarterFiles {
  const variant = drawVariant(lab, seed)
  const files = new Map<string, string>()
  const context = { lab: lab.id, title: lab.title, entry: lab.entry, files: allowedPaths(lab), seed }
  for (const name of filesBelow(join(projectRoot(), TEMPLATES))) {
    const text = read(`${TEMPLATES}/${name}`)
    if (name.endsWith(TEMPLATE_END)) files.set(name.slice(0, -TEMPLATE_END.length), render(text, context))
    else files.set(RENAMED[name] ?? name, text)
  }
  files.set('README.md', handout(lab, rubric, seed, variant))
  files.set('tsconfig.json', json({ compilerOptions: compilerOptions(), include: ['src', 'test', PLATFORM_FOLDER] }))
  files.set(MANIFEST, json({ lab: lab.id, seed, version: packageVersion() }))
  files.set(`${PLATFORM_FOLDER}/LICENSE`, read('LICENSE'))
  files.set(`${PLATFORM_FOLDER}/package.json`, platformPackage())
  files.set(`${PLATFORM_FOLDER}/lab.ts`, labModule(lab))
  files.set(`${PLATFORM_FOLDER}/variant.ts`, variantModule(lab, seed, variant))
  files.set(`${PLATFORM_FOLDER}/rubric.ts`, rubricModule(publicRubric(lab, rubric)))
  for (const [path, text] of platformFiles(lab)) files.set(`${PLATFORM_FOLDER}/${path}`, text)
  const skeletons = new Map<string, string>()
  const stripped: string[] = []
  for (const path of lab.solution) {
    const skeleton = makeSkeleton(read(path), path, {
      rewriteImport: (specifier) => starterSpecifier(lab, path, specifier),
    })
    stripped.push(...skeleton.stripped)
    if (!skeleton.dropped) skeletons.set(starterPath(path), skeleton.text)
  }
  return { files: new Map([...files, ...skeletons]), skeleton: skeletons, stripped }
}

/** The handout, with the variant and the rubric in it. */
function handout(lab: AnyLab, rubric: Rubric, seed: string, variant: Variant): string {
  const text = read(`assignments/${lab.id}/handout.md.hbs`)
  const items = rubric.items.map(({ title, points }) => ({ title, points }))
  return render(text, {
    ...lab.handout(variant),
    lab: lab.id,
    title: lab.title,
    syllabus: lab.syllabus,
    seed,
    variant,
    items,
    points: rubric.points,
  })
}

/** The rubric without what only the hidden suite counts. */
export function publicRubric(lab: AnyLab, rubric: Rubric): Rubric {
  const known = new Set(lab.suites.public.map(({ id }) => id))
  const items = rubric.items.map((item) => {
    const laws = Object.fromEntries(Object.entries(item.laws ?? {}).filter(([id]) => known.has(id)))
    const points = [...Object.values(laws), ...(item.counters ?? []).map((counter) => counter.points)]
    return { ...item, laws, points: points.reduce((sum, each) => sum + each, 0) }
  })
  const counted = items.filter(({ points }) => points > 0)
  return { ...rubric, items: counted, points: counted.reduce((sum, { points }) => sum + points, 0) }
}

/** The package that the platform's modules find themselves in: this one. */
function platformPackage(): string {
  return json({ name: 'trapframe', version: packageVersion(), private: true, type: 'module' })
}

/** What grading needs of the lab, without its hidden suite. */
function labModule({ id, entry, solution, variantModule, platform, grants }: AnyLab): string {
  const parts = { entry, solution, variantModule, platform, ...(grants === undefined ? {} : { grants }) }
  return `/** The lab as a grading here knows it: the public suite, and what your code may import. */
import { publicPart } from './assignments/${id}/public/index.ts'
import type { AnyLab } from './grader/contract/lab.ts'
import { variant } from './variant.ts'

export const lab = {
  ...publicPart,
  ...${JSON.stringify(parts, null, 2)},
  draw: () => variant,
  suites: { public: publicPart.laws, hidden: [] },
} as unknown as AnyLab
`
}

/** The suites must see the variant; the student reads it in the handout, and `src/` may not import this. */
function variantModule(lab: AnyLab, seed: string, variant: Variant): string {
  return `/** The variant that the suites judge by; the README says it in words. Your code cannot import it. */
import { publicPart } from './assignments/${lab.id}/public/index.ts'

export const seed = ${JSON.stringify(seed)}
export const version = ${JSON.stringify(packageVersion())}
export const variant = publicPart.variant.parse(${JSON.stringify(variant)})
`
}

function rubricModule(rubric: Rubric): string {
  return `/** What the public suite's laws and counters are worth. */
import type { Rubric } from './grader/rubric/rubric-schema.ts'

export const rubric: Rubric = ${JSON.stringify(rubric, null, 2)}
`
}

/** The options that every grading compiles with; Node's types for the tests; the second check is a fast one. */
function compilerOptions(): Record<string, unknown> {
  const tsBuildInfoFile = 'node_modules/.cache/tsconfig.tsbuildinfo'
  return { ...STUDENT_COMPILER_OPTIONS, types: ['node'], incremental: true, tsBuildInfoFile }
}

function render(template: string, context: object): string {
  return Handlebars.compile(template, { noEscape: true, strict: true })(context)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function read(path: string): string {
  return readFileSync(join(projectRoot(), path), 'utf8')
}
