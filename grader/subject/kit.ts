/** The programs of the border as texts: what runs in the subject and in the warden's thread, each bundled into one. */
import { bundlePrograms } from '../bundle-program.ts'

export interface SubjectKit {
  /** CommonJS text of `main.ts`. */
  readonly main: string
  /** CommonJS text of `bridge.ts`. */
  readonly bridge: string
  /** CommonJS text of `warden.ts`. */
  readonly warden: string
}

let kit: Promise<SubjectKit> | undefined

/** Bundles them, once in this process. */
export function subjectKit(): Promise<SubjectKit> {
  kit ??= bundle()
  return kit
}

async function bundle(): Promise<SubjectKit> {
  const [main, bridge, warden] = await bundlePrograms(['main', 'bridge', 'warden'], import.meta.url, { format: 'cjs' })
  return { main, bridge, warden }
}
