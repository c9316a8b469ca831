/** The least value that a schema allows, as text of JavaScript: what wrong code answers. */
import { z } from 'zod'

/** For a schema that no port of plain data has, `undefined`, which is no answer. */
export function sampleText(schema: unknown): string {
  if (schema instanceof z.ZodNumber) return String(leastNumber(schema))
  if (schema instanceof z.ZodBigInt) return `${schema.minValue ?? 0n}n`
  if (schema instanceof z.ZodString) return "''"
  if (schema instanceof z.ZodBoolean) return 'false'
  if (schema instanceof z.ZodEnum) return JSON.stringify(schema.options[0])
  if (schema instanceof z.ZodLiteral) return JSON.stringify(schema.value)
  if (schema instanceof z.ZodArray) return '[]'
  if (schema instanceof z.ZodUnion) return sampleText(schema.options[0])
  if (schema instanceof z.ZodObject) {
    const properties = Object.entries(schema.shape as Record<string, unknown>)
    return `({ ${properties.map(([key, value]) => `${JSON.stringify(key)}: ${sampleText(value)}`).join(', ')} })`
  }
  return 'undefined'
}

function leastNumber(schema: z.ZodNumber): number {
  const least = schema.minValue
  return least === null || !Number.isFinite(least) || least <= Number.MIN_SAFE_INTEGER ? 0 : least
}
