/**
 * How fast a serial port is over named pipes: bytes written to a UART's THR in bursts of sixteen, through the reference's
 * back end and a real FIFO to a reader in another process (see `bench/README.md`).
 *
 * Run: `npm run build && node dist/bench/serial.js`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RingBackend } from '../reference/io/ring-backend.ts'
import { SerialLine } from '../reference/io/serial-line.ts'
import { Uart } from '../reference/io/uart.ts'
import { createFifoLine } from '../reference/machine.ts'

const BASE = 0x3f8
const LSR = BASE + 5
const FCR = BASE + 2
const THRE = 0x20
const BURST = 16
const BYTES = 64 << 20
/** What a guest sends between two pauses of its machine. */
const SLICE_BYTES = 1 << 16
const IDLE_MS = 500

function makePort(): { uart: Uart; line: SerialLine } {
  const wire: { line?: SerialLine } = {}
  const uart = new Uart({ port: BASE, line: () => {}, cycleHz: 1, sink: (byte) => wire.line!.send(byte) })
  const line = new SerialLine({
    get canReceive() {
      return uart.canReceive
    },
    receive: (byte) => uart.receive(byte, 0),
    receiveBreak: () => uart.receiveBreak(0),
    resume: () => uart.resume(),
  })
  wire.line = line
  uart.writePort(FCR, 1, 1, 0)
  return { uart, line }
}

/** Sends by polling THRE, and pauses as the run loop does; how often it paused. */
async function send(uart: Uart, line: SerialLine, bytes: number): Promise<number> {
  let pauses = 0
  for (let sent = 0; sent < bytes; ) {
    const end = Math.min(bytes, sent + SLICE_BYTES)
    while (sent < end && (uart.readPort(LSR, 1, 0) & THRE) !== 0) {
      for (let i = 0; i < BURST; i++) uart.writePort(BASE, 1, sent++ & 0xff, 0)
    }
    line.flush()
    pauses++
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (; line.waiting > 0; pauses++) {
    line.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return pauses
}

/** Megabytes for each second of this process's CPU, and of the clock. */
async function rate(run: () => Promise<unknown>): Promise<string> {
  const start = process.hrtime.bigint()
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  return `${(BYTES / (user + system)).toFixed(0)} MB for a second of CPU; ${(BYTES / seconds / 1e6).toFixed(0)} MB/s`
}

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(46)} ${figure}\n`)
}

async function measureRing(): Promise<void> {
  const { uart, line } = makePort()
  line.attach(new RingBackend(SLICE_BYTES))
  say('UART → ring buffer', await rate(() => send(uart, line, BYTES)))
}

async function measureFifo(folder: string): Promise<void> {
  const path = join(folder, 'com1')
  execFileSync('mkfifo', [`${path}.in`, `${path}.out`])
  const reader = spawn('cat', [`${path}.out`], { stdio: ['ignore', 'ignore', 'inherit'] })
  const { uart, line } = makePort()
  const fifo = createFifoLine(line, { path, peer: false })
  line.attach(fifo)
  let pauses = 0
  say(
    'UART → named pipe → cat',
    await rate(async () => {
      pauses = await send(uart, line, BYTES)
    }),
  )
  const allowed = Math.ceil(BYTES / BURST) + pauses
  say('host writes; ⌈bytes/16⌉ + pauses allow', `${fifo.hostWrites}; ${allowed}`)
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const { user, system } = process.cpuUsage(before)
  say(`CPU time of an idle port in ${IDLE_MS} ms`, `${((user + system) / 1000).toFixed(1)} ms`)
  line.close()
  reader.kill()
}

const folder = mkdtempSync(join(tmpdir(), 'trapframe-bench-'))
try {
  await measureRing()
  await measureFifo(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
