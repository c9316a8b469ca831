/** The lab's port: the schemas of every call to an idle monitor, both ways. */
import { z } from 'zod'
import { cyclesSchema, definePort, uint32Schema } from '../../../grader/contract/port.ts'
import type { IdleMonitor } from '../../../reference/index.ts'

const vcpu = z.int().min(0).max(255)
const now = cyclesSchema

const view = z.strictObject({
  eip: uint32Schema,
  instructionLength: z.int().min(0).max(15),
  interruptFlag: z.boolean(),
  interruptShadow: z.boolean(),
  nmiBlocked: z.boolean(),
  interruptPending: z.boolean(),
  nmiPending: z.boolean(),
})
const registers = { eax: uint32Schema, ebx: uint32Schema, ecx: uint32Schema, edx: uint32Schema }
const nothing = z.void()

export const idlePort = definePort<IdleMonitor>({
  events: {
    attach: { args: z.tuple([z.array(z.int().min(0)), now]), result: nothing },
    scheduled: { args: z.tuple([vcpu, now]), result: nothing },
    descheduled: { args: z.tuple([vcpu, now]), result: nothing },
    halted: {
      args: z.tuple([vcpu, now, view]),
      result: z.strictObject({
        eip: uint32Schema,
        next: z.enum(['run', 'block', 'poll']),
        pollCycles: z.int().min(0).max(1_000_000_000),
      }),
    },
    kicked: { args: z.tuple([vcpu, now, view]), result: z.enum(['sleep', 'wake']) },
    entering: { args: z.tuple([vcpu, now, view]), result: z.enum(['none', 'interrupt', 'nmi', 'window']) },
    times: {
      args: z.tuple([vcpu, now]),
      result: z.strictObject({ idle: cyclesSchema, busy: cyclesSchema, steal: cyclesSchema }),
    },
    guestAsks: {
      args: z.tuple([vcpu, now, z.strictObject({ instruction: z.enum(['cpuid', 'vmcall']), ...registers })]),
      result: z.strictObject(registers),
    },
    save: { args: z.tuple([]), result: z.string().max(1 << 20) },
    restore: { args: z.tuple([z.string(), now]), result: nothing },
  },
  operations: {},
})
