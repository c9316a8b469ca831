/**
 * Plays a script against a back end: one call for each thing that happens, as the machine would make it, and what the back
 * end has to have done by then.
 */
import type { LawContext } from '../../../grader/contract/law.ts'
import type { FifoBackend, Notice } from '../../../reference/index.ts'
import { Guest } from './guest.ts'
import { HostWorld } from './host-world.ts'
import { type Script, type Step, stepText } from './script.ts'
import type { Variant } from './variant.ts'
import { BREAK_ITEM, type Item, itemText } from './wire.ts'
import type { World } from './world.ts'

export type Context = Pick<LawContext<FifoBackend, Variant>, 'variant' | 'connect'>

/** Rounds of notices until a machine counts as kept awake for nothing. */
const MAX_ROUNDS = 400
const IDLE_ROUNDS = 2
const MAX_ALARMS = 3
/** Turns until everything must have arrived, once nothing stands in the way. */
const MAX_TURNS = 300

/** One back end on one line, driven from outside. */
export class Player {
  readonly world: World
  readonly #context: Context
  readonly #real: boolean
  #backend: FifoBackend
  #nextOut: number
  #nextIn: number
  /** Flushes, alarms, and rounds of notices. */
  wakeUps = 0
  /** Rounds in which nothing happened. */
  vainRounds = 0
  /** The guest has run since the machine last paused. */
  #ran = false

  constructor(world: World, context: Context, first: number, real = false) {
    this.world = world
    this.#context = context
    this.#real = real
    this.#nextOut = first
    this.#nextIn = first
    this.#backend = context.connect(world.operations())
    this.#tell('open', () => this.#backend.open(world.path, real))
  }

