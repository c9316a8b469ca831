/** Writes tar archives byte by byte (POSIX.1-2017 pax, ustar interchange format), entries of any type and size field. */
import { concatenated } from './zip.ts'

const BLOCK_BYTES = 512

/** The type letters that attacks use. */
export const TAR_TYPE = {
  file: '0',
  hardLink: '1',
  symbolicLink: '2',
  device: '3',
  folder: '5',
  fifo: '6',
  extended: 'x',
  longName: 'L',
} as const

export interface TarEntry {
  readonly name: string
  readonly content?: string | Uint8Array
  readonly type?: string
  /** What a link leads to. */
  readonly target?: string
  /** The twelve bytes of the size field, when they shall not be the content's size in octal. */
  readonly sizeField?: string
}

export function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? ''
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const padding = new Uint8Array((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES)
    return [header(entry, bytes.length), bytes, padding]
  })
  return concatenated([...parts, new Uint8Array(2 * BLOCK_BYTES)])
}

/** A record of an extended header: its own length, a keyword and a value. */
export function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return `${length}${rest}`
}

function header({ name, type = TAR_TYPE.file, target = '', sizeField }: TarEntry, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK_BYTES)
  const put = (text: string, at: number, most: number) => block.write(text.slice(0, most), at, 'latin1')
  put(Buffer.from(name, 'utf8').toString('latin1'), 0, 100)
  put('0000644\0', 100, 8)
  put('0000000\0', 108, 8)
  put('0000000\0', 116, 8)
  put(sizeField ?? `${size.toString(8).padStart(11, '0')}\0`, 124, 12)
  put('00000000000\0', 136, 12)
  put('        ', 148, 8)
  put(type, 156, 1)
  put(target, 157, 100)
  put('ustar\x0000', 257, 8)
  const sum = block.reduce((all, byte) => all + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return new Uint8Array(block)
}
