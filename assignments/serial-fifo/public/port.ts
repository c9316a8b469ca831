/** The lab's port: the schemas of every call to a back end, and of everything that it may ask of the machine. */
import { z } from 'zod'
import { definePort } from '../../../grader/contract/port.ts'
import type { FifoBackend, SerialMachine } from '../../../reference/index.ts'

/** The most that one call of the host may carry. */
const MAX_BYTES = 65_536

const nothing = z.void()
const path = z.string().min(1).max(1024)
const fd = z.int().min(0).max(1_000_000)
const bytes = z.instanceof(Uint8Array).refine(({ length }) => length <= MAX_BYTES, `at most ${MAX_BYTES} bytes`)
const count = z.int().min(0).max(MAX_BYTES)
const notice = z.strictObject({ fd, readable: z.boolean(), writable: z.boolean(), hangup: z.boolean() })

export const fifoPort = definePort<FifoBackend, SerialMachine>({
  events: {
    open: { args: z.tuple([path, z.boolean()]), result: nothing },
    transmit: { args: z.tuple([bytes]), result: z.int().min(0).max(16) },
    transmitBreak: { args: z.tuple([]), result: z.boolean() },
    flush: { args: z.tuple([]), result: nothing },
    notice: { args: z.tuple([z.array(notice)]), result: nothing },
    alarmed: { args: z.tuple([]), result: nothing },
    receiverReady: { args: z.tuple([]), result: nothing },
    save: { args: z.tuple([]), result: z.string().max(1 << 20) },
    restore: { args: z.tuple([z.string()]), result: nothing },
    close: { args: z.tuple([]), result: nothing },
  },
  operations: {
    open: {
      args: z.tuple([path, z.enum(['read', 'write', 'readWrite']), z.boolean()]),
      result: z.union([fd, z.enum(['ENXIO', 'EINTR', 'ENOENT', 'EACCES'])]),
    },
    read: { args: z.tuple([fd, z.int().min(1).max(MAX_BYTES)]), result: z.union([bytes, z.enum(['EAGAIN', 'EINTR'])]) },
    write: { args: z.tuple([fd, bytes]), result: z.union([count, z.enum(['EAGAIN', 'EINTR', 'EPIPE'])]) },
    close: { args: z.tuple([fd]), result: nothing },
    watch: { args: z.tuple([fd, z.boolean(), z.boolean()]), result: nothing },
    alarm: { args: z.tuple([]), result: nothing },
    receive: { args: z.tuple([bytes]), result: count },
    receiveBreak: { args: z.tuple([]), result: z.boolean() },
    resume: { args: z.tuple([]), result: nothing },
  },
})
