import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { resultJsonSchema } from './json-schema.ts'

describe('result.schema.json', () => {
  it('is what the grader checks with', () => {
    const published = readFileSync(new URL('result.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(published)).toEqual(JSON.parse(resultJsonSchema()))
  })

  it('names every part of the document, and requires what is always there', () => {
    const schema = JSON.parse(resultJsonSchema()) as { $id: string; required: string[]; additionalProperties: boolean }
    expect(schema.$id).toBe('trapframe/result/v1')
    expect(schema.additionalProperties).toBe(false)
    expect(schema.required).toContain('digest')
  })
})
