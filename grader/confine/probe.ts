/** A trial subject: it starts under the layers, sees what they should have taken away, and ends. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { NOBODY } from './identity.ts'
import type { SubjectLimits } from './launch.ts'
import type { ConfinementReport, Layer } from './layer.ts'
import { planLaunch } from './plan-launch.ts'

const LIMITS: SubjectLimits = { cpuSeconds: 5, heapMegabytes: 64, dataMegabytes: 256, openFiles: 64 }
const TIMEOUT_MS = 10_000
const MAX_REASON = 200

/** What must hold within, in JavaScript, for each layer that JavaScript can see. */
const CONDITIONS: Readonly<Partial<Record<Layer, string>>> = {
  permission: `process.permission.has('fs.write') === false`,
  uid: `process.getuid() === ${NOBODY}`,
  bubblewrap: `process.pid < 10`,
  seccomp: `(() => { try { process.kill(process.pid, 0) } catch { return true } return false })()`,
}

/**
 * Starts a subject under `layers`.
 *
 * @returns why it does not work, or undefined when it does
 */
export function tryLayers(plan: Pick<ConfinementReport, 'layers' | 'sandbox'>): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'trapframe-probe-'))
  const opened: number[] = []
  const open = (file: string): number => {
    const descriptor = openSync(file, 'r')
    opened.push(descriptor)
    return descriptor
  }
  try {
    const script = join(folder, 'subject.cjs')
    writeFileSync(script, probeScript(plan.layers))
    const { file, args, env, descriptors } = planLaunch(plan, { script, folder, limits: LIMITS })
    const frames = [open(devNull), open(devNull)]
    const { status, signal, stderr, error } = spawnSync(file, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe', ...frames, ...descriptors.map(open)],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      encoding: 'utf8',
    })
    if (status === 0) return undefined
    const said = stderr.trim().split('\n').at(-1) ?? ''
    return said.slice(0, MAX_REASON) || error?.message || `a trial under it ended with ${signal ?? `status ${status}`}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads itself through the thread pool, so that threads and files are tried too. */
function probeScript(layers: readonly Layer[]): string {
  const wanted = layers.flatMap((layer) => (CONDITIONS[layer] === undefined ? [] : [[layer, CONDITIONS[layer]]]))
  const checks = wanted.map(([layer, holds]) => `if (!(${holds})) fail('${layer}')`)
  return `const fail = (layer) => { console.error(layer + ' has no effect'); process.exit(1) }
${checks.join('\n')}
require('node:fs').readFile(__filename, (error) => { if (error) throw error })
`
}
