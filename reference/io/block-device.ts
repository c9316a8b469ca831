/** What a disk controller knows of a disk: sectors by their numbers. And the two disks that need no file. */

export const SECTOR_BYTES = 512

export interface BlockDevice {
  readonly sectors: number
  /** A copy of the sector `lba`, which is in range. */
  read(lba: number): Uint8Array
  /** Writes one sector. False: it cannot be written. */
  write(lba: number, bytes: Uint8Array): boolean
  /** What was written is safe afterwards. */
  flush(): void
}

/** A disk in memory. */
export class MemoryDisk implements BlockDevice {
  readonly bytes: Uint8Array

  /** @param bytes a whole number of sectors; the disk writes to it */
  constructor(bytes: Uint8Array) {
    if (bytes.length % SECTOR_BYTES !== 0) {
      throw new RangeError(`A disk is a whole number of sectors of 512 bytes; ${bytes.length} bytes are not.`)
    }
    this.bytes = bytes
  }

  get sectors(): number {
    return this.bytes.length / SECTOR_BYTES
  }

  read(lba: number): Uint8Array {
    return this.bytes.slice(lba * SECTOR_BYTES, (lba + 1) * SECTOR_BYTES)
  }

  write(lba: number, bytes: Uint8Array): boolean {
    this.bytes.set(bytes, lba * SECTOR_BYTES)
    return true
  }

  flush(): void {}
}

/** A disk whose writes stay in memory, over another one that is only read. */
export class OverlayDisk implements BlockDevice {
  readonly #base: BlockDevice
  readonly #written = new Map<number, Uint8Array>()

  constructor(base: BlockDevice) {
    this.#base = base
  }

  get sectors(): number {
    return this.#base.sectors
  }

  read(lba: number): Uint8Array {
    return this.#written.get(lba)?.slice() ?? this.#base.read(lba)
  }

  write(lba: number, bytes: Uint8Array): boolean {
    this.#written.set(lba, new Uint8Array(bytes))
    return true
  }

  flush(): void {}

  /** The sectors that were written, by number. */
  written(): ReadonlyMap<number, Uint8Array> {
    return this.#written
  }

  /** Takes what `written` of another one gave, in place of its own. */
  replaceWritten(sectors: ReadonlyMap<number, Uint8Array>): void {
    this.#written.clear()
    for (const [lba, bytes] of sectors) this.#written.set(lba, new Uint8Array(bytes))
  }
}
