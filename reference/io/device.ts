/**
 * What a device may know of its surroundings: ports that it answers, a line that it drives, and the virtual time
 * that it is told. A device never asks for the time and never knows who owns it, so a test drives it without a machine.
 */
import type { Cycles } from '../sched/virtual-time.ts'

/** The width of a port or memory-mapped access, in bytes. */
export type AccessSize = 1 | 2 | 4

/** An interrupt line: the device says its level, the owner knows where the line ends. Telling a level twice is allowed. */
export type Line = (level: boolean) => void

/** `count` ports from `first` on. */
export interface PortRange {
  readonly first: number
  readonly count: number
}

/** A device behind I/O ports. Values are unsigned and as wide as the access. */
export interface PortDevice {
  readonly ports: readonly PortRange[]
  readPort(port: number, size: AccessSize, now: Cycles): number
  writePort(port: number, size: AccessSize, value: number, now: Cycles): void
}

/** A device that acts by itself as time passes. */
export interface TimedDevice {
  /** The virtual time of the next thing that this device will do by itself, or `Infinity`. Never before `now`. */
  nextEvent(now: Cycles): Cycles
  /** Does everything that is due up to and including `now`. */
  advance(now: Cycles): void
}

/** A device whose whole state is one plain record (numbers, booleans, strings, arrays and records of these). */
export interface Savable<State> {
  save(): State
  /** Takes a state that `save` gave; the device then behaves as the saved one would have. */
  restore(state: State): void
}
