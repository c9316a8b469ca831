/** A back end that writes what a guest sends to a file, gathered in pieces. Nothing arrives. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { ByteRing } from './byte-ring.ts'
import type { CharBackend } from './char-backend.ts'

/** How much is gathered before it is written. */
const PIECE_BYTES = 1 << 16

export class FileBackend implements CharBackend {
  readonly mayReceive = false
  readonly #file: number
  readonly #ring = new ByteRing(PIECE_BYTES)

  /** Makes the file, or empties it. @throws what `openSync` throws */
  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  get waiting(): number {
    return this.#ring.count
  }

  transmit(bytes: Uint8Array): number {
    if (this.#ring.room < bytes.length) this.flush()
    return this.#ring.put(bytes)
  }

  /** @throws what `writeSync` throws, e.g. when the disk is full */
  flush(): void {
    while (this.#ring.count > 0) this.#ring.drop(writeSync(this.#file, this.#ring.peek()))
  }

  receiverReady(): void {}

  close(): void {
    this.flush()
    closeSync(this.#file)
  }
}
