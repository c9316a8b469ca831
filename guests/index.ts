/** Our own guests by name: what `trapframe run guest:NAME` boots. */

/** A guest ready to be loaded. */
export interface Guest {
  /** A multiboot kernel. */
  readonly image: Uint8Array
}

export const guests: Readonly<Record<string, () => Guest>> = {}
