/**
 * The border between a machine and the back end that joins a serial port to named pipes: what the back end is told, and
 * what it may ask for. Plain data only (words: POSIX.1-2017 `open`, `read`, `write`, `poll`; `fifo(7)`).
 */

/** How a pipe is opened. `readWrite` is one descriptor for both directions. */
export type Access = 'read' | 'write' | 'readWrite'

/** Why a pipe could not be opened now: nobody has it open for reading, or a signal came in between. */
export type OpenError = 'ENXIO' | 'EINTR' | 'ENOENT' | 'EACCES'

/** A host's files as system calls see them. No call ever waits on a descriptor that was opened with `nonblock`. */
export interface HostFiles {
  /** A descriptor, or why not. Without `nonblock`, it waits until somebody has the other end. */
  open(path: string, access: Access, nonblock: boolean): number | OpenError
  /** At most `count` bytes (1 to 65536). No bytes: the end of file, since nobody has it open for writing. */
  read(fd: number, count: number): Uint8Array | 'EAGAIN' | 'EINTR'
  /** How many bytes the host took: perhaps not all. Nothing of the others has happened. */
  write(fd: number, bytes: Uint8Array): number | 'EAGAIN' | 'EINTR' | 'EPIPE'
  close(fd: number): void
}

/** What a back end may ask of the machine around it. */
export interface SerialMachine extends HostFiles {
  /**
   * From now on `notice` tells when a descriptor can be read or written, as `poll` would: again and again for as long
   * as it is so. Of a descriptor that is watched for anything, a hang-up is told, too. Neither: it is watched no longer.
   */
  watch(fd: number, readable: boolean, writable: boolean): void
  /** Asks for one call of `alarmed`, some time later. Asking again before it came changes nothing. */
  alarm(): void
  /** Bytes for the guest's receiver: how many it took, the first ones. If it took less, `receiverReady` comes later. */
  receive(bytes: Uint8Array): number
  /** A break for the guest. False: not now; `receiverReady` comes later. */
  receiveBreak(): boolean
  /** The transmitter, which was refused, may offer its bytes again: it does so when your method has returned. */
  resume(): void
}

/** What is the case with a watched descriptor. At least one of the three is true. */
export interface Notice {
  readonly fd: number
  readonly readable: boolean
  readonly writable: boolean
  /** Nobody has the other end any more. */
  readonly hangup: boolean
}

/** The back end: what this lab asks for. No method ever waits. */
export interface FifoBackend {
  /**
   * Begins. The pipe, or the pair of pipes, is named `path`, as the handout says; they exist.
   * @param real use real files of this computer by your own `host-files.ts`, not those of the machine
   */
  open(path: string, real: boolean): void
  /**
   * The transmitter offers 1 to 16 bytes; how many you take, the first ones. The others stay in the transmitter with
   * THRE = TEMT = 0 until you `resume` it, and are offered again then.
   */
  transmit(bytes: Uint8Array): number
  /** The guest sends a break. False: not now; after `resume` it is offered again. */
  transmitBreak(): boolean
  /** The machine pauses: what waits must not wait for more. */
  flush(): void
  /** Watched descriptors, with what is the case now. */
  notice(notices: readonly Notice[]): void
  /** The alarm that you asked for. */
  alarmed(): void
  /** The guest's receiver has room again, after it took less than you had. */
  receiverReady(): void
  /** Everything that must survive, as one string: the machine moves to another host. You are asked nothing more. */
  save(): string
  /** Before `open`, in a fresh back end: goes on from `state`. */
  restore(state: string): void
  /** The end: gives back every descriptor. */
  close(): void
}
