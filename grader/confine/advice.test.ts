import { describe, expect, it } from 'vitest'
import { advise, readSurroundings, type Surroundings } from './advice.ts'
import { LAYERS } from './layer.ts'

const DEBIAN: Surroundings = { platform: 'linux', container: false, apparmorRestricts: false }

describe('advise', () => {
  it('knows a way to each layer, everywhere', () => {
    const places: Surroundings[] = [
      DEBIAN,
      { ...DEBIAN, container: true },
      { ...DEBIAN, apparmorRestricts: true },
      { platform: 'darwin', container: false, apparmorRestricts: false },
      readSurroundings(),
    ]
    for (const place of places) {
      for (const installed of [true, false]) {
        for (const layer of LAYERS) expect(advise(layer, installed, place)).toMatch(/^[a-z].*[^.]$/)
      }
    }
  })

  it.each<[string, boolean, Partial<Surroundings>, RegExp]>([
    ['Debian, not installed', false, {}, /apt install bubblewrap/],
    ['Ubuntu 24.04', true, { apparmorRestricts: true }, /sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0/],
    ['Docker', true, { container: true }, /--security-opt seccomp=unconfined/],
    ['a kernel without user namespaces', true, {}, /user\.max_user_namespaces/],
    ['macOS', false, { platform: 'darwin' }, /Linux virtual machine/],
  ])('bubblewrap on %s', (_, installed, place, advice) => {
    expect(advise('bubblewrap', installed, { ...DEBIAN, ...place })).toMatch(advice)
  })
})
