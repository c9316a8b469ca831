/** A right back end of closures that holds a writer of its own, so that it never sees an end of file, and looks for readers at every pause. */
import { BREAK, Decoder, encode, encodeBreak, type Unit } from '../../../reference/io/fifo-framing.ts'
import type { Access, FifoBackend, HostFiles, Notice, SerialMachine } from '../../../reference/io/fifo-port.ts'
import { FIFO_VARIANT } from '../../../reference/io/fifo-variant.ts'
import { realFiles } from '../../../reference/io/host-files.ts'

/** How much one write carries; at least sixteen bytes of the guest in any framing. */
const WRITE_BYTES = 512

export function create(machine: SerialMachine): FifoBackend {
  const { capacity, resumeAt, wiring, unplugged } = FIFO_VARIANT
  const duplex = wiring === 'duplex'
  const decoder = new Decoder()
  let files: HostFiles = machine
  let path = ''
  let ins: number | undefined
  let outs: number | undefined
  let queue: Unit[] = []
  let items: number[] = []
  let stuck = false
  let refused = false
  let asked = ''

  const held = () => queue.reduce((sum, { guestBytes }) => sum + guestBytes, 0)

  const open = (name: string, access: Access): number | undefined => {
    for (let tries = 0; ; tries++) {
      const answer = files.open(name, access, true)
      if (typeof answer === 'number') return answer
      if (answer !== 'EINTR' || tries > 100) return undefined
    }
  }

  const watch = () => {
    const wishes = [
      [ins, items.length === 0, duplex && stuck],
      [duplex ? undefined : outs, false, stuck],
    ] as const
    const text = wishes.join(' ')
    if (text === asked) return
    asked = text
    for (const [fd, readable, writable] of wishes) if (fd !== undefined) machine.watch(fd, readable, writable)
  }

  const openInput = (real: boolean) => {
    const old = ins
    if (duplex) {
      ins = open(path, 'readWrite')
      outs = ins
      stuck = unplugged === 'keep' && queue.length > 0
    } else ins = open(`${path}.in`, real ? 'read' : 'readWrite')
    if (old !== undefined) files.close(old)
    watch()
  }

  const alone = () => {
    if (unplugged === 'discard') queue = []
    else if (duplex) stuck = queue.length > 0
    else if (queue.length > 0) machine.alarm()
  }

  const drop = (count: number) => {
    let left = count
    while (left > 0) {
      const [first] = queue
      if (first === undefined) return
      const rest = first.bytes.subarray(Math.min(left, first.bytes.length))
      left -= first.bytes.length - rest.length
      queue.shift()
      if (rest.length > 0) queue.unshift({ guestBytes: Math.min(first.guestBytes, rest.length), bytes: rest })
    }
  }

  const hangUp = () => {
    if (duplex) openInput(false)
    else if (outs !== undefined) {
      files.close(outs)
      outs = undefined
      asked = ''
    }
    alone()
  }

  const pump = () => {
    outs ??= open(`${path}.out`, 'write')
    if (outs === undefined) alone()
    while (queue.length > 0 && !stuck && outs !== undefined) {
      const bytes = Uint8Array.from(queue.flatMap((unit) => [...unit.bytes]).slice(0, WRITE_BYTES))
      const answer = files.write(outs, bytes)
      if (answer === 'EINTR') continue
      if (answer === 'EPIPE') {
        hangUp()
        break
      }
      if (answer !== 'EAGAIN') drop(answer)
      stuck = answer !== bytes.length
    }
    watch()
  }

  const deliver = () => {
    while (items.length > 0) {
      const end = items.indexOf(BREAK)
      if (end === 0) {
        if (!machine.receiveBreak()) return
        items.shift()
      } else {
        const bytes = Uint8Array.from(items.slice(0, end < 0 ? items.length : end))
        const taken = machine.receive(bytes)
        items.splice(0, taken)
        if (taken < bytes.length) return
      }
    }
  }

  const read = () => {
    if (ins === undefined || items.length > 0) return
    const bytes = files.read(ins, Math.min(32, capacity))
    if (bytes === 'EINTR') {
      read()
    } else if (bytes !== 'EAGAIN') {
      if (bytes.length === 0) {
        decoder.pending = []
        openInput(files !== machine)
      } else items = decoder.decode(bytes)
      deliver()
      watch()
    }
  }

  const release = () => {
    if (!refused || capacity - held() < resumeAt) return
    refused = false
    machine.resume()
  }

  return {
    open(name, real) {
      path = name
      if (real) files = realFiles()
      openInput(real)
      if (!duplex) outs = open(`${path}.out`, 'write')
    },
    transmit(bytes) {
      if (held() + bytes.length > capacity && !stuck) pump()
      const taken = bytes.subarray(0, capacity - held())
      if (taken.length > 0) queue.push(...encode(taken))
      if (taken.length < bytes.length) refused = true
      return taken.length
    },
    transmitBreak() {
      const unit = encodeBreak()
      if (unit === undefined) return true
      if (held() === capacity && !stuck) pump()
      if (held() === capacity) {
        refused = true
        return false
      }
      queue.push(unit)
      return true
    },
    flush() {
      if (!stuck && queue.length > 0) pump()
      release()
    },
    notice(notices: readonly Notice[]) {
      for (const notice of notices) {
        if (notice.fd === outs && stuck && (notice.writable || notice.hangup)) {
          stuck = false
          pump()
        }
        if (notice.fd === ins && (notice.readable || notice.hangup)) read()
      }
      release()
    },
    alarmed() {
      if (!stuck) pump()
      release()
    },
    receiverReady() {
      deliver()
      watch()
    },
    save: () =>
      JSON.stringify({
        queue: queue.map((unit) => [unit.guestBytes, ...unit.bytes]),
        items,
        refused,
        pending: decoder.pending,
      }),
    restore(state) {
      const saved = JSON.parse(state) as { queue: number[][]; items: number[]; refused: boolean; pending: number[] }
      queue = saved.queue.map(([guestBytes = 0, ...bytes]) => ({ guestBytes, bytes: Uint8Array.from(bytes) }))
      items = saved.items
      refused = saved.refused
      decoder.pending = saved.pending
    },
    close() {
      if (outs !== undefined && outs !== ins) files.close(outs)
      if (ins !== undefined) files.close(ins)
    },
  }
}
