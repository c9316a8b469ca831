/**
 * Plays a script against a sharing service: one call for each thing that happens, as a host would make it, and what must
 * be so when it has answered.
 */
import type { LawContext } from '../../../grader/contract/law.ts'
import type { SharingService } from '../../../reference/index.ts'
import { fillPage, PAGE_BYTES } from './contents.ts'
import { type Meddle, type Script, type Step, type StepName, stepsOf, stepText, type Writer } from './script.ts'
import { tableFault } from './table.ts'
import type { Variant } from './variant.ts'
import { type LabVm, World } from './world.ts'

export type Context = Pick<LawContext<SharingService, Variant>, 'variant' | 'connect'>

/** Steps that are not about a VM that runs. */
const WITHOUT_VM: readonly StepName[] = ['start', 'tick', 'replace', 'hog', 'relent']

/** One service on one host, driven from outside. */
export class Player {
  readonly world: World
  readonly #context: Context
  readonly #classes: Script['vms']
  /** Where devices write by themselves: the frames of pinned pages as they were then, by VM and gfn. */
  readonly #pins = new Map<string, number>()
  #service: SharingService
  /** Calls of `writeFault` that had to copy. */
  copiesOwed = 0

  constructor(script: Script, context: Context, quiet = false) {
    this.#context = context
    this.#classes = script.vms
    this.world = new World(script, context.variant, quiet)
    const { host, frames } = this.world
    this.#service = context.connect(this.world.operations())
    this.#call('open', () => this.#service.open(frames, host.zeroFrame))
    for (const vm of script.vms.keys()) this.#start(vm)
  }

  step(step: Step): void {
    const { world } = this
    const vm = world.vms.get(step.vm)
    if (vm === undefined && !WITHOUT_VM.includes(step.do)) return
    world.say(stepText(step))
    const { gfn } = step
    switch (step.do) {
      case 'tick':
        this.tick(step.value, step.meddle)
        break
      case 'write':
        this.#write(step.vm, gfn, step.at, Uint8Array.of(step.value), step.by)
        break
      case 'fill':
        this.fill(step.vm, gfn, step.value, step.by)
        break
      case 'touch':
        if (this.#present(step.vm, gfn)) vm!.tlb.set(gfn, { pfn: vm!.memory.pfnOf(gfn), writable: false })
        break
      case 'release':
        this.#release(step.vm, gfn)
        break
      case 'pin':
        this.#pin(step.vm, gfn)
        break
      case 'unpin':
        this.#unpin(step.vm, gfn)
        break
      case 'pageOut':
        this.pageOut(step.vm, gfn)
        break
      case 'exit':
        this.exit(step.vm)
        break
      case 'start':
        if (vm === undefined) this.#start(step.vm)
        break
      case 'hog':
        world.hog()
        break
      case 'relent':
        world.relent()
        break
      case 'replace':
        this.replace()
        break
    }
    this.check()
  }

  tick(budget: number, meddles: readonly Meddle[] = []): void {
    this.#call(`tick ${budget}`, () => this.#service.tick(budget), meddles)
  }

  /** A page gets the contents of a class. */
  fill(number: number, gfn: number, contents: number, by: Writer): void {
    const page = new Uint8Array(PAGE_BYTES)
    fillPage(page, contents)
    this.#write(number, gfn, 0, page, by)
  }

  /** The page is about to be written to disk; whether it shares a frame now. */
  pageOut(number: number, gfn: number): boolean {
    const { world } = this
    const vm = world.vms.get(number)!
    if (vm.memory.pfnOf(gfn) < 0 || vm.memory.isPinned(gfn)) return false
    const isShared = this.#call(`pageOut(${number}, ${gfn})`, () => this.#service.pageOut(number, gfn))
    const pfn = vm.memory.pfnOf(gfn)
    const shares = pfn === world.host.zeroFrame || world.host.mappingsOf(pfn) > 1
    if (isShared !== shares) {
      world.problem('saved', `the answer to pageOut(${number}, ${gfn})`, `${shares}`, `${isShared}`)
    }
    return shares
  }

  exit(number: number): void {
    const { world } = this
    const { memory, model } = world.vms.get(number)!
    for (const gfn of model.keys()) this.#unpin(number, gfn)
    this.#call(`vmExited(${number})`, () => this.#service.vmExited(number))
    const left = [...model.keys()].find((gfn) => memory.pfnOf(gfn) >= 0)
    if (left !== undefined) {
      world.problem('leak', `page ${left} of VM ${number}, which has ended`, 'has no frame', `${memory.pfnOf(left)}`)
    }
    world.host.remove(number)
    world.vms.delete(number)
  }

  /** Whatever was shared must be as it was; nothing may have been lost. */
  check(): void {
    const { world } = this
    for (const [number, vm] of world.vms) this.#checkVm(number, vm)
    const lost = world.frames - 1 - world.hogged.length - world.freeFrames - world.framesInUse()
    if (lost > 0) world.problem('leak', 'frames that are neither free nor mapped', '0', `${lost}`)
  }

  /** The service's own figures, against those of the host. */
  checkStats(): void {
    const { world } = this
    const { host } = world
    let shared = 0
    for (const { memory, model } of world.vms.values()) {
      for (const gfn of model.keys()) {
        const pfn = memory.pfnOf(gfn)
        if (pfn === host.zeroFrame || host.mappingsOf(pfn) > 1) shared++
      }
    }
    const reclaimed = world.pagesWithFrames() - world.framesInUse()
    const stats = this.#call('stats', () => this.#service.stats())
    if (stats.shared !== shared)
      world.problem('stats', 'shared pages, as you count them', `${shared}`, `${stats.shared}`)
    if (stats.reclaimed !== reclaimed) {
      world.problem('stats', 'reclaimed frames, as you count them', `${reclaimed}`, `${stats.reclaimed}`)
    }
  }

  /** Calls the service, and lets happen afterwards what had to wait meanwhile. */
  #call<T>(what: string, call: () => T, meddles: readonly Meddle[] = []): T {
    const { world } = this
    world.say(`host: ${what}`)
    world.beginCall(meddles)
    const answer = call()
    world.beginCall([])
    for (const { vm, gfn, at, value, by } of world.waiting.splice(0)) {
      if (world.vms.get(vm)?.model[gfn] !== undefined) this.#write(vm, gfn, at, Uint8Array.of(value), by)
    }
    return answer
  }

