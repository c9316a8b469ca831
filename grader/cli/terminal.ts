/** What commands write to, and how: colour only where it is wanted, progress only where a person sees it. */

/** A stream as commands use it. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** The variables that commands look at. */
export interface Environment {
  readonly NO_COLOR?: string | undefined
  readonly FORCE_COLOR?: string | undefined
  readonly TERM?: string | undefined
  readonly TRAPFRAME_COURSE_KEY?: string | undefined
}

export interface Streams {
  readonly out: Output
  readonly err: Output
  readonly env: Environment
  /** A person's line, at each call; undefined at the end, or when nobody is there. */
  readonly ask?: (() => Promise<string | undefined>) | undefined
  /** Ends the command with this exit status once it has returned. */
  setStatus(status: number): void
}

/** Colour on a terminal, unless NO_COLOR is set; anywhere when FORCE_COLOR is (https://no-color.org). */
export function wantsColour(stream: Output, env: Environment): boolean {
  if (isSet(env.NO_COLOR)) return false
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** A line that is written over itself; silent where nobody looks. */
export function progressLine(stream: Output): { show(text: string): void; clear(): void } {
  if (stream.isTTY !== true) return { show: () => {}, clear: () => {} }
  const erase = '\r\u001b[K'
  return {
    show: (text) => stream.write(`${erase}${text.slice(0, (stream.columns ?? 80) - 1)}`),
    clear: () => stream.write(erase),
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
