/**
 * The surroundings of a grading under attack: things to steal, places to write, ports to connect to, all of them marked
 * and all of them looked at afterwards.
 */
import { createSocket, type Socket } from 'node:dgram'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../project-root.ts'

/** What attacks are told of it. */
export interface Bait {
  /** Stands in whatever must not get out, and in the name of whatever an attack leaves behind. */
  readonly mark: string
  /** A file that anybody on this machine may read; its text holds the mark. */
  readonly secretFile: string
  /** The variable of the environment that holds a token; its value holds the mark. */
  readonly tokenName: string
  /** Folders that an attack may try to write into. */
  readonly folders: readonly string[]
  /** The project's folder, where the hidden suites, the solution and the rubric lie. */
  readonly project: string
  /** Ports on loopback where somebody listens. */
  readonly tcpPort: number
  readonly udpPort: number
}

const LOOPBACK = '127.0.0.1'
/** Where Node looks for the folder for temporary files. */
const TEMPORARY = 'TMPDIR'
const TOKEN_NAME = 'TRAPFRAME_BAIT_TOKEN'
const PROCESSES = '/proc'
/** What an attack sends to the process that started it. */
export const SIGNAL = 'SIGUSR2'

export class Surroundings {
  readonly bait: Bait
  /** Where this run makes its submissions. */
  readonly submissions: string
  readonly #folder: string
  readonly #temporary: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #tcp: Server
  readonly #udp: Socket
  readonly #onSignal = () => this.#arrived.push('a signal to the judge')
  #arrived: string[] = []

  private constructor(tcp: Server, udp: Socket) {
    this.#environment = { [TEMPORARY]: process.env[TEMPORARY], [TOKEN_NAME]: process.env[TOKEN_NAME] }
    this.#folder = mkdtempSync(join(tmpdir(), 'trapframe-hostile-'))
    chmodSync(this.#folder, 0o755)
    this.#temporary = join(this.#folder, 'tmp')
    this.submissions = join(this.#folder, 'submissions')
    mkdirSync(this.#temporary)
    chmodSync(this.#temporary, 0o1777)
    mkdirSync(this.submissions)
    const mark = `bait-${basename(this.#folder).slice(-6)}`
    const secretFile = join(this.#folder, 'secret.ts')
    writeFileSync(secretFile, `export const secret = '${mark}-secret'\n`)
    process.env[TEMPORARY] = this.#temporary
    process.env[TOKEN_NAME] = `${mark}-token`
    this.#tcp = tcp
    this.#udp = udp
    tcp.on('connection', (socket) => {
      this.#arrived.push('a TCP connection')
      socket.destroy()
    })
    udp.on('message', () => this.#arrived.push('a UDP message'))
    process.on(SIGNAL, this.#onSignal)
    this.bait = {
      mark,
      secretFile,
      tokenName: TOKEN_NAME,
      folders: [this.#temporary, this.#folder, homedir(), process.cwd(), '/tmp', '/dev/shm'].filter(existsSync),
      project: projectRoot(),
      tcpPort: portOf(tcp),
      udpPort: portOf(udp),
    }
  }

  static async open(): Promise<Surroundings> {
    const tcp = createServer()
    const udp = createSocket('udp4')
    await new Promise<void>((done) => tcp.listen(0, LOOPBACK, done))
    await new Promise<void>((done) => udp.bind(0, LOOPBACK, done))
    return new Surroundings(tcp, udp)
  }

  /** What an attack left behind since the last look: the end of the sentence "it left …". Takes it all away. */
  async traces(): Promise<string[]> {
    await new Promise((done) => setTimeout(done, 5))
    const found = this.#arrived
    this.#arrived = []
    for (const folder of this.bait.folders) {
      for (const name of readdirSync(folder).filter((each) => each.includes(this.bait.mark))) {
        found.push(`a file in ${folder}`)
        rmSync(join(folder, name), { recursive: true, force: true })
      }
    }
    for (const name of readdirSync(this.#temporary)) {
      found.push(`${name} in the folder for temporary files`)
      rmSync(join(this.#temporary, name), { recursive: true, force: true })
    }
    for (const { id, command } of this.#survivors()) {
      found.push(`a process: ${command.slice(0, 80)}`)
      process.kill(id, 'SIGKILL')
    }
    const listing = readdirSync(this.#folder).sort().join()
    if (listing !== 'secret.ts,submissions,tmp') found.push('another file beside the submissions')
    return [...new Set(found)]
  }

  async close(): Promise<void> {
    process.off(SIGNAL, this.#onSignal)
    for (const [name, value] of Object.entries(this.#environment)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await new Promise((done) => this.#tcp.close(done))
    await new Promise<void>((done) => this.#udp.close(done))
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Processes other than this one whose command line names the mark, or a file of this run. */
  #survivors(): { id: number; command: string }[] {
    if (!existsSync(PROCESSES)) return []
    const ids = readdirSync(PROCESSES).filter((name) => /^\d+$/.test(name))
    return ids
      .map((name) => ({ id: Number(name), command: commandOf(name) }))
      .filter(
        ({ id, command }) =>
          id !== process.pid && [this.bait.mark, this.#folder].some((each) => command.includes(each)),
      )
  }
}

function commandOf(id: string): string {
  try {
    return readFileSync(join(PROCESSES, id, 'cmdline'), 'latin1').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function portOf(listener: Server | Socket): number {
  const address = listener.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
