/** Which layers this machine has, found by starting a subject under them once (docs/confinement.md). */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SubjectLimits } from './launch.ts'
import type { ConfinementReport, Layer, MissingLayer } from './layer.ts'
import { findTool, permissionFlags } from './machine-tools.ts'
import { planLaunch } from './plan-launch.ts'

const PROBE_LIMITS: SubjectLimits = { cpuSeconds: 5, heapMegabytes: 64, dataMegabytes: 256, openFiles: 64 }
const PROBE_TIMEOUT_MS = 10_000
const PROBE_SCRIPT = `process.exit(process.permission?.has('fs.write') === true ? 1 : 0)`

let known: ConfinementReport | undefined

/** What this machine has; found once a process. */
export function detectConfinement(): ConfinementReport {
  known ??= detect()
  return known
}

function detect(): ConfinementReport {
  const missing: MissingLayer[] = []
  const layers: Layer[] = ['process']
  if (permissionFlags() === undefined) {
    missing.push({ layer: 'permission', why: 'this Node has no permission model', get: 'use Node 20.19 or newer' })
  } else layers.push('permission')
  if (findTool('prlimit') === undefined) {
    missing.push({ layer: 'prlimit', why: 'there is no prlimit on the PATH', get: 'apt install util-linux' })
  } else if (runs([...layers, 'prlimit'])) layers.push('prlimit')
  else missing.push({ layer: 'prlimit', why: 'Node does not start under its limits', get: 'report this machine' })
  return { layers, missing }
}

/** Whether a subject starts under `layers` and ends well. */
function runs(layers: readonly Layer[]): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'trapframe-doctor-'))
  try {
    const script = join(folder, 'subject.cjs')
    writeFileSync(script, PROBE_SCRIPT)
    const { file, args, env } = planLaunch({ layers }, { script, folder, limits: PROBE_LIMITS })
    return spawnSync(file, args, { env, stdio: 'ignore', timeout: PROBE_TIMEOUT_MS }).status === 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
