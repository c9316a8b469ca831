/** How to get a layer that a machine lacks: the end of a sentence, with the command where there is one. */
import { existsSync, readFileSync } from 'node:fs'
import type { Layer } from './layer.ts'

/** What advice depends on. */
export interface Surroundings {
  readonly platform: string
  /** Whether this runs in a container. */
  readonly container: boolean
  /** Whether AppArmor keeps ordinary programs from making user namespaces (Ubuntu 23.10 and newer). */
  readonly apparmorRestricts: boolean
}

export function readSurroundings(): Surroundings {
  return {
    platform: process.platform,
    container: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    apparmorRestricts: readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1',
  }
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** What to do on a system that is not Linux. */
const USE_LINUX = 'grade in a Linux virtual machine, or in a container that is started as docs/confinement.md says'

/**
 * How to get `layer`.
 *
 * @param installed whether its program is there and only does not work
 */
export function advise(layer: Layer, installed: boolean, { platform, container, apparmorRestricts }: Surroundings) {
  if (layer === 'process' || layer === 'permission') return 'use Node 20.19 or newer'
  if (platform !== 'linux') return USE_LINUX
  if (layer === 'prlimit' || layer === 'uid') {
    if (!installed) return 'apt install util-linux'
    return layer === 'prlimit'
      ? 'raise the hard limits of the grader, see ulimit -Ha'
      : 'install Node where every user may read it, or do not grade as root'
  }
  if (layer === 'seccomp') return 'get bubblewrap first, on a Linux for x86-64 or arm64'
  if (!installed) return 'apt install bubblewrap'
  if (container) {
    return 'start the container as docs/confinement.md says (--security-opt seccomp=unconfined --security-opt apparmor=unconfined)'
  }
  if (apparmorRestricts) return 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
  return 'allow user namespaces: sudo sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1'
}
