/**
 * One IDE channel with up to two disks, by PIO (ATA/ATAPI-5, T13/1321D: registers §7, commands §8, protocols §9). LBA of
 * 28 bits and CHS; no DMA. Commands take no virtual time: a sector is there as soon as it is asked for.
 */
import { geometryOf, identifyDevice, MOST_MULTIPLE } from './ata-identify.ts'
import { type BlockDevice, SECTOR_BYTES } from './block-device.ts'
import type { WidePortDevice } from './bus.ts'
import type { AccessSize, Line, PortRange, Savable } from './device.ts'

/** Offsets from the command block's first port. */
const DATA = 0
const ERROR_FEATURES = 1
const SECTOR_COUNT = 2
const DEVICE = 6
const STATUS_COMMAND = 7
const REGISTERS = 8

const STATUS_BSY = 0x80
const STATUS_ERR = 0x01
const STATUS_DRQ = 0x08
const STATUS_DSC = 0x10
const STATUS_DRDY = 0x40
const READY = STATUS_DRDY | STATUS_DSC
const ERROR_ABORT = 0x04
const ERROR_ID_NOT_FOUND = 0x10
/** What the error register says after a reset or a diagnosis: device 0 passed. */
const DIAGNOSIS_PASSED = 0x01
const DEVICE_LBA = 0x40
const DEVICE_SECOND = 0x10
const DEVICE_ONES = 0xa0
const CONTROL_NO_INTERRUPT = 0x02
const CONTROL_RESET = 0x04

const RECALIBRATE_FIRST = 0x10
const RECALIBRATE_LAST = 0x1f
const READ_SECTORS = [0x20, 0x21]
const WRITE_SECTORS = [0x30, 0x31]
const READ_VERIFY = [0x40, 0x41]
const SEEK_FIRST = 0x70
const SEEK_LAST = 0x7f
const DIAGNOSE = 0x90
const INITIALIZE_PARAMETERS = 0x91
const READ_MULTIPLE = 0xc4
const WRITE_MULTIPLE = 0xc5
const SET_MULTIPLE = 0xc6
/** STANDBY and IDLE, at once or later, CHECK POWER MODE and SLEEP. */
const POWER_FIRST = 0xe0
const CHECK_POWER_MODE = 0xe5
const POWER_LAST = 0xe6
const FLUSH_CACHE = 0xe7
const IDENTIFY = 0xec
const SET_FEATURES = 0xef
const POWER_ACTIVE = 0xff

type Transfer = 'none' | 'identify' | 'read' | 'write'

export interface AtaOptions {
  /** First port of the command block, and the control block's port. */
  readonly commandPort: number
  readonly controlPort: number
  /** INTRQ: IRQ 14 or 15. */
  readonly line: Line
  /** Device 0, then device 1. */
  readonly disks: readonly BlockDevice[]
}

export interface AtaState {
  readonly registers: readonly number[]
  readonly error: number
  readonly control: number
  readonly status: number
  readonly interrupt: boolean
  readonly transfer: Transfer
  readonly buffer: readonly number[]
  readonly index: number
  /** Sectors of the command that are not in the buffer yet (read), or not written yet (write). */
  readonly left: number
  readonly lba: number
  /** Sectors between two interrupts. */
  readonly block: number
  readonly multiple: readonly number[]
}

export class Ata implements WidePortDevice, Savable<AtaState> {
  readonly widestAccess = 4
  readonly ports: readonly PortRange[]
  readonly #options: AtaOptions
  #registers: number[] = [0, 0, 1, 1, 0, 0, DEVICE_ONES, 0]
  #error = DIAGNOSIS_PASSED
  #control = 0
  #status = READY
  #interrupt = false
  #transfer: Transfer = 'none'
  #buffer = new Uint8Array(0)
  #index = 0
  #left = 0
  #lba = 0
  #block = 1
  #multiple = [0, 0]

  /** @throws RangeError for more than two disks */
  constructor(options: AtaOptions) {
    if (options.disks.length > 2) throw new RangeError(`A channel has two disks; ${options.disks.length} are too many.`)
    this.#options = options
    this.ports = [
      { first: options.commandPort, count: REGISTERS },
      { first: options.controlPort, count: 1 },
    ]
  }

  get #selected(): number {
    return (this.#registers[DEVICE]! & DEVICE_SECOND) === 0 ? 0 : 1
  }

