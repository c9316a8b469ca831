/**
 * How APICs send interrupts to each other (Intel SDM vol. 3A §11.6.2, §11.7): a message names its destination by ID or by
 * what a set of local APICs calls itself.
 */

/** Delivery modes, as redirection entries and interrupt commands number them. */
export const FIXED = 0
export const LOWEST_PRIORITY = 1
export const NMI = 4
export const INIT = 5
export const START_UP = 6
export const EXTERNAL = 7

export interface ApicMessage {
  readonly mode: number
  readonly vector: number
  /** The request is a level that lasts until the EOI. */
  readonly isLevel: boolean
  /** Eight bits: an ID (FFh: all), or with `isLogical` a logical destination. */
  readonly destination: number
  readonly isLogical: boolean
}

/** A local APIC as the bus sees it. */
export interface ApicAgent {
  readonly id: number
  matchesLogical(destination: number): boolean
  /** The processor priority: who has the lowest takes a lowest-priority interrupt. */
  readonly priority: number
  accept(message: ApicMessage): void
}

/** Whoever waits for the end of level-triggered interrupts: the I/O APIC. */
export type EndOfInterrupt = (vector: number) => void

const ALL = 0xff

export class ApicBus {
  readonly #agents: ApicAgent[] = []
  readonly #listeners: EndOfInterrupt[] = []

  add(agent: ApicAgent): void {
    this.#agents.push(agent)
  }

  onEndOfInterrupt(listener: EndOfInterrupt): void {
    this.#listeners.push(listener)
  }

  /** @returns false when nobody has that destination */
  send(message: ApicMessage): boolean {
    const found = this.#agents.filter((agent) => isDestination(agent, message))
    if (message.mode === LOWEST_PRIORITY && found.length > 1) {
      const chosen = found.reduce((best, agent) => (agent.priority < best.priority ? agent : best))
      chosen.accept(message)
    } else for (const agent of found) agent.accept(message)
    return found.length > 0
  }

  /** To every agent, or to all but one. */
  broadcast(message: ApicMessage, except?: ApicAgent): void {
    for (const agent of this.#agents) if (agent !== except) agent.accept(message)
  }

  /** A local APIC has ended a level-triggered interrupt. */
  endOfInterrupt(vector: number): void {
    for (const listener of this.#listeners) listener(vector)
  }
}

function isDestination(agent: ApicAgent, { destination, isLogical }: ApicMessage): boolean {
  if (isLogical) return agent.matchesLogical(destination)
  return destination === ALL || agent.id === destination
}
