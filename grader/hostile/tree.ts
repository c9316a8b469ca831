/** Folders that are no plain tree of files, or that bring along what tools obey: nothing of it is read, run or followed. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeTree } from '../files.ts'
import { gainsNothing, type Hostile, IMPORT_REFUSED, inBrief, inFamily, KEEPS_ALL, NOT_READABLE } from './hostile.ts'
import type { Kit } from './kit.ts'

/** Larger than any submission: a sparse file, so that it costs the disk nothing. */
const HUGE_BYTES = 300 << 20

/** A folder that a function fills. */
const directory = (build: (folder: string, kit: Kit) => void) => (kit: Kit) =>
  ({ kind: 'directory', build: (folder: string) => build(folder, kit) }) as const

/** The right submission with more files beside it. */
const beside = (more: (kit: Kit) => Iterable<readonly [string, string | Uint8Array]>) =>
  directory((folder, kit) => {
    writeTree(folder, kit.right)
    writeTree(folder, more(kit))
  })

/** A program that leaves the mark, for whatever would run it. */
const touch = ({ bait }: Kit) => `#!/bin/sh\ntouch /tmp/${bait.mark}\n`
const touchInNode = ({ bait }: Kit) => `require('node:fs').writeFileSync('/tmp/${bait.mark}', 'x')\n`

/** What a module of its own may put in the place of the platform's. */
const firstPlatformFile = ({ lab }: Kit) =>
  lab.platform.find((path) => path.endsWith('.ts')) ?? 'grader/contract/index.ts'

