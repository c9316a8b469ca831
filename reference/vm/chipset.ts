/**
 * The rest of a PC around a {@link Vm}: keyboard controller, disks, screen, DMA registers, reset and A20, and in a `pc`
 * a PCI bus besides (an `isapc` has none).
 */
import { Ata } from '../io/ata.ts'
import type { BlockDevice } from '../io/block-device.ts'
import type { PortDevice, Savable } from '../io/device.ts'
import { Dma } from '../io/dma.ts'
import { FwCfg } from '../io/fw-cfg.ts'
import { I8042 } from '../io/i8042.ts'
import { Pci } from '../io/pci.ts'
import { Port92 } from '../io/port-92.ts'
import { Ps2Keyboard } from '../io/ps2-keyboard.ts'
import { Ps2Mouse } from '../io/ps2-mouse.ts'
import { ResetControl } from '../io/reset-control.ts'
import { VgaText } from '../io/vga-text.ts'
import { A20Gate } from './a20.ts'
import type { Vm } from './vm.ts'

export type MachineType = 'isapc' | 'pc'

const KEYBOARD_IRQ = 1
const MOUSE_IRQ = 12
const IDE_CHANNELS = [
  { commandPort: 0x1f0, controlPort: 0x3f6, irq: 14 },
  { commandPort: 0x170, controlPort: 0x376, irq: 15 },
]
const DISKS_PER_CHANNEL = 2
/** What a BIOS's setup has left in CMOS memory (IBM PC/AT Technical Reference; bootable devices as in Bochs and QEMU). */
const CMOS_EQUIPMENT = 0x14
const EQUIPMENT_FPU_AND_MOUSE = 0x06
const CMOS_BOOT_DEVICES = 0x3d
const BOOT_DISK = 0x02
/** The voters of the A20 gate. */
const A20_I8042 = 0
const A20_PORT_92 = 1

export interface ChipsetOptions {
  readonly type: MachineType
  /** At most four: two on each IDE channel. */
  readonly disks: readonly BlockDevice[]
  /** What a BIOS may read from fw_cfg. Without it there is no such device. */
  readonly firmwareFiles?: Readonly<Record<string, Uint8Array>>
  readonly cycleHz: number
}

export class Chipset {
  readonly keyboard = new Ps2Keyboard()
  readonly mouse = new Ps2Mouse()
  readonly vga: VgaText
  readonly a20: A20Gate
  readonly #i8042: I8042
  readonly #devices: Readonly<Record<string, Savable<unknown>>>

  /** @throws RangeError for more than four disks */
  constructor(vm: Vm, options: ChipsetOptions) {
    const { disks, cycleHz } = options
    if (disks.length > IDE_CHANNELS.length * DISKS_PER_CHANNEL) {
      throw new RangeError(`A machine has four disks at most; ${disks.length} are too many.`)
    }
    const a20 = new A20Gate(vm.memory, [true, false])
    this.a20 = a20
    vm.rtc.setByte(CMOS_EQUIPMENT, EQUIPMENT_FPU_AND_MOUSE)
    vm.rtc.setByte(CMOS_BOOT_DEVICES, BOOT_DISK)
    const reset = () => vm.requestReset()
    this.#i8042 = new I8042({
      keyboard: this.keyboard,
      auxiliary: this.mouse,
      keyboardLine: vm.line(KEYBOARD_IRQ),
      auxiliaryLine: vm.line(MOUSE_IRQ),
      a20: (open) => a20.vote(A20_I8042, open),
      reset,
    })
    const port92 = new Port92({ a20: (open) => a20.vote(A20_PORT_92, open), reset })
    const resetControl = new ResetControl(reset)
    const dma = new Dma()
    this.vga = new VgaText(cycleHz)
    const behindPorts: Record<string, PortDevice & Savable<unknown>> = {
      i8042: this.#i8042,
      port92,
      dma,
      vga: this.vga,
      ...(options.type === 'pc' ? { pci: new Pci(resetControl) } : { resetControl }),
      ...(options.firmwareFiles === undefined
        ? {}
        : {
            fwCfg: new FwCfg({
              memoryBytes: vm.memory.sizeBytes,
              cpus: vm.processors.length,
              files: options.firmwareFiles,
            }),
          }),
    }
    for (const [i, { irq, ...ports }] of IDE_CHANNELS.entries()) {
      const own = disks.slice(i * DISKS_PER_CHANNEL, (i + 1) * DISKS_PER_CHANNEL)
      if (own.length > 0) behindPorts[`ide${i}`] = new Ata({ ...ports, line: vm.line(irq), disks: own })
    }
    for (const device of Object.values(behindPorts)) vm.addDevice(device)
    this.#devices = { ...behindPorts, resetControl, keyboard: this.keyboard, mouse: this.mouse }
  }

  /** A key goes down or up: its scan code in set 2, with E0h in bits 8–15. False: the guest does not listen. */
  key(code: number, down: boolean): boolean {
    const taken = this.keyboard.key(code, down)
    this.#i8042.poll()
    return taken
  }

  /** All devices by their names, and the gate. */
  save(): Record<string, unknown> {
    const saved: Record<string, unknown> = { a20: this.a20.save() }
    for (const [name, device] of Object.entries(this.#devices)) saved[name] = device.save()
    return saved
  }

  /** @throws Error when the state is that of a machine with other devices */
  restore(state: Readonly<Record<string, unknown>>): void {
    const { a20, ...devices } = state
    const own = Object.keys(this.#devices).sort().join(', ')
    const other = Object.keys(devices).sort().join(', ')
    if (own !== other) throw new Error(`The machine has the devices ${own}; the saved one has ${other}.`)
    for (const [name, device] of Object.entries(this.#devices)) device.restore(devices[name])
    for (const [voter, open] of (a20 as readonly boolean[]).entries()) this.a20.vote(voter, open)
  }
}
