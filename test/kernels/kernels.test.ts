/** Kernels that nobody here wrote, as Debian ships them. Needs apt and the network; without them it skips and says why. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { converse } from './conversation.ts'
import { busyboxInitramfs } from './initramfs.ts'
import { unpackPackages } from './packages.ts'

const unpacked = unpackPackages(
  [
    'busybox-static:i386',
    'memtest86+:i386',
    'seabios:all',
    'bochsbios:all',
    'grub-invaders:i386',
    'grub-pc-bin:i386',
    'grub-common:amd64',
    'libdevmapper1.02.1:amd64',
  ],
  { meta: 'linux-image-686:i386', wanted: /^linux-image-.*-686/ },
)
const root = 'root' in unpacked ? unpacked.root : ''
if ('missing' in unpacked) {
  const sentence = `Kernels are not tested: ${unpacked.missing}.`
  const { KERNELS_REQUIRED } = process.env
  if (KERNELS_REQUIRED === '1') throw new Error(sentence)
  process.stderr.write(`${sentence}\n`)
}

const SLEEPS = 120
const LIMIT = 124
const LINUX_MEMORY_MIB = 40
const LINUX_CPU_SECONDS = 8 * 60
const MEMORY_OVERHEAD_MIB = 150
/** SeaBIOS and GRUB need 30 million. */
const BIOS_LIMIT = '200000000'
const INVADERS_LIMIT = '20000000'
/** The first five tests of a pass over 8 MiB. */
const MEMTEST_LIMIT = '1500000000'
const DISK_SECTORS = 1008

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trapframe-kernels-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf('missing' in unpacked)('a kernel that nobody here wrote', () => {
  it.each(['interpreter', 'auto'])(
    "Debian's Linux 6.1 comes up to a shell, answers what is typed, and is off: engine %s",
    async (engine) => {
      const kernel = readdirSync(join(root, 'boot')).find((name) => name.startsWith('vmlinuz-'))!
      const initrd = join(folder, 'initrd.img')
      writeFileSync(initrd, busyboxInitramfs(readFileSync(join(root, 'bin/busybox'))))
      const append = 'console=ttyS0 noapic nolapic acpi=off'
      const stats = join(folder, 'stats.json')
      const args = [join(root, 'boot', kernel), '--initrd', initrd, '--append', append, '--mem', `${LINUX_MEMORY_MIB}M`]
      const seen = await converse(
        [...args, '--engine', engine, '--stats', stats],
        [
          ['/ # ', 'echo $((6*7))\n'],
          ['\n42', 'uname -srm\n'],
          ['Linux 6.1', 'poweroff -f\n'],
        ],
      )
      expect({ left: seen.left, status: seen.status }).toEqual({ left: [], status: SLEEPS })
      expect(seen.printed).toMatch(/42\r?\n/)
      expect(seen.printed).toContain('reboot: System halted')
      expect(seen.cpuSeconds).toBeLessThan(LINUX_CPU_SECONDS)
      if (engine === 'interpreter') expect(seen.memoryMib).toBeLessThan(LINUX_MEMORY_MIB + MEMORY_OVERHEAD_MIB)
      const { instructions } = JSON.parse(readFileSync(stats, 'utf8'))
      process.stderr.write(
        `Linux, ${engine}: ${instructions} instructions, ${seen.cpuSeconds} s of processor time, ${Math.round(seen.memoryMib)} MiB.\n`,
      )
    },
  )

  it('a BIOS boots a disk with GRUB on it, which runs its script', async () => {
    const script = ['serial --unit=0', 'terminal_output serial', 'echo "six times seven is 42"', 'halt'].join('\n')
    writeFileSync(join(folder, 'grub.cfg'), `${script}\n`)
    const modules = join(root, 'usr/lib/grub/i386-pc')
    const core = join(folder, 'core.img')
    execFileSync(
      join(root, 'usr/bin/grub-mkimage'),
      ['-d', modules, '-O', 'i386-pc', '-p', '/grub', '-c', join(folder, 'grub.cfg'), '-o', core].concat(
        'biosdisk serial terminal echo halt'.split(' '),
      ),
      { env: { ...process.env, LD_LIBRARY_PATH: join(root, 'lib/x86_64-linux-gnu') } },
    )
    const disk = Buffer.alloc(DISK_SECTORS * 512)
    Buffer.concat([readFileSync(join(modules, 'boot.img')), readFileSync(core)]).copy(disk)
    writeFileSync(join(folder, 'disk.img'), disk)
    for (const machine of ['isapc', 'pc']) {
      const args = ['--disk', join(folder, 'disk.img'), '--machine', machine, '--max-instructions', BIOS_LIMIT]
      const seen = await converse(['--bios', join(root, 'usr/share/seabios/bios.bin'), ...args])
      expect(seen.printed).toContain('SeaBIOS')
      expect(seen.printed).toContain('six times seven is 42')
      expect(seen.status).toBe(SLEEPS)
      const bochs = ['--bios', join(root, 'usr/share/bochs/BIOS-bochs-legacy'), ...args]
      const other = await converse(bochs, [], 'six times seven is 42')
      expect(other.printed).toContain('six times seven is 42')
    }
  })

  it('GRUB Invaders draws its attackers on the VGA', async () => {
    const screen = join(folder, 'invaders.txt')
    const args = [join(root, 'boot/invaders.exec'), '--max-instructions', INVADERS_LIMIT, '--screen', screen]
    expect((await converse(args)).status).toBe(LIMIT)
    expect(readFileSync(screen, 'utf8')).toMatch(/-\*-.*-\*-/)
  })

  it('memtest86+ draws its screen and passes its first tests', async () => {
    const args = [join(root, 'boot/memtest86+ia32.bin'), '--append', 'console=ttyS0,115200', '--mem', '8M']
    const seen = await converse([...args, '--max-instructions', MEMTEST_LIMIT])
    expect(seen.status).toBe(LIMIT)
    expect(seen.printed).toContain('Memtest86+')
    expect(seen.printed).toMatch(/#5 {2}\[Moving inversions, random pattern/)
    const errors = [...seen.printed.matchAll(/Errors: (\d+)/g)].map(([, count]) => Number(count))
    expect(Math.max(...errors)).toBe(0)
  })
})
