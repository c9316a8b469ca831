/** HLT idle accounting: all that the tools know of the lab. */
import { defineLab } from '../../grader/contract/index.ts'
import type { IdleMonitor } from '../../reference/index.ts'
import { benign } from './benign/index.ts'
import { hiddenLaws } from './hidden/laws.ts'
import { mutants } from './mutants/index.ts'
import { publicPart } from './public/index.ts'
import { CYCLE_HZ, type Variant } from './public/variant.ts'

const HYPERVISOR_LEAVES = 0x4000_0000

export default defineLab<IdleMonitor, Variant>({
  id: publicPart.id,
  title: publicPart.title,
  syllabus: '2.1 CPU virtualization',
  solution: ['reference/cpu/idle.ts'],
  variantModule: 'reference/cpu/idle-variant.ts',
  entry: 'idle.ts',
  port: publicPart.port,
  variant: publicPart.variant,
  draw: (random) => {
    const place = random.pick(['cpuid', 'hypercall'] as const)
    return {
      unit: random.pick(['cycles', 'nanoseconds', 'microseconds'] as const),
      scope: random.pick(['vcpu', 'vm'] as const),
      place,
      number: place === 'cpuid' ? HYPERVISOR_LEAVES + random.integer(0x10, 0xff) : random.integer(0x40, 0x7f),
      halves: random.pick(['edx:eax', 'ecx:ebx'] as const),
      pollCycles: random.pick([0, 4_000, 16_000, 40_000]),
    }
  },
  variantSource: (variant) => `/** The parameters of this variant. */
export interface IdleVariant {
  readonly unit: 'cycles' | 'nanoseconds' | 'microseconds'
  readonly scope: 'vcpu' | 'vm'
  readonly place: 'cpuid' | 'hypercall'
  readonly number: number
  readonly halves: 'edx:eax' | 'ecx:ebx'
  readonly pollCycles: number
}

export const CYCLE_HZ = ${CYCLE_HZ}n

export const IDLE_VARIANT: IdleVariant = ${JSON.stringify(variant)}
`,
  suites: { public: publicPart.laws, hidden: [...publicPart.laws, ...hiddenLaws] },
  mutants,
  benign,
  platform: ['reference', 'guests/idle-guest.ts', 'assignments/hlt-idle/public', 'grader/contract'],
  baseline: 0,
  handout: (variant) => ({
    number: `${variant.number.toString(16)}h`,
    high: variant.halves.split(':')[0]!.toUpperCase(),
    low: variant.halves.split(':')[1]!.toUpperCase(),
    cpuid: variant.place === 'cpuid',
    perVm: variant.scope === 'vm',
    polls: variant.pollCycles > 0,
    hz: String(CYCLE_HZ),
  }),
})
