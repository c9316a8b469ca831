/** Known-wrong shadow MMUs: each a small edit of the solution, with what its author believed. */
import { type Mutant, mutantsOf } from '../../../grader/contract/lab.ts'
import type { Variant } from '../public/variant.ts'

const EVENTS = 'reference/mmu/shadow.ts'
const CACHE = 'reference/mmu/shadow-cache.ts'

const mutant = mutantsOf<Variant>(EVENTS)

const cacheMutant = mutantsOf<Variant>(CACHE)

const eager = ({ flush }: Variant) => flush === 'eager'
const lazy = ({ flush }: Variant) => flush === 'lazy'
const hasLarge = ({ largeEntries }: Variant) => largeEntries
const splits = ({ largeEntries }: Variant) => !largeEntries
const hasGlobal = ({ globalEntries }: Variant) => globalEntries

const SMALL_RIGHTS = '    const rights = pde & pte & RIGHTS\n    if (!this.#allows'
const SMALL_BITS = '    this.#setBits([\n      [pdeAt, pde, pde | ACCESSED],\n'
const DENIED = '    if (!this.#allows(rights, access)) return inject(FAULT_PRESENT)\n'
const FLUSHES_TRACED =
  '    if ((this.#staleLocal && !localGo) || this.#staleGlobal || pages.length > MANY_PAGES) this.flushAll()\n    else for (const gva of pages) this.flushPage(gva)\n'

