/**
 * The types of what a lab grants its students' code of Node, as ambient declarations: a small part of each module, so that
 * nothing else of Node seems to be there while the code is checked.
 */

const DECLARATIONS: Readonly<Record<string, string>> = {
  'node:fs': `
declare module 'node:fs' {
  interface Stats {
    readonly size: number
    readonly mode: number
    isFIFO(): boolean
    isFile(): boolean
    isDirectory(): boolean
  }
  export const constants: {
    readonly O_RDONLY: number
    readonly O_WRONLY: number
    readonly O_RDWR: number
    readonly O_NONBLOCK: number
    readonly O_CREAT: number
    readonly O_EXCL: number
    readonly O_TRUNC: number
    readonly O_APPEND: number
  }
  export function openSync(path: string, flags?: string | number, mode?: number): number
  export function closeSync(fd: number): void
  export function readSync(fd: number, buffer: Uint8Array, offset?: number, length?: number, position?: number | null): number
  export function writeSync(fd: number, buffer: Uint8Array, offset?: number, length?: number, position?: number | null): number
  export function fstatSync(fd: number): Stats
  export function statSync(path: string): Stats
  export function existsSync(path: string): boolean
}
`,
}

/** The declarations of these modules; nothing for a module that has none. */
export function grantedTypes(modules: readonly string[]): string {
  return modules.map((module) => DECLARATIONS[module] ?? '').join('')
}
