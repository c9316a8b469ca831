/**
 * A back end over a Unix socket, as a server that one peer at a time may join or as a client. Bytes wait for a peer up to
 * the ring's size, then in the guest's transmitter. What is on its way when a peer vanishes is lost, as with any socket.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { ByteRing } from './byte-ring.ts'
import type { CharBackend, CharFrontend } from './char-backend.ts'

const RING_BYTES = 1 << 16

export class SocketBackend implements CharBackend {
  readonly #frontend: CharFrontend
  readonly #ring = new ByteRing(RING_BYTES)
  #server: Server | undefined
  #peer: Socket | undefined
  #arrived: Uint8Array = new Uint8Array()
  #sending = 0
  #portWaits = false

  private constructor(frontend: CharFrontend) {
    this.#frontend = frontend
  }

  /** Waits for peers at `path`. Rejects with the system's error when that cannot be. */
  static listen(frontend: CharFrontend, path: string): Promise<SocketBackend> {
    const backend = new SocketBackend(frontend)
    return new Promise((resolve, reject) => {
      const server = createServer((peer) => {
        if (backend.#peer === undefined) backend.#join(peer)
        else peer.destroy()
      })
      backend.#server = server
      server.once('error', reject)
      server.listen(path, () => resolve(backend))
    })
  }

  /** Joins whoever listens at `path`. Rejects with the system's error when nobody does. */
  static connect(frontend: CharFrontend, path: string): Promise<SocketBackend> {
    const backend = new SocketBackend(frontend)
    return new Promise((resolve, reject) => {
      const peer = connect(path)
      peer.once('error', reject)
      peer.once('connect', () => {
        backend.#join(peer)
        resolve(backend)
      })
    })
  }

  get mayReceive(): boolean {
    return this.#server !== undefined || this.#peer !== undefined
  }

  get waiting(): number {
    return this.#ring.count
  }

  transmit(bytes: Uint8Array): number {
    const taken = this.#ring.put(bytes)
    if (taken < bytes.length) this.#portWaits = true
    return taken
  }

  flush(): void {
    if (this.#peer === undefined || this.#sending > 0 || this.#ring.count === 0) return
    const piece = this.#ring.peek().slice()
    const peer = this.#peer
    this.#sending = piece.length
    peer.write(piece, () => this.#sent())
  }

  receiverReady(): void {
    if (this.#arrived.length > 0) this.#arrived = this.#arrived.subarray(this.#frontend.receive(this.#arrived))
    if (this.#arrived.length === 0) this.#peer?.resume()
  }

  close(): void {
    this.#server?.close()
    this.#peer?.destroy()
  }

  #join(peer: Socket): void {
    this.#peer = peer
    peer.on('data', (chunk) => {
      peer.pause()
      this.#arrived = chunk
      this.receiverReady()
    })
    peer.on('error', () => {})
    peer.on('close', () => {
      this.#peer = undefined
      this.#frontend.resume()
    })
    this.flush()
  }

  /** A piece has gone, or has gone down with its peer. */
  #sent(): void {
    this.#ring.drop(this.#sending)
    this.#sending = 0
    this.flush()
    if (!this.#portWaits) return
    this.#portWaits = false
    this.#frontend.resume()
  }
}