  step(step: Step): void {
    const { world } = this
    const { guest } = world
    const on = step.value % 2 === 1
    world.say(stepText(step))
    switch (step.do) {
      case 'send':
        this.send(Array.from({ length: step.value }, () => this.#nextOut++ & 0xff))
        break
      case 'sendBreak':
        this.send([BREAK_ITEM])
        break
      case 'read':
        guest.read(step.value)
        break
      case 'pause':
        this.pause()
        break
      case 'sleep':
        this.sleep()
        break
      case 'drain':
        world.drain(step.value)
        break
      case 'feed':
        this.feed(Array.from({ length: step.value }, () => this.#nextIn++ & 0xff))
        break
      case 'feedBreak':
        if (world.variant.framing !== 'raw') this.feed([BREAK_ITEM])
        break
      case 'reader':
        world.plugReader(on)
        break
      case 'writer':
        world.plugWriter(on)
        break
      case 'interrupt':
        if (world instanceof HostWorld) world.interrupts += step.value
        break
      case 'migrate':
        this.#migrate()
        break
      case 'loop':
        guest.setLoop(on)
        break
      case 'resetTransmitter':
        guest.resetTransmitter()
        break
      case 'resetReceiver':
        guest.resetReceiver()
        break
      case 'divisor':
        guest.writeDivisor(step.value)
        break
    }
  }

  /** The guest's driver gets more to send. */
  send(items: readonly Item[]): void {
    this.world.guest.outbox.push(...items)
    this.#runGuest()
  }

  feed(items: readonly Item[]): void {
    this.world.feed(items)
  }

  /** The machine pauses, and the host tells what there is to tell; a guest that goes on because of it pauses again. */
  pause(): void {
    const { world } = this
    do {
      this.wakeUps++
      this.#ran = false
      this.#tell('flush', () => this.#backend.flush())
      this.#rounds()
    } while (this.#ran)
    if (world.guest.receiverFull && world.guest.canReceive) {
      world.guest.receiverFull = false
      this.#tell('receiverReady', () => this.#backend.receiverReady())
      this.#rounds()
    }
    this.#nobodyReads()
    if (!world.alarmSet) this.#requireTimely()
  }

  /** The machine sleeps: time passes, and nobody calls `flush` any more. It pauses first if the guest has run. */
  sleep(): void {
    if (this.#ran) this.pause()
    this.#rounds()
    for (let alarms = 0; this.world.alarmSet && alarms < MAX_ALARMS; alarms++) {
      this.world.alarmSet = false
      this.wakeUps++
      this.#tell('alarmed', () => this.#backend.alarmed())
      this.#rounds()
    }
    if (this.#ran) this.pause()
    this.#nobodyReads()
    this.#requireTimely()
  }

  /** Somebody reads and somebody writes until everything has arrived; it must arrive. */
  finish(): void {
    const { world } = this
    const { guest } = world
    if (world instanceof HostWorld) world.interrupts = 0
    guest.setLoop(false)
    world.say('from now on both sides read all that comes')
    world.plugReader(true)
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      this.pause()
      this.sleep()
      const moved = world.drain(1 << 16) + guest.read(1 << 16)
      if (guest.sending.length === 0 && guest.outbox.length === 0 && world.out.owed === 0 && moved === 0) return
      if (turn > 4 && moved === 0) break
    }
    const left = guest.sending.length + guest.outbox.length
    const why = left > 0 ? `${left} bytes are still in the guest` : `${world.out.owed} bytes have not come`
    world.problem(left > 0 ? 'edge' : 'late', 'the end of the guest’s stream', 'arrives in the pipe', why)
  }

  /** The end: every descriptor goes back. */
  close(): void {
    const { world } = this
    world.say('the machine is turned off')
    this.#tell('close', () => this.#backend.close())
    if (world.openCount === 0) return
    world.problem('leak', 'descriptors that are open after close', 'none', `${world.openCount}`)
  }

  /** Calls the back end, and does what it asked for. */
  #tell<T>(name: string, call: () => T): T {
    const { world } = this
    world.beginCall()
    world.say(`you: ${name}`)
    const answer = call()
    if (world.resumes) {
      world.resumes = false
      world.guest.offer(this.#offers)
      this.#runGuest()
    }
    return answer
  }

  #runGuest(): void {
    this.world.guest.run(this.#offers)
  }

  readonly #offers = {
    bytes: (bytes: Uint8Array): number => {
      const { world } = this
      const room = world.discardsFreely ? bytes.length : world.variant.capacity - world.out.held
      const must = Math.min(bytes.length, room)
      world.beginCall()
      world.say(`you: transmit ${itemText([...bytes])}`)
      world.offered([...bytes])
      const told = this.#backend.transmit(bytes)
      const taken = Math.min(told, bytes.length)
      world.say(`  you take ${told} of ${bytes.length}`)
      this.#ran ||= taken > 0
      world.refusedLast(bytes.length - taken)
      if (told < must || told > bytes.length) {
        const expected = told < must ? `at least ${must}` : `at most ${bytes.length}`
        world.problem('pressure', `bytes that you take, with room for ${room}`, expected, `${told}`)
      }
      return taken
    },
    break: (): boolean => {
      const { world } = this
      const framed = world.variant.framing !== 'raw'
      const must = !framed || world.discardsFreely || world.out.held < world.variant.capacity
      world.beginCall()
      world.say('you: transmit a break')
      if (framed) world.offered([BREAK_ITEM])
      const taken = this.#backend.transmitBreak()
      if (framed) world.refusedLast(taken ? 0 : 1)
      this.#ran ||= taken
      if (must && !taken) world.problem('pressure', 'a break, with room for it', 'is taken', 'is refused')
      return taken
    },
  }

  /** Notices, again and again, until there are none. */
  #rounds(): void {
    const { world } = this
    let idle = 0
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const notices = world.notices()
      if (notices.length === 0) return
      const before = world.progress
      this.wakeUps++
      this.#tell(`notice ${notices.map((notice) => noticeText(notice, world)).join(', ')}`, () =>
        this.#backend.notice(notices),
      )
      if (world.progress > before) idle = 0
      else {
        this.vainRounds++
        idle++
      }
      if (idle > IDLE_ROUNDS) {
        const what = 'the host tells the same again and again, and you do nothing about it: the processor'
        world.problem('spins', what, 'sleeps', 'is kept busy')
        return
      }
    }
  }

  /** In a variant that throws away what nobody reads, nothing of it may come later. */
  #nobodyReads(): void {
    const { world } = this
    if (!world.discards) return
    world.discardsFreely = true
    world.out.vanish()
  }

  /** What the host would take must not wait any longer. */
  #requireTimely(): void {
    const { world } = this
    const { guest, out, variant } = world
    if (world.readerThere && world.roomy && out.owed > 0) {
      const what = 'bytes that wait although the pipe has room'
      world.problem('late', what, 'none after the machine has paused', `${out.owed}: next is ${out.next}`)
    }
    if (guest.refused && guest.sending.length > 0 && variant.capacity - out.held >= variant.resumeAt) {
      const what = `the transmitter, with room for ${variant.capacity - out.held}`
      world.problem('edge', what, `is resumed at ${variant.resumeAt}`, 'waits on: THRE stays 0')
    }
    if (world.alarmSet && out.held === 0) {
      world.problem('spins', 'alarms while nothing waits', 'none', 'one')
    }
  }

  #migrate(): void {
    const { world } = this
    const state = this.#tell('save', () => this.#backend.save())
    world.die()
    world.guest.migrate()
    this.#backend = this.#context.connect(world.operations())
    this.#tell('restore', () => this.#backend.restore(state))
    this.#tell('open', () => this.#backend.open(world.path, this.#real))
  }
}

/** Plays a script to its last step. */
export function playScript(script: Script, context: Context): Player {
  const world = new HostWorld('/pipes/com1', context.variant, new Guest(script.guest), script.pipe)
  const player = new Player(world, context, script.first)
  if (script.reader) world.plugReader(true)
  if (script.writer) world.plugWriter(true)
  for (const step of script.steps) player.step(step)
  return player
}

function noticeText({ fd, readable, writable, hangup }: Notice, world: World): string {
  const states = [readable ? 'readable' : '', writable ? 'writable' : '', hangup ? 'hangup' : '']
  return `${world.fdText(fd)} ${states.filter((state) => state !== '').join('+')}`
}
