/** Names a submission by its contents. */
import { createHash } from 'node:crypto'
import type { Result } from '../result/result.ts'

/** Names a submission by its files: SHA-256 of each, and one over all paths and contents. */
export function identify(files: ReadonlyMap<string, string>): Result['submission'] {
  const tree = createHash('sha256')
  const listed = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, text]) => {
      const bytes = Buffer.from(text, 'utf8')
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      tree.update(`${path}\0${sha256}\n`)
      return { path, sizeBytes: bytes.length, sha256 }
    })
  return { treeHash: tree.digest('hex'), files: listed }
}
