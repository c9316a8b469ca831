/** Which layers this machine has, found by starting a subject under them (docs/confinement.md). */
import { advise, readSurroundings } from './advice.ts'
import { hasFilter } from './filter.ts'
import { isRoot } from './identity.ts'
import { type ConfinementReport, LAYERS, type Layer, type MissingLayer, type SandboxPolicy } from './layer.ts'
import { findTool, permissionFlags } from './machine-tools.ts'
import { tryLayers } from './probe.ts'

/** The program that puts a layer on, where there is one. */
const TOOLS: Readonly<Partial<Record<Layer, string>>> = { prlimit: 'prlimit', uid: 'setpriv', bubblewrap: 'bwrap' }

/** The order in which layers are tried one by one: whether root can be given up depends on the sandbox. */
const TRIAL_ORDER: readonly Layer[] = ['permission', 'prlimit', 'bubblewrap', 'uid', 'seccomp']

let known: ConfinementReport | undefined

/** What this machine has; found once a process. */
export function detectConfinement(): ConfinementReport {
  known ??= detect()
  return known
}

interface Found {
  readonly layers: readonly Layer[]
  readonly sandbox?: SandboxPolicy | undefined
  readonly failed: ReadonlyMap<Layer, string>
}

function detect(): ConfinementReport {
  const needed = LAYERS.filter((layer) => layer !== 'uid' || isRoot())
  const absent = new Map(needed.flatMap((layer) => absence(layer)))
  const present = needed.filter((layer) => !absent.has(layer))
  const { layers, sandbox, failed } = tryAllOrEach(present)
  const surroundings = readSurroundings()
  const missing = needed.flatMap((layer): MissingLayer[] => {
    const why = absent.get(layer) ?? failed.get(layer)
    return why === undefined ? [] : [{ layer, why, get: advise(layer, failed.has(layer), surroundings) }]
  })
  return { layers, missing, ...(sandbox === undefined ? {} : { sandbox }) }
}

/** Why there is no need to try a layer. */
function absence(layer: Layer): [Layer, string][] {
  const tool = TOOLS[layer]
  if (tool !== undefined && findTool(tool) === undefined) return [[layer, `there is no ${tool} on the PATH`]]
  if (layer === 'permission' && permissionFlags() === undefined) return [[layer, 'this Node has no permission model']]
  if (layer === 'seccomp' && findTool('bwrap') === undefined) return [[layer, 'it comes with bubblewrap']]
  if (layer === 'seccomp' && !hasFilter(process.arch)) return [[layer, `there is no filter for ${process.arch}`]]
  return []
}

/** One trial where all work together; else as many as work when each is added to those before. */
function tryAllOrEach(present: readonly Layer[]): Found {
  const all = tryPolicies(present)
  if (all.works) return { layers: present, sandbox: all.sandbox, failed: new Map() }
  let layers: readonly Layer[] = ['process']
  let sandbox: SandboxPolicy | undefined
  const failed = new Map<Layer, string>()
  for (const layer of TRIAL_ORDER.filter((each) => present.includes(each))) {
    if (layer === 'seccomp' && !layers.includes('bubblewrap')) {
      failed.set(layer, 'it comes with bubblewrap')
      continue
    }
    const wider = LAYERS.filter((each) => each === layer || layers.includes(each))
    const trial = tryPolicies(wider)
    if (trial.works) {
      layers = wider
      sandbox = trial.sandbox
    } else failed.set(layer, trial.why)
  }
  return { layers, sandbox, failed }
}

type Outcome =
  | { readonly works: true; readonly sandbox?: SandboxPolicy | undefined }
  | { readonly works: false; readonly why: string }

/** Tries the layers with each way in which a sandbox may give up root. */
function tryPolicies(layers: readonly Layer[]): Outcome {
  if (!layers.includes('bubblewrap')) return outcome(tryLayers({ layers }))
  const policies: readonly SandboxPolicy[] = layers.includes('uid') ? ['inside', 'before'] : ['user-namespace']
  let last: Outcome | undefined
  for (const sandbox of policies) {
    last = outcome(tryLayers({ layers, sandbox }), sandbox)
    if (last.works) return last
  }
  return last!
}

function outcome(why: string | undefined, sandbox?: SandboxPolicy): Outcome {
  return why === undefined ? { works: true, sandbox } : { works: false, why }
}
