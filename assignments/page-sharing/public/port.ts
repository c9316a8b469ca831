/** The lab's port: the schemas of every call to a sharing service, and of everything that it may ask of the host. */
import { z } from 'zod'
import { definePort } from '../../../grader/contract/port.ts'
import type { SharingOperations, SharingService } from '../../../reference/index.ts'

/** The most frames of a host, and pages that one call may be about. */
const MAX_FRAMES = 1 << 20
const MAX_PAGES = 1 << 16
const FRAME_BYTES = 4096
/** Sixteen bytes for each frame and eight for each overflow of a host as large as the suites make it. */
const MAX_TABLE_BYTES = 1 << 20

const nothing = z.void()
const vm = z.int().min(0).max(255)
const gfn = z
  .int()
  .min(0)
  .max(MAX_PAGES - 1)
const pfn = z
  .int()
  .min(0)
  .max(MAX_FRAMES - 1)
const noFrameOr = z
  .int()
  .min(-1)
  .max(MAX_FRAMES - 1)
const count = z.int().min(0).max(MAX_PAGES)
const table = z
  .instanceof(Uint8Array)
  .refine(({ length }) => length <= MAX_TABLE_BYTES, `at most ${MAX_TABLE_BYTES} bytes`)
const frameBytes = z
  .instanceof(Uint8Array)
  .refine(({ length }) => length === FRAME_BYTES, `the ${FRAME_BYTES} bytes of a frame`)

export const sharingPort = definePort<SharingService, SharingOperations>({
  events: {
    open: { args: z.tuple([count, pfn]), result: nothing },
    vmStarted: { args: z.tuple([vm, z.array(pfn)]), result: nothing },
    vmExited: { args: z.tuple([vm]), result: nothing },
    tick: { args: z.tuple([count]), result: nothing },
    writeFault: { args: z.tuple([vm, gfn]), result: z.boolean() },
    pageOut: { args: z.tuple([vm, gfn]), result: z.boolean() },
    released: { args: z.tuple([vm, gfn]), result: nothing },
    pageMissing: { args: z.tuple([vm, gfn]), result: z.boolean() },
    pin: { args: z.tuple([vm, gfn, z.boolean()]), result: z.boolean() },
    stats: { args: z.tuple([]), result: z.strictObject({ shared: z.int(), reclaimed: z.int() }) },
    save: { args: z.tuple([]), result: table },
    restore: { args: z.tuple([count, pfn, z.array(vm), table]), result: nothing },
  },
  operations: {
    hash: { args: z.tuple([z.array(pfn).max(MAX_PAGES)]), result: z.array(z.int().min(0)) },
    compare: { args: z.tuple([pfn, pfn]), result: z.boolean() },
    map: { args: z.tuple([vm, gfn, pfn, z.boolean()]), result: nothing },
    unmap: { args: z.tuple([vm, z.array(gfn).max(MAX_PAGES)]), result: nothing },
    flush: { args: z.tuple([vm]), result: nothing },
    allocate: { args: z.tuple([]), result: noFrameOr },
    free: { args: z.tuple([z.array(pfn).max(MAX_PAGES)]), result: nothing },
    copy: { args: z.tuple([pfn, pfn]), result: nothing },
    read: { args: z.tuple([pfn]), result: frameBytes },
    write: { args: z.tuple([pfn, frameBytes]), result: nothing },
    clear: { args: z.tuple([pfn]), result: nothing },
    random: { args: z.tuple([count, z.int().min(1).max(MAX_FRAMES)]), result: z.array(z.int().min(0)) },
    pages: {
      args: z.tuple([vm]),
      result: z.strictObject({ pfns: z.array(noFrameOr), pinned: z.array(z.boolean()) }),
    },
  },
})
