/** The shape of a lab as it must be at run time; `lab.ts` is written by people, and its types are gone by then. */
import { z } from 'zod'
import type { AnyLab } from '../contract/lab.ts'

const text = z.string().min(1)
const projectPath = z
  .string()
  .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be a path from the project’s root, such as reference/cpu/idle.ts')
const callable = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', 'must be a function')
const schema = z.custom<z.ZodType>((value) => value instanceof z.ZodType, 'must be a zod schema')
const portMethod = z.strictObject({ args: schema, result: schema })
/** Zero for the suite that a law is no part of. */
const runs = z.int().min(0).max(100_000)

const lawSchema = z.looseObject({
  id: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case words joined by hyphens'),
  sentence: text,
  cases: callable,
  runs: z.strictObject({ public: runs, hidden: runs }),
  check: callable,
  describe: callable,
  replay: callable.optional(),
})

const labSchema = z.looseObject({
  id: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens'),
  title: text,
  syllabus: text,
  solution: z.array(projectPath).min(1),
  variantModule: projectPath,
  entry: z.string().regex(/^[\w.-]+\.ts$/, 'must be a file name that ends in .ts'),
  port: z.strictObject({ events: z.record(text, portMethod), operations: z.record(text, portMethod) }),
  variant: schema,
  draw: callable,
  variantSource: callable,
  suites: z.strictObject({ public: z.array(lawSchema).min(1), hidden: z.array(lawSchema).min(1) }),
  mutants: z.array(
    z.strictObject({
      id: text,
      story: text,
      item: text,
      edits: z.array(z.strictObject({ file: projectPath, find: text, replace: z.string() })).min(1),
      appliesTo: callable.optional(),
    }),
  ),
  benign: z.array(
    z
      .strictObject({
        id: text,
        story: text,
        file: text.optional(),
        edits: z.array(z.tuple([text, z.string()])).optional(),
      })
      .refine(({ file, edits }) => file !== undefined || edits !== undefined, 'must have a file or edits'),
  ),
  grants: z
    .strictObject({ modules: z.array(z.string().startsWith('node:')), directory: z.boolean().optional() })
    .optional(),
  platform: z.array(projectPath),
  baseline: z.int().min(0),
  explain: callable.optional(),
  handout: callable,
})

/** What is wrong with a lab's declaration, one sentence each; empty when nothing is. */
export function labMistakes(declared: unknown, id: string): string[] {
  const parsed = labSchema.safeParse(declared)
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'the lab'}: ${message}`)
  }
  const lab = declared as AnyLab
  const mistakes: string[] = []
  if (lab.id !== id) mistakes.push(`id: the folder is called ${id}, the lab ${lab.id}`)
  const basenames = lab.solution.map((path) => path.slice(path.lastIndexOf('/') + 1))
  if (!basenames.includes(lab.entry)) mistakes.push(`entry: ${lab.entry} is no solution file`)
  for (const name of doubles(basenames)) mistakes.push(`solution: two files are called ${name}`)
  for (const suite of ['public', 'hidden'] as const) {
    for (const law of doubles(lab.suites[suite].map((one) => one.id))) {
      mistakes.push(`suites.${suite}: two laws are called ${law}`)
    }
    for (const law of lab.suites[suite]) {
      if (law.runs[suite] === 0) mistakes.push(`suites.${suite}: the law ${law.id} runs no cases there`)
    }
  }
  for (const mutant of doubles(lab.mutants.map((one) => one.id))) mistakes.push(`mutants: two are called ${mutant}`)
  return mistakes
}

function doubles(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index)
}
