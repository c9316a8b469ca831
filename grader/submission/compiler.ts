/**
 * The TypeScript compiler. It is required, not imported: to import it, Node would first read its nine megabytes for
 * what they export, which takes twice as long as to load them.
 */
import { createRequire } from 'node:module'
import type ts from 'typescript'

export const compiler = createRequire(import.meta.url)('typescript') as typeof ts
