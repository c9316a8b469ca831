/** The lab's port: the schemas of every call to a shadow MMU, and of everything that it may ask of the machine. */
import { z } from 'zod'
import { definePort, uint32Schema } from '../../../grader/contract/port.ts'
import type { ShadowMachine, ShadowMmu } from '../../../reference/index.ts'

const nothing = z.void()
const gfn = z.int().min(0).max(0xf_ffff)
const page = z.int().min(0).max(0xf_ffff)
const aligned = uint32Schema.multipleOf(4)
const index = z.int().min(0).max(1023)
const paging = z.strictObject({
  writeProtect: z.boolean(),
  pageSizeExtensions: z.boolean(),
  globalPages: z.boolean(),
})
const answer = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('retry') }),
  z.strictObject({ do: z.literal('inject'), error: z.int().min(0).max(31) }),
  z.strictObject({ do: z.literal('emulate'), gpa: uint32Schema }),
  z.strictObject({ do: z.literal('mmio'), gpa: uint32Schema }),
])

export const shadowPort = definePort<ShadowMmu, ShadowMachine>({
  events: {
    setMode: { args: z.tuple([paging]), result: nothing },
    loadCr3: { args: z.tuple([uint32Schema]), result: nothing },
    invlpg: { args: z.tuple([uint32Schema]), result: nothing },
    pageFault: { args: z.tuple([uint32Schema, z.int().min(0).max(7)]), result: answer },
    guestWrote: { args: z.tuple([aligned, z.array(uint32Schema).max(1024)]), result: nothing },
  },
  operations: {
    allocate: { args: z.tuple([z.union([z.literal(1), z.literal(2)])]), result: page },
    free: { args: z.tuple([page]), result: nothing },
    setEntries: {
      args: z.tuple([z.array(z.strictObject({ page, index, value: uint32Schema })).max(4096)]),
      result: nothing,
    },
    setRoot: { args: z.tuple([page]), result: nothing },
    flushPage: { args: z.tuple([uint32Schema]), result: nothing },
    flushAll: { args: z.tuple([]), result: nothing },
    readGuest: { args: z.tuple([aligned, z.int().min(1).max(16)]), result: z.array(uint32Schema) },
    readTable: { args: z.tuple([gfn]), result: z.instanceof(Uint8Array) },
    setBits: {
      args: z.tuple([z.array(z.strictObject({ gpa: aligned, bits: z.int().min(1).max(0x60) })).max(1024)]),
      result: nothing,
    },
    frames: { args: z.tuple([z.array(gfn).max(1024)]), result: z.array(z.int().min(-1).max(0xf_ffff)) },
    largeFrame: { args: z.tuple([gfn]), result: z.int().min(-1).max(0xf_ffff) },
    trace: { args: z.tuple([gfn, z.boolean()]), result: nothing },
  },
})
