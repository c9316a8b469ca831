import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CharBackend, CharFrontend } from './char-backend.ts'
import { FileBackend } from './file-backend.ts'
import { SerialLine } from './serial-line.ts'
import { Uart } from './uart.ts'

const BASE = 0x3f8
const LSR = BASE + 5
const THRE = 0x20
const THRE_AND_TEMT = 0x60

/** A back end that takes what it is told to, and sends what it is given. */
class Scripted implements CharBackend {
  readonly mayReceive = true
  readonly waiting = 0
  readonly got: number[] = []
  readonly sizes: number[] = []
  room = 0
  ready = 0

  transmit(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room)
    this.room -= taken
    this.got.push(...bytes.subarray(0, taken))
    this.sizes.push(taken)
    return taken
  }

  flush(): void {}

  receiverReady(): void {
    this.ready++
  }

  close(): void {}
}

function makePort() {
  const backend = new Scripted()
  let line: SerialLine | undefined
  const uart = new Uart({ port: BASE, line: () => {}, cycleHz: 1_843_200, sink: (byte) => line!.send(byte) })
  line = new SerialLine({
    get canReceive() {
      return uart.canReceive
    },
    receive: (byte) => uart.receive(byte, 0),
    receiveBreak: () => uart.receiveBreak(0),
    resume: () => uart.resume(),
  })
  line.attach(backend)
  uart.writePort(BASE + 2, 1, 1, 0)
  return { uart, backend, line }
}

describe('SerialLine', () => {
  it('loses and doubles nothing, however little the back end takes at a time', () => {
    const rooms = fc.array(fc.nat(40), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 200 }), rooms, (input, rooms) => {
        const { uart, backend, line } = makePort()
        let next = 0
        for (let turn = 0; backend.got.length < input.length && turn < 2000; turn++) {
          for (let i = 0; i < 16 && next < input.length && (uart.readPort(LSR, 1, 0) & THRE) !== 0; i++) {
            uart.writePort(BASE, 1, input[next++]!, 0)
          }
          backend.room = turn < 100 ? rooms[turn % rooms.length]! : 16
          line.resume()
          line.flush()
        }
        expect(backend.got).toEqual(input)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  it('gathers sixteen bytes to a call, and keeps THRE away only when wire and transmitter are full', () => {
    const { uart, backend, line } = makePort()
    backend.room = 32
    for (let i = 0; i < 32 + 16; i++) uart.writePort(BASE, 1, i, 0)
    expect(backend.sizes).toEqual([16, 16])
    expect([uart.readPort(LSR, 1, 0) & THRE_AND_TEMT, line.waiting]).toEqual([THRE_AND_TEMT, 16])
    uart.writePort(BASE, 1, 48, 0)
    expect(uart.readPort(LSR, 1, 0) & THRE_AND_TEMT).toBe(0)
    backend.room = 100
    line.resume()
    expect(uart.readPort(LSR, 1, 0) & THRE_AND_TEMT).toBe(THRE_AND_TEMT)
    line.flush()
    expect(backend.got).toEqual(Array.from({ length: 49 }, (_, i) => i))
  })

  it('hands on what the receiver has room for, and says when there is room again', () => {
    const { uart, backend, line } = makePort()
    const front: CharFrontend = line
    expect(front.receive(Uint8Array.from({ length: 20 }, (_, i) => i))).toBe(16)
    expect(front.receiveBreak()).toBe(false)
    line.flush()
    expect(backend.ready).toBe(0)
    expect(uart.readPort(BASE, 1, 0)).toBe(0)
    line.flush()
    line.flush()
    expect(backend.ready).toBe(1)
    expect(uart.readPort(LSR, 1, 0) & 2).toBe(0)
  })
})

describe('FileBackend', () => {
  it('writes every byte, at the latest when it is closed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trapframe-file-'))
    try {
      const path = join(folder, 'out')
      const file = new FileBackend(path)
      const all = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251)
      for (let at = 0; at < all.length; at += 16) expect(file.transmit(all.subarray(at, at + 16))).toBe(16)
      expect(file.waiting).toBeGreaterThan(0)
      file.close()
      expect(readFileSync(path).equals(all)).toBe(true)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