  #start(number: number): void {
    const { world } = this
    const classes = this.#classes[number]!
    if (world.freeFrames < classes.length) return
    const pfns = world.start(number, classes)
    this.#call(`vmStarted(${number}, [${pfns.join(', ')}])`, () => this.#service.vmStarted(number, pfns))
  }

  #write(number: number, gfn: number, at: number, bytes: Uint8Array, by: Writer): void {
    const { world } = this
    const vm = world.vms.get(number)!
    if (!this.#present(number, gfn)) return
    let pfn = world.target(vm, gfn, by)
    if (pfn === undefined) {
      const before = vm.memory.pfnOf(gfn)
      const isShared = before === world.host.zeroFrame || world.host.mappingsOf(before) > 1
      const free = world.freeFrames
      const copied = world.counters.copied
      const done = this.#call(`writeFault(${number}, ${gfn})`, () => this.#service.writeFault(number, gfn))
      if (!done) {
        if (!isShared || free > 0) {
          const why = isShared ? `with ${free} free frames` : 'for a page that nobody shares'
          world.problem('short', `writeFault(${number}, ${gfn}) ${why}`, 'true', 'false')
        } else if (vm.memory.pfnOf(gfn) !== before) {
          world.problem('short', `page ${gfn} of VM ${number} after a fault without a free frame`, 'unchanged', 'moved')
        }
        return
      }
      if (!isShared && (world.counters.copied > copied || world.freeFrames < free)) {
        const what = `a write to page ${gfn} of VM ${number}, which nobody shares any more`
        world.problem('saved', what, 'keeps its frame, without a copy', 'a copy')
      }
      if (isShared) this.copiesOwed++
      pfn = world.target(vm, gfn, by)
      if (pfn === undefined) {
        world.problem('fault', `page ${gfn} of VM ${number} after its write fault`, 'writable', 'read-only')
        return
      }
      this.#checkVm(number, vm)
    }
    world.land(vm, gfn, pfn, at, bytes, by)
  }

  /** The page has a frame, perhaps a new one; false: there is none for it. */
  #present(number: number, gfn: number): boolean {
    const { world } = this
    const vm = world.vms.get(number)!
    if (vm.model[gfn] !== undefined) return true
    const free = world.freeFrames
    const done = this.#call(`pageMissing(${number}, ${gfn})`, () => this.#service.pageMissing(number, gfn))
    if (!done) {
      if (free > 0) world.problem('short', `pageMissing(${number}, ${gfn}) with ${free} free frames`, 'true', 'false')
      return false
    }
    const pfn = vm.memory.pfnOf(gfn)
    if (pfn < 0) {
      world.problem('missing', `page ${gfn} of VM ${number} after pageMissing`, 'has a frame', 'has none')
      return false
    }
    vm.model[gfn] = new Uint8Array(PAGE_BYTES)
    const byte = world.host.bytesOf(pfn).findIndex((each) => each !== 0)
    if (byte >= 0) {
      const actual = `${world.host.bytesOf(pfn)[byte]!.toString(16)} at byte ${byte}: what somebody left there`
      world.problem('missing', `page ${gfn} of VM ${number}, which is new`, 'all zeros', actual)
    }
    return true
  }

  #release(number: number, gfn: number): void {
    const { world } = this
    const vm = world.vms.get(number)!
    if (vm.model[gfn] === undefined || vm.memory.isPinned(gfn)) return
    vm.model[gfn] = undefined
    this.#call(`released(${number}, ${gfn})`, () => this.#service.released(number, gfn))
    if (vm.memory.pfnOf(gfn) >= 0) {
      world.problem('missing', `page ${gfn} of VM ${number}, which it has given up`, 'has no frame', 'has one')
    }
  }

  #pin(number: number, gfn: number): void {
    const { world } = this
    const vm = world.vms.get(number)!
    if (!this.#present(number, gfn) || vm.memory.isPinned(gfn)) return
    const free = world.freeFrames
    const done = this.#call(`pin(${number}, ${gfn}, true)`, () => this.#service.pin(number, gfn, true))
    const pfn = vm.memory.pfnOf(gfn)
    if (!done) {
      if (free > 0) world.problem('short', `pin(${number}, ${gfn}, true) with ${free} free frames`, 'true', 'false')
      return
    }
    const isOwn = !vm.memory.isReadOnly(gfn) && world.host.mappingsOf(pfn) === 1
    if (!isOwn) {
      world.problem('pinned', `page ${gfn} of VM ${number}, pinned`, 'a writable frame of its own', 'none')
      return
    }
    vm.memory.pin(gfn, true)
    this.#pins.set(`${number}/${gfn}`, pfn)
    this.#checkVm(number, vm)
  }

  /** The device writes to the frame that it was told of, and has finished. */
  #unpin(number: number, gfn: number): void {
    const { world } = this
    const vm = world.vms.get(number)!
    const pfn = this.#pins.get(`${number}/${gfn}`)
    if (pfn === undefined) return
    this.#pins.delete(`${number}/${gfn}`)
    world.land(vm, gfn, pfn, 1, Uint8Array.of(7), 'device')
    vm.memory.pin(gfn, false)
    this.#call(`pin(${number}, ${gfn}, false)`, () => this.#service.pin(number, gfn, false))
  }

  /** Another service takes over. */
  replace(): void {
    const { world } = this
    const { frames, host } = world
    const table = this.#call('save', () => this.#service.save())
    const fault = tableFault(table, world.variant, frames, host.zeroFrame, (pfn) => host.mappingsOf(pfn))
    if (fault !== undefined) world.problem('table', fault.what, fault.expected, fault.actual)
    this.#service = this.#context.connect(world.operations())
    const vms = [...world.vms.keys()].sort((a, b) => a - b)
    this.#call('restore', () => this.#service.restore(frames, host.zeroFrame, vms, table))
  }

  #checkVm(number: number, { memory, model, tlb }: LabVm): void {
    const { world } = this
    for (const [gfn, page] of model.entries()) {
      if (page === undefined) continue
      const mapped = memory.pfnOf(gfn)
      if (mapped < 0) {
        world.problem('content', `page ${gfn} of VM ${number}`, 'a frame', 'none')
        continue
      }
      const seen = new Map([[mapped, 'page']])
      const cached = tlb.get(gfn)?.pfn
      if (cached !== undefined && cached !== mapped) seen.set(cached, 'page, as a TLB still has it,')
      for (const [pfn, what] of seen) {
        const bytes = world.host.bytesOf(pfn)
        if (Buffer.compare(bytes, page) === 0) continue
        const byte = page.findIndex((value, index) => value !== bytes[index])
        const where = `byte ${byte} of ${what} ${gfn} of VM ${number}, in frame ${pfn}`
        world.problem('content', where, `${page[byte]}`, `${bytes[byte]}`)
      }
    }
  }
}

/** Plays a script to its last step. */
export function playScript(script: Script, context: Context): Player {
  const player = new Player(script, context)
  player.check()
  for (const step of stepsOf(script)) player.step(step)
  return player
}
