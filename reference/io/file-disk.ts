/** A disk whose sectors are those of a raw image file. Every access goes to the file at once. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { type BlockDevice, SECTOR_BYTES } from './block-device.ts'

export class FileDisk implements BlockDevice {
  readonly sectors: number
  readonly #fd: number

  /**
   * @param writable opens the file for writing too
   * @throws RangeError when the file is not a whole number of sectors; what `open` throws when it cannot be opened
   */
  constructor(path: string, writable: boolean) {
    this.#fd = openSync(path, writable ? 'r+' : 'r')
    const { size } = fstatSync(this.#fd)
    if (size === 0 || size % SECTOR_BYTES !== 0) {
      closeSync(this.#fd)
      throw new RangeError(`${path} is no disk image: ${size} bytes are not a whole number of sectors of 512 bytes.`)
    }
    this.sectors = size / SECTOR_BYTES
  }

  read(lba: number): Uint8Array {
    const bytes = new Uint8Array(SECTOR_BYTES)
    readSync(this.#fd, bytes, 0, SECTOR_BYTES, lba * SECTOR_BYTES)
    return bytes
  }

  write(lba: number, bytes: Uint8Array): boolean {
    try {
      return writeSync(this.#fd, bytes, 0, SECTOR_BYTES, lba * SECTOR_BYTES) === SECTOR_BYTES
    } catch {
      return false
    }
  }

  flush(): void {
    fsyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
