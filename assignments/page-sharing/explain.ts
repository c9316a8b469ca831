/** The sharing curve: how much of a few VMs' memory is shared and given back as the scan goes on, and as guests write again. */
import type { Drawing, Shape, Tone } from '../../grader/contract/drawing.ts'
import { type Context, Player } from './public/run-script.ts'
import type { Variant } from './public/variant.ts'
import type { World } from './public/world.ts'

const VMS = 6
const PAGES = 30
/** Of each VM's pages: equal in all VMs, and zeros. */
const COMMON = 17
const ZEROS = 3
/** Two scans, writes to half of all pages, two scans. */
const TICKS_OF_A_PHASE = 20
const BUDGET = (2 * VMS * PAGES) / TICKS_OF_A_PHASE
const FIRST_OF_ITS_OWN = 1000

const WIDTH = 640
const HEIGHT = 260
const LEFT = 44
const RIGHT = WIDTH - 130
const TOP = 16
const BOTTOM = HEIGHT - 34

interface Sample {
  /** Pages that stand for a shared frame, and pages without a frame of their own to pay for, in percent of all pages. */
  readonly shared: number
  readonly reclaimed: number
}

/** Plays VMs that have much in common, with this service, and draws what the host sees. */
export function drawCurve(context: Context): Drawing[] {
  const player = new Player({ hash: 'good', vms: vmsAlike(), spare: 2, steps: [] }, context, true)
  const { world } = player
  const samples = [sample(world)]
  for (let n = 0; n < TICKS_OF_A_PHASE; n++) {
    player.tick(BUDGET)
    samples.push(sample(world))
  }
  const wrote = samples.length - 1
  let contents = FIRST_OF_ITS_OWN * (VMS + 1)
  for (let vm = 0; vm < VMS; vm++) {
    for (let gfn = 0; gfn < PAGES; gfn += 2) player.fill(vm, gfn, contents++, 'processor')
    samples.push(sample(world))
  }
  for (let n = 0; n < TICKS_OF_A_PHASE; n++) {
    player.tick(BUDGET)
    samples.push(sample(world))
  }
  return [curve(samples, wrote, context.variant)]
}

function vmsAlike(): number[][] {
  return Array.from({ length: VMS }, (_, vm) =>
    Array.from({ length: PAGES }, (_, gfn) => {
      if (gfn < ZEROS) return 0
      return gfn < ZEROS + COMMON ? gfn : FIRST_OF_ITS_OWN * (vm + 1) + gfn
    }),
  )
}

function sample(world: World): Sample {
  const { host } = world
  const all = world.pages
  let shared = 0
  for (const { memory, model } of world.vms.values()) {
    for (const gfn of model.keys()) {
      const pfn = memory.pfnOf(gfn)
      if (pfn === host.zeroFrame || host.mappingsOf(pfn) > 1) shared++
    }
  }
  return { shared: (100 * shared) / all, reclaimed: (100 * (all - world.framesInUse())) / all }
}

function curve(samples: readonly Sample[], wrote: number, { scanOrder, zeroPages }: Variant): Drawing {
  const x = (index: number) => LEFT + ((RIGHT - LEFT) * index) / (samples.length - 1)
  const y = (percent: number) => BOTTOM - ((BOTTOM - TOP) * percent) / 100
  const text = (at: number, height: number, words: string, tone: Tone, anchor: 'start' | 'end' = 'start'): Shape => ({
    kind: 'text',
    x: at,
    y: height,
    text: words,
    tone,
    anchor,
  })
  const line = (of: keyof Sample, tone: Tone): Shape => ({
    kind: 'line',
    points: samples.flatMap((each, index) => [x(index), y(each[of])]),
    tone,
  })
  const last = samples.at(-1)!
  const highest = samples[wrote]!
  return {
    title: `${VMS} VMs of ${PAGES} pages: what the scans share, and what is left when guests write`,
    width: WIDTH,
    height: HEIGHT,
    shapes: [
      ...[0, 25, 50, 75, 100].flatMap((percent) => [
        { kind: 'line' as const, points: [LEFT, y(percent), RIGHT, y(percent)], tone: 'soft' as const },
        text(LEFT - 6, y(percent), `${percent} %`, 'soft', 'end'),
      ]),
      ...[wrote, wrote + VMS].map((index) => ({
        kind: 'line' as const,
        points: [x(index), TOP, x(index), BOTTOM],
        tone: 'soft' as const,
      })),
      text(x(0), BOTTOM + 16, `two scans, ${scanOrder}; zeros: ${zeroPages}`, 'soft'),
      text(x(wrote + VMS) + 4, BOTTOM + 16, 'two scans', 'soft'),
      text(x(wrote + VMS), BOTTOM + 28, 'guests write to half of the pages', 'soft', 'end'),
      line('shared', 'half'),
      line('reclaimed', 'good'),
      text(RIGHT + 6, y(last.shared) - 7, `shared ${last.shared.toFixed(0)} %`, 'half'),
      text(RIGHT + 6, y(last.reclaimed) + 7, `given back ${last.reclaimed.toFixed(0)} %`, 'good'),
      text(x(wrote) - 4, y(highest.shared) - 9, `${highest.shared.toFixed(0)} %`, 'half', 'end'),
      text(x(wrote) - 4, y(highest.reclaimed) + 10, `${highest.reclaimed.toFixed(0)} %`, 'good', 'end'),
    ],
  }
}
