/**
 * The result document: everything that a grading found, as one plain record (design §7). Reports and exports are views of it.
 *
 * Versioned: a reader refuses a `schema` that it does not know. All that is deterministic is under `digest`; `confinement` and `timing` are not.
 */
import { z } from 'zod'

/** The name and version of the document's shape. */
export const RESULT_SCHEMA = 'trapframe/result/v1'

const natural = z.int().min(0)
const text = z.string()

/** Why a law did not hold, or what became of the student's code while it was checked. */
export const verdictSchema = z.enum([
  /** Every case held. */
  'held',
  /** A case showed a difference: there is a card. */
  'failed',
  /** The method that the law needs still says that it is not written. */
  'notWritten',
  /** The student's code threw an error of its own. */
  'threw',
  /** The student's code gave something that the port does not allow. */
  'badAnswer',
  /** The student's code used more processor time than it may, or slept. */
  'timedOut',
  /** The student's code used more memory than it may. */
  'outOfMemory',
  /** The process of the student's code ended by itself. */
  'crashed',
  /** The student's code printed, asked or answered more than it may. */
  'flooded',
  /** The process of the student's code sent what is no answer. */
  'protocolViolation',
  /** Not run: the submission cannot be run. */
  'notRun',
])
export type Verdict = z.infer<typeof verdictSchema>

/** The counterexample card: all that a student needs to see a law fail, and to see it again (design §7). */
export const cardSchema = z.strictObject({
  /** Stable within the grading: `conservation-1`. */
  id: text,
  law: text,
  sentence: text,
  /** The smallest case found, as plain data: what `trapframe replay` runs again. */
  case: z.json(),
  /** The case for a person: guest program disassembled, schedule as lines. */
  description: z.array(text),
  /** What was compared, in the lab's words, and both sides at the first difference. */
  difference: z.strictObject({ what: text, expected: text, actual: text }),
  /** Lines that lead to the difference, the decisive one last. */
  trace: z.array(text),
  /** `src/idle.ts:12`, where the student's code threw; absent when no line is known. */
  at: text.optional(),
  /** How often the case was made smaller before this one. */
  shrinks: natural,
  /** The command that replays the card. */
  replay: text,
  /** A test to paste into `test/`. */
  test: text,
})
export type Card = z.infer<typeof cardSchema>

export const lawResultSchema = z.strictObject({
  id: text,
  suite: z.enum(['public', 'hidden']),
  sentence: text,
  /** The rubric item that counts it. */
  item: text,
  verdict: verdictSchema,
  /** Cases tried, and cases owed; a held law with fewer than owed is a failure of the grader. */
  runs: natural,
  owed: natural,
  card: cardSchema.optional(),
})
export type LawResult = z.infer<typeof lawResultSchema>

export const counterResultSchema = z.strictObject({
  id: text,
  title: text,
  /** What was counted, and divided by what: exact, as counted by the machine. */
  value: z.number(),
  /** At or below this: full points. At or above `zero`: none. */
  full: z.number(),
  zero: z.number(),
  unit: text,
  item: text,
  points: natural,
  maxPoints: natural,
  /** Why no points although the value is good: correctness gates performance. */
  gatedBy: text.optional(),
})
export type CounterResult = z.infer<typeof counterResultSchema>

export const itemResultSchema = z.strictObject({
  id: text,
  title: text,
  points: natural,
  maxPoints: natural,
  /** One sentence: why these points. */
  reason: text,
})
export type ItemResult = z.infer<typeof itemResultSchema>

export const diagnosticSchema = z.strictObject({
  /** `src/idle.ts`; lines and columns from 1. */
  file: text,
  line: natural,
  column: natural,
  message: text,
})
export type Diagnostic = z.infer<typeof diagnosticSchema>

/** What became of a submission as a whole. */
export const outcomeSchema = z.enum([
  /** Its code was run. */
  'graded',
  /** The compiler refuses it. */
  'doesNotCompile',
  /** It imports what the lab does not allow. */
  'importRefused',
  /** Its files cannot be read as a submission: a link, too large, no text. */
  'notReadable',
])

const toneSchema = z.enum(['ink', 'soft', 'good', 'half', 'bad'])
const shapeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('line'), points: z.array(z.number()).readonly(), tone: toneSchema }),
  z.strictObject({
    kind: z.literal('box'),
    x: z.number(),
    y: z.number(),
    width: z.number(),
    height: z.number(),
    tone: toneSchema,
  }),
  z.strictObject({
    kind: z.literal('text'),
    x: z.number(),
    y: z.number(),
    text,
    tone: toneSchema,
    anchor: z.enum(['start', 'end']),
  }),
])
/** A picture that the lab drew of what the submission does. */
const drawingSchema = z.strictObject({
  title: text,
  width: z.number(),
  height: z.number(),
  shapes: z.array(shapeSchema).readonly(),
})

/** What confined the student's code. */
export const confinementSchema = z.strictObject({
  /** The layers that were used; none when the code ran in the grader's own process. */
  layers: z.array(text).readonly(),
  /** The layers that the machine lacks: why, and how to get them. */
  missing: z.array(z.strictObject({ layer: text, why: text, get: text }).readonly()).readonly(),
})
export type Confinement = z.infer<typeof confinementSchema>

export const resultSchema = z.strictObject({
  schema: z.literal(RESULT_SCHEMA),
  lab: z.strictObject({ id: text, title: text }),
  variant: z.strictObject({ seed: text, parameters: z.record(text, z.json()) }),
  /** Decides every case of the public suite; the hidden suite's seed comes of the course key and is told to nobody. */
  seeds: z.strictObject({ public: z.int() }),
  /** `advisory`: public suite only, made where the student could change the tools. `full`: both suites. */
  kind: z.enum(['advisory', 'full']),
  submission: z.strictObject({
    /** SHA-256 over the paths and contents of the files that count. */
    treeHash: text,
    files: z.array(z.strictObject({ path: text, sizeBytes: natural, sha256: text })),
  }),
  outcome: outcomeSchema,
  /** Why it was not run. */
  diagnostics: z.array(diagnosticSchema),
  points: natural,
  maxPoints: natural,
  items: z.array(itemResultSchema),
  laws: z.array(lawResultSchema),
  counters: z.array(counterResultSchema),
  tools: z.strictObject({ trapframe: text, lab: text }),
  /** SHA-256 of the document without `digest`, `drawings`, `confinement` and `timing`, keys sorted: equal for equal input on every machine. */
  digest: text,
  /** Shown, never graded, and not in the digest. Absent where the lab draws nothing, or the code broke off. */
  drawings: z.array(drawingSchema).optional(),
  /** Not in the digest: the mark is the same whatever confines. */
  confinement: confinementSchema,
  /** Shown, never graded. */
  timing: z.strictObject({ cpuMs: z.number(), wallMs: z.number() }),
})
export type Result = z.infer<typeof resultSchema>