export const tree: readonly Hostile[] = inFamily(
  'tree',
  inBrief([
    {
      id: 'symlink-entry',
      tries: 'Has a symbolic link to a secret in the entry’s place.',
      submission: directory((folder, { entry, bait }) => {
        writeTree(folder, [['src/readme', '']])
        symlinkSync(bait.secretFile, join(folder, entry))
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'symlink-folder',
      tries: 'Has a symbolic link to a folder full of files in the place of src.',
      submission: directory((folder, { bait }) => symlinkSync(dirname(bait.secretFile), join(folder, 'src'))),
      expect: NOT_READABLE,
    },
    {
      id: 'symlink-to-itself',
      tries: 'Has links that lead to each other without end.',
      submission: directory((folder, { entry }) => {
        mkdirSync(join(folder, 'src'))
        symlinkSync('other.ts', join(folder, entry))
        symlinkSync(entry, join(folder, 'src/other.ts'))
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'symlink-to-standard-input',
      tries: 'Links the entry to /dev/stdin and /proc/self/fd/0, which a reader would wait on.',
      submission: directory((folder, { entry }) => {
        mkdirSync(join(folder, 'src'))
        symlinkSync('/proc/self/fd/0', join(folder, entry))
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'hard-link',
      tries: 'Has its right entry as a hard link to a file elsewhere: still a plain file, and its text is what counts.',
      submission: directory((folder, kit) => {
        writeTree(folder, kit.right)
        linkSync(join(folder, kit.entry), join(folder, 'elsewhere'))
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'fifo-entry',
      tries: 'Has a FIFO in the entry’s place, on which a reader waits for ever.',
      submission: directory((folder, { entry }) => {
        mkdirSync(join(folder, 'src'))
        execFileSync('mkfifo', [join(folder, entry)])
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'folder-entry',
      tries: 'Has a folder in the entry’s place.',
      submission: directory((folder, { entry }) => mkdirSync(join(folder, entry), { recursive: true })),
      expect: NOT_READABLE,
    },
    {
      id: 'file-for-folder',
      tries: 'Has a file in the place of src.',
      submission: directory((folder) => writeFileSync(join(folder, 'src'), 'x')),
      expect: NOT_READABLE,
    },
    {
      id: 'nothing-there',
      tries: 'Is an empty folder.',
      submission: directory(() => {}),
      expect: NOT_READABLE,
    },
    {
      id: 'huge-entry',
      tries: 'Has an entry of 300 MB.',
      submission: directory((folder, { entry }) => {
        writeTree(folder, [[entry, 'export const x = 1\n']])
        truncateSync(join(folder, entry), HUGE_BYTES)
      }),
      expect: NOT_READABLE,
    },
    {
      id: 'huge-neighbour',
      tries: 'Has a file of 300 MB beside a right entry, which nobody needs to read.',
      submission: directory((folder, kit) => {
        writeTree(folder, kit.right)
        writeTree(folder, [['src/data.bin', '']])
        truncateSync(join(folder, 'src/data.bin'), HUGE_BYTES)
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'no-utf8',
      tries: 'Has an entry that is no UTF-8.',
      submission: directory((folder, { entry }) => writeTree(folder, [[entry, Uint8Array.of(0x78, 0xff, 0xc0, 0x80)]])),
      expect: NOT_READABLE,
    },
    {
      id: 'nul-in-text',
      tries: 'Has NULs in its text, where some readers would stop.',
      submission: directory((folder, kit) =>
        writeTree(folder, [[kit.entry, `${kit.right.get(kit.entry)}\0export {}\n`]]),
      ),
      expect: NOT_READABLE,
    },
    {
      id: 'own-settings',
      tries:
        'Brings its own settings for every tool: package.json, tsconfig, vitest, esbuild, npm, biome, environment.',
      submission: beside((kit) => [
        [
          'package.json',
          `{"type":"commonjs","scripts":{"preinstall":"touch /tmp/${kit.bait.mark}","test":"exit 0","pretest":"touch /tmp/${kit.bait.mark}"},"browser":{"./src/x":"./y"}}`,
        ],
        ['src/package.json', '{"type":"commonjs","sideEffects":false,"exports":{}}'],
        [
          'tsconfig.json',
          '{"extends":"/etc/hostname","compilerOptions":{"strict":false,"plugins":[{"name":"./evil.js"}],"paths":{"*":["./evil/*"]}}}',
        ],
        ['src/tsconfig.json', '{"compilerOptions":{"jsx":"react","target":"ES3","useDefineForClassFields":false}}'],
        ['vitest.config.ts', touchInNode(kit)],
        ['vite.config.js', touchInNode(kit)],
        ['esbuild.config.js', touchInNode(kit)],
        ['evil.js', touchInNode(kit)],
        ['.npmrc', `node-options=--require=./evil.js\nscript-shell=/tmp/x\n`],
        ['.env', 'NODE_OPTIONS=--require=./evil.js\nTRAPFRAME_COURSE_KEY=mine\n'],
        ['.node-version', '0.10\n'],
        ['biome.json', '{"plugins":["./evil.js"]}'],
        ['Makefile', `all:\n\ttouch /tmp/${kit.bait.mark}\n`],
      ]),
      expect: KEEPS_ALL,
    },
    {
      id: 'own-modules',
      tries: 'Brings its own node_modules, with a zod, fast-check and vitest that do as they like.',
      submission: beside((kit) =>
        ['zod', 'fast-check', 'vitest', 'esbuild', 'typescript', 'ts-morph'].flatMap((name) => [
          [`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`] as const,
          [`node_modules/${name}/index.js`, touchInNode(kit)] as const,
        ]),
      ),
      expect: KEEPS_ALL,
    },
    {
      id: 'own-modules-imported',
      tries: 'Imports a package from the node_modules that it brings along.',
      submission: directory((folder, kit) => {
        writeTree(folder, [
          [kit.entry, `import { create as make } from 'mine'\nexport const create = make\n`],
          ['node_modules/mine/package.json', '{"name":"mine","main":"index.ts","types":"index.ts"}'],
          ['node_modules/mine/index.ts', kit.right.get(kit.entry) ?? ''],
          ['src/node_modules/mine/index.ts', kit.right.get(kit.entry) ?? ''],
        ])
      }),
      expect: IMPORT_REFUSED,
    },
    {
      id: 'own-platform',
      tries: 'Brings its own platform folder, whose files would change the answers of wrong code.',
      submission: directory((folder, kit) => {
        const path = firstPlatformFile(kit)
        const wrong = kit.wrong.get(kit.entry) ?? ''
        writeTree(folder, [
          [kit.entry, wrong.replace('// @ts-nocheck', `// @ts-nocheck\nimport '../platform/${path}'`)],
          [`platform/${path}`, "Object.is = () => true\nthrow new Error('the platform of the submission was run')\n"],
        ])
      }),
      expect: gainsNothing(),
    },
    {
      id: 'own-suites',
      tries: 'Brings suites and a rubric of its own that give all points.',
      submission: directory((folder, kit) => {
        writeTree(folder, kit.wrong)
        writeTree(folder, [
          ['test/suite.ts', 'export const laws = []\n'],
          [`assignments/${kit.lab.id}/hidden/laws.ts`, 'export const hiddenLaws = []\n'],
          [`rubrics/${kit.lab.id}.yaml`, `lab: ${kit.lab.id}\npoints: 100\nitems: []\n`],
          ['result.json', '{"points":100,"maxPoints":100}'],
          ['grader/hidden-seed', '1'],
        ])
      }),
      expect: gainsNothing(),
    },
    {
      id: 'manifest-lies',
      tries: 'Says in trapframe.json that it is another lab and variant, with points of its own.',
      submission: beside(() => [
        [
          'trapframe.json',
          '{"lab":"../../etc","seed":"$(touch /tmp/x)","version":"99","points":100,"__proto__":{"points":100}}',
        ],
      ]),
      expect: KEEPS_ALL,
    },
    {
      id: 'manifest-is-a-fifo',
      tries: 'Has a FIFO in the place of trapframe.json.',
      submission: directory((folder, kit) => {
        writeTree(folder, kit.right)
        execFileSync('mkfifo', [join(folder, 'trapframe.json')])
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'another-variant',
      tries: 'Brings the module of the variant’s constants, changed so that another variant would be asked for.',
      submission: beside(({ lab }) => [
        [`src/${lab.variantModule.split('/').at(-1)}`, 'export {}\nthrow new Error("used")\n'],
      ]),
      expect: KEEPS_ALL,
    },
    {
      id: 'types-say-nothing',
      tries: 'Turns the compiler off by comments, beside right code with wrong types.',
      submission: (kit) => ({
        kind: 'files',
        files: new Map([
          ...kit.right,
          [kit.entry, `// @ts-nocheck\n${kit.right.get(kit.entry)}\nexport const wrong: string = 1\n`],
        ]),
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'names-that-steer',
      tries: 'Has files whose names hold escape sequences, markup, line ends and commands.',
      submission: beside(() => [
        ['src/\u001b[31m\u001b]0;owned\u0007.ts', ''],
        ['src/\n::error::owned\n.ts', ''],
        ['src/<img src=x onerror=alert(1)>.ts', ''],
        ['src/--version', ''],
        ['src/$(touch x);`touch x`.ts', ''],
      ]),
      expect: KEEPS_ALL,
    },
    {
      id: 'deep-folders',
      tries: 'Has folders nested a thousand levels deep.',
      submission: directory((folder, kit) => {
        writeTree(folder, kit.right)
        mkdirSync(join(folder, ...Array<string>(1000).fill('d')), { recursive: true })
      }),
      expect: KEEPS_ALL,
    },
    {
      id: 'hooks-in-a-folder',
      tries: 'Has a .git folder with hooks, a file system monitor, aliases and filters that would run programs.',
      submission: beside((kit) => [
        ['.git/HEAD', 'ref: refs/heads/main\n'],
        [
          '.git/config',
          `[core]\n\tfsmonitor = touch /tmp/${kit.bait.mark}\n\thooksPath = hooks\n\tpager = touch /tmp/${kit.bait.mark}\n\tsshCommand = touch /tmp/${kit.bait.mark}\n[alias]\n\tls-tree = !touch /tmp/${kit.bait.mark}\n[filter "x"]\n\tsmudge = touch /tmp/${kit.bait.mark}\n\tclean = touch /tmp/${kit.bait.mark}\n`,
        ],
        ['.git/hooks/post-checkout', touch(kit)],
        ['.git/hooks/pre-commit', touch(kit)],
        ['.gitattributes', '* filter=x\n'],
      ]),
      expect: KEEPS_ALL,
    },
  ]),
)