export const mutants: readonly Mutant[] = [
  mutant('rights-of-the-table-only', 'translation', 'The entry that maps a page says who may use it.', [
    [SMALL_RIGHTS, '    const rights = pte & RIGHTS\n    if (!this.#allows'],
  ]),
  mutant(
    'protection-is-a-true-fault',
    'translation',
    'P = 1 in the error code: the page is there, so the guest has no right to it.',
    [
      [
        '    const pdeAt = this.#entryAt(this.#cr3 ?? 0, gva >>> 22)\n    const pde',
        '    if ((error & FAULT_PRESENT) !== 0) return inject(FAULT_PRESENT)\n    const pdeAt = this.#entryAt(this.#cr3 ?? 0, gva >>> 22)\n    const pde',
      ],
    ],
  ),
  mutant('maps-what-is-not-there', 'translation', 'Every guest frame has a frame.', [
    [
      '    const [frame = -1] = this.#machine.frames([gfn])\n    if (frame < 0) return',
      '    const [frame = -1] = this.#machine.frames([gfn])\n    if (frame < -1) return',
    ],
  ]),
  mutant('device-at-the-page', 'translation', 'A device is at a page.', [
    [
      "    if (frame < 0) return { do: 'mmio', gpa }",
      "    if (frame < 0) return { do: 'mmio', gpa: (gpa & PAGE_MASK) >>> 0 }",
    ],
  ]),
  mutant('error-code-without-p', 'faults', 'A page fault is a page fault.', [
    [DENIED, '    if (!this.#allows(rights, access)) return inject(0)\n'],
  ]),
  mutant('reserved-bits-are-ignored', 'faults', 'Nobody sets reserved bits.', [
    ['    if (pageSizeExtensions && (pte & TABLE_RESERVED) !== 0) return inject(FAULT_PRESENT | FAULT_RESERVED)\n', ''],
    [
      '      if ((pde & LARGE_RESERVED) !== 0) return inject(FAULT_PRESENT | FAULT_RESERVED)\n',
      '      if ((pde & LARGE_RESERVED) !== 0) return inject(FAULT_PRESENT)\n',
    ],
  ]),
  mutant('user-reads-of-the-kernel', 'faults', 'Reading does no harm.', [
    ['    return mayWrite && (rights & USER) !== 0\n', '    return mayWrite && (!write || (rights & USER) !== 0)\n'],
  ]),
  mutant('denied-sets-accessed', 'marks', 'The processor has looked at the entry, so it was accessed.', [
    [
      SMALL_RIGHTS,
      '    this.#setBits([[pdeAt, pde, pde | ACCESSED]])\n    const rights = pde & pte & RIGHTS\n    if (!this.#allows',
    ],
  ]),
  mutant('directory-is-not-accessed', 'marks', 'Only pages are accessed.', [[SMALL_BITS, '    this.#setBits([\n']]),
  mutant('reads-make-dirty', 'marks', 'Setting both bits at once saves an exit.', [
    ['const newPte = pte | ACCESSED | (access.write ? DIRTY : 0)', 'const newPte = pte | ACCESSED | DIRTY'],
  ]),
  mutant('writable-while-clean', 'marks', 'What may be written to may be mapped so.', [
    ['    const writable = dirty ? WRITABLE : 0\n', '    const writable = dirty || !dirty ? WRITABLE : 0\n'],
  ]),
  mutant('prefetches-what-was-not-used', 'marks', 'What is present can be mapped before it is asked for.', [
    ['(pte & (PRESENT | ACCESSED)) === (PRESENT | ACCESSED)', '(pte & PRESENT) !== 0'],
  ]),
  cacheMutant(
    'cleared-bits-are-no-change',
    'marks',
    'Accessed and dirty bits have nothing to do with where a page is.',
    [[' && (before & ~now & SET_BY_WALK) === 0', '']],
  ),
  mutant('invlpg-leaves-the-tlb', 'flushes', 'The shadow is the TLB.', [['    else cache.flushPage(gva)\n', '']]),
  mutant('invlpg-does-not-compare', 'flushes', 'Whatever is wrong will fault.', [
    ['      cache.follow(leaf, index, now)\n', '      cache.follow(leaf, index, leaf.from.get(index) ?? now)\n'],
  ]),
  mutant('cr3-does-not-compare', 'flushes', 'Another directory has other tables.', [
    ['    this.#cache.syncAll()\n', ''],
  ]),
  mutant(
    'does-not-flush',
    'flushes',
    'The guest will flush what it must.',
    [
      [
        "    if (dropped && SHADOW_VARIANT.flush === 'eager') cache.flushAll()\n",
        "    if (dropped && SHADOW_VARIANT.flush !== 'eager') cache.done()\n",
      ],
    ],
    eager,
  ),
  mutant(
    'flushes-to-be-sure',
    'flushes',
    'It cannot be wrong to flush.',
    [
      [
        "    if (dropped && SHADOW_VARIANT.flush === 'eager') cache.flushAll()\n",
        '    if (dropped) cache.flushAll()\n',
      ],
    ],
    lazy,
  ),
  mutant(
    'global-without-pge',
    'flushes',
    'G is G.',
    [
      [
        '    const global = globalPages && (newPte & GLOBAL) !== 0\n    const mapping = { rights, dirty: (newPte',
        '    const global = (globalPages || !globalPages) && (newPte & GLOBAL) !== 0\n    const mapping = { rights, dirty: (newPte',
      ],
    ],
    hasGlobal,
  ),
  mutant(
    'nothing-is-global',
    'flushes',
    'A flush too many is never wrong.',
    [
      [
        '(global && SHADOW_VARIANT.globalEntries ? GLOBAL : 0)',
        '(global && !SHADOW_VARIANT.globalEntries ? GLOBAL : 0)',
      ],
    ],
    hasGlobal,
  ),
  cacheMutant('directories-may-be-unsync', 'flushes', 'A directory is a table like any other.', [
    ['    for (const { level } of shadows) if (level === 2) return false\n', ''],
  ]),
  cacheMutant('aliases-stay-writable', 'traces', 'A table is written to where it is mapped as a table.', [
    ['      this.#write(shadow, index, spte & ~WRITABLE)\n', ''],
  ]),
  mutant('new-aliases-are-writable', 'traces', 'What is protected once stays protected.', [
    ['(traced ? bits & ~WRITABLE : bits)', '(traced ? bits | 0 : bits)'],
  ]),
  cacheMutant('protects-without-flush', 'traces', 'The entry says that it is read-only now.', [[FLUSHES_TRACED, '']]),
  cacheMutant(
    'trusts-the-reverse-map',
    'traces',
    'The reverse map knows every place from which a frame can be written to.',
    [['(this.#staleLocal && !localGo) || this.#staleGlobal || pages', 'pages']],
    lazy,
  ),
  mutant('devices-do-not-write-directories', 'traces', 'Only the processor writes to directories.', [
    [
      '      for (const [i, now] of words.entries()) dropped',
      '      if (shadow.level === 2) continue\n      for (const [i, now] of words.entries()) dropped',
    ],
  ]),
  mutant('one-word-at-a-time', 'traces', 'A write is of one entry.', [
    ['for (const [i, now] of words.entries()) dropped', 'for (const [i, now] of words.slice(0, 1).entries()) dropped'],
  ]),
  mutant('wp-is-always-one', 'modes', 'Read-only is read-only.', [
    ['    if (!user) return mayWrite || !this.#paging.writeProtect\n', '    if (!user) return mayWrite\n'],
  ]),
  mutant('wp-zero-lets-users-write', 'modes', 'With WP = 0 the page can be written to.', [
    [
      '    if (!isUser || (access.write && !access.user)) return base | writable\n',
      '    if (!isUser || (access.write && !access.user)) return base | (rights & USER) | writable\n',
    ],
  ]),
  cacheMutant('wp-is-not-in-the-role', 'modes', 'A table is shadowed once.', [
    [
      'const { gfn, level, direct, access, writeProtect } = role\n',
      'const { gfn, level, direct, access } = role\n    const writeProtect = true\n',
    ],
  ]),
  mutant('pse-changes-nothing', 'modes', 'CR4 is written once, at the start.', [
    ['    if (isOther) this.#cache.zapAll()\n', '    if (isOther && this.#cr3 === undefined) this.#cache.zapAll()\n'],
  ]),
  mutant('large-reserved-bits', 'modes', 'The upper ten bits say where it is.', [
    ['      if ((pde & LARGE_RESERVED) !== 0) return inject(FAULT_PRESENT | FAULT_RESERVED)\n', ''],
    ['    const first = pde >>> FRAME_SHIFT\n', '    const first = (pde & ~LARGE_RESERVED) >>> FRAME_SHIFT\n'],
  ]),
  mutant(
    'large-over-a-table',
    'modes',
    'An entry of 4 MiB needs frames in a row, and no more.',
    [['SHADOW_VARIANT.largeEntries && !cache.tracesAny(first) ?', 'SHADOW_VARIANT.largeEntries ?']],
    hasLarge,
  ),
  mutant(
    'large-clean-and-dirty-are-one',
    'modes',
    'The pieces of a large page have no dirty bits of their own.',
    [['access: newPde & (RIGHTS | DIRTY | GLOBAL)', 'access: newPde & (RIGHTS | GLOBAL)']],
    splits,
  ),
  mutant(
    'invlpg-of-a-piece',
    'modes',
    'INVLPG is about one page.',
    [
      [
        '    if (leaf?.direct === true || this.#isLarge(gva)) cache.flushAll()\n    else cache',
        '    if (leaf?.direct === true && !this.#isLarge(gva)) cache.flushAll()\n    else cache',
      ],
    ],
    splits,
  ),
  mutant('access-is-not-in-the-role', 'reuse', 'A table is shadowed once, whoever leads to it.', [
    ['direct: false, access: pde & RIGHTS })', 'direct: false, access: RIGHTS })'],
  ]),
  cacheMutant('parents-are-forgotten', 'reuse', 'A page that is recycled is not used any more.', [
    ['    for (const { shadow: parent, index } of [...shadow.parents]) this.drop(parent, index)\n', ''],
  ]),
  cacheMutant('one-page-too-many', 'reuse', 'When there is no room, one goes.', [
    [
      'if (this.#byPage.size >= SHADOW_VARIANT.maxShadowPages) this',
      'if (this.#byPage.size > SHADOW_VARIANT.maxShadowPages) this',
    ],
  ]),
  mutant('nothing-is-kept', 'large', 'A new directory is a new address space.', [
    ['    this.#cr3 = cr3\n', '    this.#cr3 = cr3\n    this.#cache.zapAll()\n'],
  ]),
  mutant('every-write-is-emulated', 'large', 'A table must be traced, always.', [
    ['return !this.#cache.isTraced(gfn) || this.#cache.unsync(gfn)', 'return !this.#cache.isTraced(gfn)'],
  ]),
  mutant('no-prefetch', 'large', 'What is needed will fault.', [
    ['    this.#prefetch(leaf, index, start, around, pde)\n', ''],
  ]),
  mutant(
    'always-splits',
    'large',
    'Small pages do everything that large ones do.',
    [['SHADOW_VARIANT.largeEntries && !cache.tracesAny(first) ?', 'SHADOW_VARIANT.largeEntries && first < 0 ?']],
    hasLarge,
  ),
  mutant('once-a-directory', 'large', 'What was a directory will be one again.', [
    ['++shadow.writes > FLOOD', '++shadow.writes > 1e9'],
  ]),
  cacheMutant('the-newest-goes', 'large', 'What was there first has the older rights.', [
    ['shadow.used < victim.used', 'shadow.used > victim.used'],
  ]),
]
