/**
 * What stands behind a serial port: the two sides of the border between a UART and a place for its bytes.
 *
 * Nobody drops a byte: each side says how many it took, keeps to it, and calls the other when it takes bytes again.
 * (QEMU's character devices are the model, but for their four retries and the loss that follows.)
 */

/** The guest's side, as a back end sees it. */
export interface CharFrontend {
  /** Bytes arrive for the guest; how many of them were taken, the first ones. After less than all: {@link CharBackend.receiverReady}. */
  receive(bytes: Uint8Array): number
  /** A break arrives. False: not now. */
  receiveBreak(): boolean
  /** The back end, which took less than it was offered, takes bytes again. */
  resume(): void
}

/** A place for a serial port's bytes. Every method returns at once, whatever the host does. */
export interface CharBackend {
  /** Something may still arrive for the guest. */
  readonly mayReceive: boolean
  /** How many bytes were taken and have not reached the host yet. */
  readonly waiting: number
  /** Takes bytes of the guest, the first ones first; how many. After less than all it calls {@link CharFrontend.resume}. */
  transmit(bytes: Uint8Array): number
  /** The machine pauses: what was taken goes to the host now, and is gathered no longer. */
  flush(): void
  /** The guest takes bytes again. */
  receiverReady(): void
  /** Lets go of everything that it holds of the host. */
  close(): void
}
