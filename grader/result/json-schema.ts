/** The JSON schema (draft 2020-12) of the result document, made from the one that the grader itself checks with. */
import { z } from 'zod'
import { RESULT_SCHEMA, resultSchema } from './result.ts'

/** The schema's text, as `result.schema.json` holds it. */
export function resultJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(resultSchema)
  return `${JSON.stringify({ $schema, $id: RESULT_SCHEMA, title: 'A grading by trapframe', ...schema }, null, 2)}\n`
}