  get #disk(): BlockDevice | undefined {
    return this.#options.disks[this.#selected]
  }

  readPort(port: number, size: AccessSize): number {
    if (port === this.#options.controlPort) return this.#readStatus()
    const register = port - this.#options.commandPort
    if (register === DATA) return this.#readData(size)
    if (this.#disk === undefined) return 0
    if (register === ERROR_FEATURES) return this.#error
    if (register !== STATUS_COMMAND) return this.#registers[register]!
    this.#setInterrupt(false)
    return this.#readStatus()
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port === this.#options.controlPort) {
      this.#writeControl(value)
      return
    }
    const register = port - this.#options.commandPort
    if (register === DATA) this.#writeData(size, value)
    else if (register === STATUS_COMMAND) this.#execute(value & 0xff)
    else if (register === DEVICE) this.#registers[DEVICE] = value & 0xff
    else this.#registers[register] = value & 0xff
  }

  save(): AtaState {
    return {
      registers: [...this.#registers],
      error: this.#error,
      control: this.#control,
      status: this.#status,
      interrupt: this.#interrupt,
      transfer: this.#transfer,
      buffer: [...this.#buffer],
      index: this.#index,
      left: this.#left,
      lba: this.#lba,
      block: this.#block,
      multiple: [...this.#multiple],
    }
  }

  restore(state: AtaState): void {
    this.#registers = [...state.registers]
    this.#error = state.error
    this.#control = state.control
    this.#status = state.status
    this.#interrupt = state.interrupt
    this.#transfer = state.transfer
    this.#buffer = Uint8Array.from(state.buffer)
    this.#index = state.index
    this.#left = state.left
    this.#lba = state.lba
    this.#block = state.block
    this.#multiple = [...state.multiple]
  }

  /** A device is busy for as long as it is held in reset. */
  #readStatus(): number {
    if (this.#disk === undefined) return 0
    return (this.#control & CONTROL_RESET) === 0 ? this.#status : STATUS_BSY
  }

  #setInterrupt(level: boolean): void {
    this.#interrupt = level
    this.#options.line(level && (this.#control & CONTROL_NO_INTERRUPT) === 0)
  }

  #writeControl(value: number): void {
    const resets = (value & CONTROL_RESET) !== 0 && (this.#control & CONTROL_RESET) === 0
    this.#control = value & 0xff
    if (resets) this.#reset()
    else this.#setInterrupt(this.#interrupt)
  }

  #reset(): void {
    this.#registers = [0, 0, 1, 1, 0, 0, DEVICE_ONES, 0]
    this.#error = DIAGNOSIS_PASSED
    this.#multiple = [0, 0]
    this.#finish()
    this.#setInterrupt(false)
  }

  #execute(command: number): void {
    const disk = this.#disk
    if (command === DIAGNOSE) {
      this.#reset()
      this.#setInterrupt(true)
      return
    }
    if (disk === undefined) return
    this.#finish()
    this.#error = 0
    this.#block = 1
    if (command === IDENTIFY) {
      this.#offer('identify', identifyDevice(disk.sectors, this.#multiple[this.#selected]!))
    } else if (READ_SECTORS.includes(command)) this.#begin(disk, 'read', 1)
    else if (WRITE_SECTORS.includes(command)) this.#begin(disk, 'write', 1)
    else if (command === READ_MULTIPLE || command === WRITE_MULTIPLE) {
      const multiple = this.#multiple[this.#selected]!
      if (multiple === 0) this.#fail(ERROR_ABORT)
      else this.#begin(disk, command === READ_MULTIPLE ? 'read' : 'write', multiple)
    } else this.#executeWithoutData(disk, command)
  }

  #executeWithoutData(disk: BlockDevice, command: number): void {
    const count = this.#registers[SECTOR_COUNT]!
    if (command === SET_MULTIPLE) {
      if (count > MOST_MULTIPLE || (count & (count - 1)) !== 0) {
        this.#fail(ERROR_ABORT)
        return
      }
      this.#multiple[this.#selected] = count
    } else if (READ_VERIFY.includes(command)) {
      if (this.#address(disk) === undefined) {
        this.#fail(ERROR_ID_NOT_FOUND)
        return
      }
    } else if (command === FLUSH_CACHE) disk.flush()
    else if (command === CHECK_POWER_MODE) this.#registers[SECTOR_COUNT] = POWER_ACTIVE
    else if (!isDoneAtOnce(command)) {
      this.#fail(ERROR_ABORT)
      return
    }
    this.#setInterrupt(true)
  }

  #begin(disk: BlockDevice, transfer: 'read' | 'write', block: number): void {
    const lba = this.#address(disk)
    if (lba === undefined) {
      this.#fail(ERROR_ID_NOT_FOUND)
      return
    }
    this.#lba = lba
    this.#left = this.#registers[SECTOR_COUNT]! || 256
    this.#block = block
    if (transfer === 'read') this.#readBlock(disk)
    else this.#expectBlock(false)
  }

  /** The first sector of a command, when the disk has all sectors that it names. */
  #address(disk: BlockDevice): number | undefined {
    const [, , count, low, mid, high, device] = this.#registers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    let lba = ((device & 15) << 24) | (high << 16) | (mid << 8) | low
    if ((device & DEVICE_LBA) === 0) {
      const { heads, sectorsPerTrack } = geometryOf(disk.sectors)
      lba = (((high << 8) | mid) * heads + (device & 15)) * sectorsPerTrack + low - 1
    }
    return lba >= 0 && lba + (count || 256) <= disk.sectors ? lba : undefined
  }

  #readBlock(disk: BlockDevice): void {
    const sectors = Math.min(this.#block, this.#left)
    const block = new Uint8Array(sectors * SECTOR_BYTES)
    for (let i = 0; i < sectors; i++) block.set(disk.read(this.#lba + i), i * SECTOR_BYTES)
    this.#lba += sectors
    this.#left -= sectors
    this.#offer('read', block)
  }

  #offer(transfer: Transfer, bytes: Uint8Array): void {
    this.#transfer = transfer
    this.#buffer = Uint8Array.from(bytes)
    this.#index = 0
    this.#status = READY | STATUS_DRQ
    this.#setInterrupt(true)
  }

  /** The first block of a write is asked for without an interrupt. */
  #expectBlock(interrupts: boolean): void {
    this.#transfer = 'write'
    this.#buffer = new Uint8Array(Math.min(this.#block, this.#left) * SECTOR_BYTES)
    this.#index = 0
    this.#status = READY | STATUS_DRQ
    if (interrupts) this.#setInterrupt(true)
  }

  #readData(size: AccessSize): number {
    if (this.#transfer !== 'identify' && this.#transfer !== 'read') return 0
    let value = 0
    for (let i = 0; i < size; i++) value |= (this.#buffer[this.#index + i] ?? 0) << (8 * i)
    this.#index += size
    if (this.#index >= this.#buffer.length) {
      const disk = this.#disk
      if (this.#transfer === 'read' && this.#left > 0 && disk !== undefined) this.#readBlock(disk)
      else this.#finish()
    }
    return value >>> 0
  }

  #writeData(size: AccessSize, value: number): void {
    const disk = this.#disk
    if (this.#transfer !== 'write' || disk === undefined) return
    for (let i = 0; i < size; i++) {
      if (this.#index + i < this.#buffer.length) this.#buffer[this.#index + i] = (value >>> (8 * i)) & 0xff
    }
    this.#index += size
    if (this.#index < this.#buffer.length) return
    const sectors = this.#buffer.length / SECTOR_BYTES
    for (let i = 0; i < sectors; i++) {
      const sector = this.#buffer.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES)
      if (!disk.write(this.#lba + i, sector)) {
        this.#fail(ERROR_ABORT)
        return
      }
    }
    this.#lba += sectors
    this.#left -= sectors
    if (this.#left > 0) this.#expectBlock(true)
    else {
      this.#finish()
      this.#setInterrupt(true)
    }
  }

  #finish(): void {
    this.#transfer = 'none'
    this.#buffer = new Uint8Array(0)
    this.#index = 0
    this.#left = 0
    this.#status = READY
  }

  #fail(error: number): void {
    this.#finish()
    this.#error = error
    this.#status = READY | STATUS_ERR
    this.#setInterrupt(true)
  }
}

function isDoneAtOnce(command: number): boolean {
  return (
    (command >= RECALIBRATE_FIRST && command <= RECALIBRATE_LAST) ||
    (command >= SEEK_FIRST && command <= SEEK_LAST) ||
    (command >= POWER_FIRST && command <= POWER_LAST) ||
    command === INITIALIZE_PARAMETERS ||
    command === SET_FEATURES
  )
}
