/** Known-wrong sharing services: each a small edit of the solution, with what its author believed. */
import { type Mutant, mutantsOf } from '../../../grader/contract/lab.ts'
import type { Variant } from '../public/variant.ts'

const SERVICE = 'reference/mmu/sharing.ts'
const TABLE = 'reference/mmu/frame-table.ts'

const mutant = mutantsOf<Variant>(SERVICE)

const zeroFrameUsed = ({ zeroPages }: Variant) => zeroPages === 'host'
const zerosNotOrdinary = ({ zeroPages }: Variant) => zeroPages !== 'ordinary'
const serviceCopies = ({ copies }: Variant) => copies === 'service'
const inOrder = ({ scanOrder }: Variant) => scanOrder !== 'random'

const JOINS = '        if (!this.#guard([page], () => this.#host.compare(pfn, other))) continue\n'
const PAIRS = '        () => this.#host.compare(pfn, other) && this.#host.hash([other])[0] === hash,\n'
const FLUSHES = '    for (const vm of new Set(pages.map(({ vm }) => vm))) this.#host.flush(vm)\n'
const UNPROTECTS =
  '    if (!answer) for (const page of pages) this.#map(page, this.#vm(page.vm).pfns[page.gfn]!, true)\n'
const COUNTS_JOINED = '    else this.#table.setCount(frame, this.#table.count(frame) + 1)\n'
const LAST = "      if (this.#table.kind(pfn) === 'shared') this.#table.remove(pfn)\n"
const OWN_FLUSH = '    this.#map(page, own, true)\n    this.#host.flush(page.vm)\n'

export const mutants: readonly Mutant[] = [
  mutant('hash-is-proof', 'isolation', 'Pages with the same hash are the same.', [
    [JOINS, '        this.#guard([page], always)\n'],
    [PAIRS, '        always,\n'],
    ['/** A fresh service. */\n', 'function always(): boolean {\n  return true\n}\n\n/** A fresh service. */\n'],
  ]),
  mutant('hash-of-shared-is-proof', 'isolation', 'A shared frame has been compared once already.', [
    [JOINS, '        this.#guard([page], () => this.#host.compare(other, other))\n'],
  ]),
  mutant('compares-before-protecting', 'isolation', 'Compare first: most pages need no protection then.', [
    [
      '    for (const page of pages) this.#map(page, this.#vm(page.vm).pfns[page.gfn]!, false)\n    for (const vm of new Set(pages.map(({ vm }) => vm))) this.#host.flush(vm)\n    const answer = question()\n',
      '    const answer = question()\n    for (const page of pages) this.#map(page, this.#vm(page.vm).pfns[page.gfn]!, false)\n    for (const vm of new Set(pages.map(({ vm }) => vm))) this.#host.flush(vm)\n',
    ],
  ]),
  mutant('no-flush-before-comparing', 'isolation', 'The map says read-only, so nobody writes.', [[FLUSHES, '']]),
  mutant('flushes-one-vm', 'isolation', 'Only the page that is looked at needs a flush; the other has been quiet.', [
    [FLUSHES, '    this.#host.flush(pages[0]!.vm)\n'],
  ]),
  mutant('protects-one-page', 'isolation', 'The page with the hint has not changed for a while.', [
    [
      '        [page, partner],\n        () => this.#host.compare(pfn, other)',
      '        [page],\n        () => this.#host.compare(pfn, other)',
    ],
    [
      '      if (!isShared) continue\n',
      '      if (!isShared) continue\n      this.#map(partner, other, false)\n      this.#host.flush(partner.vm)\n',
    ],
  ]),
  mutant('stale-hint-believed', 'isolation', 'A hint says what the page holds.', [
    [PAIRS, '        () => this.#host.hash([other])[0] === hash || this.#host.compare(pfn, other),\n'],
  ]),
  mutant('no-flush-after-copy', 'isolation', 'A copy holds the same, so the TLB may as well keep the old frame.', [
    [OWN_FLUSH, '    this.#map(page, own, true)\n'],
  ]),
  mutant('forgets-to-copy', 'isolation', 'A new frame is a new page.', [
    ['    else this.#copy(pfn, own)\n', '    else this.#host.clear(own)\n'],
  ]),
  mutant(
    'copies-half-a-page',
    'isolation',
    'Two thousand bytes and some should be enough.',
    [['this.#host.write(to, this.#host.read(from))', 'this.#host.write(to, this.#host.read(from).fill(0, 4088))']],
    serviceCopies,
  ),
  mutant('fault-answered-too-early', 'isolation', 'The last sharer will get its frame when the scan comes by.', [
    [
      LAST,
      "      if (this.#table.kind(pfn) === 'shared') {\n        this.#table.remove(pfn)\n        return true\n      }\n",
    ],
  ]),
  mutant(
    'stays-read-only',
    'isolation',
    'Whoever writes to a page that was not shared after all gets a fault, and that is that.',
    [
      [UNPROTECTS, ''],
      [
        '    if (!isZero && this.#table.count(pfn) <= 1) {\n',
        '    if (!isZero && this.#table.count(pfn) === 0) return true\n    if (!isZero && this.#table.count(pfn) <= 1) {\n',
      ],
    ],
  ),
  mutant(
    'first-hint-only',
    'sharing',
    'One look at a hint is enough; if it is stale, the page waits for the next.',
    [['      if (!isShared) continue\n', '      if (!isShared) return\n']],
    inOrder,
  ),
  mutant('key-from-before', 'sharing', 'The hash of the scan is the hash of what is shared.', [
    [PAIRS, '        () => this.#host.compare(pfn, other),\n'],
  ]),
  mutant('no-hints', 'sharing', 'Pages are compared with shared frames; the first of them will be there some day.', [
    [
      '    this.#table.putHint(pfn, hash, page.vm, page.gfn)\n',
      '    if (pfn < 0) this.#table.putHint(pfn, hash, page.vm, page.gfn)\n',
    ],
  ]),
  mutant(
    'zeros-like-others',
    'sharing',
    'Zeros are contents like any others.',
    [["hash === this.#zeroHash && SHARING_VARIANT.zeroPages !== 'ordinary'", 'hash === this.#zeroHash && hash < 0']],
    zerosNotOrdinary,
  ),
  mutant('page-out-without-a-look', 'sharing', 'Whether a page is shared is in the table; the scan has looked at it.', [
    ['    if (this.#isCandidate(page)) this.#tryToShare(page, this.#host.hash([this.#vm(vm).pfns[gfn]!])[0]!)\n', ''],
    ['    const page = { vm, gfn }\n    const pfn', '    const pfn'],
  ]),
  mutant(
    'hash-of-32-bits',
    'sharing',
    'A hash is an integer, and an integer has 32 bits.',
    [
      [
        '    this.#records.setUint16(at + HASH_AT + 4, Math.floor(hash / 2 ** 32), true)\n',
        '    this.#records.setUint16(at + HASH_AT + 4, 0, true)\n',
      ],
    ],
    ({ hashBits }) => hashBits === 48,
    TABLE,
  ),
  mutant(
    'scans-from-the-start',
    'scan',
    'Every tick begins at the first page.',
    [['    this.#next = order[(start + looked) % order.length]!\n', '']],
    inOrder,
  ),
  mutant(
    'scans-one-more',
    'scan',
    'A budget is a guideline.',
    [
      [
        '    const looked = Math.min(budget, order.length)\n',
        '    const looked = Math.min(budget + 1, order.length)\n',
      ],
    ],
    inOrder,
  ),
  mutant(
    'draws-twice',
    'scan',
    'Random is random: one number more does no harm.',
    [['this.#host.random(budget, order.length)', 'this.#host.random(budget + 1, order.length).slice(1)']],
    ({ scanOrder }) => scanOrder === 'random',
  ),
  mutant('count-off-by-one', 'frames', 'Two pages share a frame: that is one sharer.', [
    ['      this.#table.setCount(other, 1)\n', '      this.#table.setCount(other, 0)\n'],
  ]),
  mutant('counts-no-joiner', 'frames', 'The count goes up when a frame becomes shared.', [[COUNTS_JOINED, '']]),
  mutant(
    'count-wraps',
    'frames',
    'The bits of a count are enough.',
    [
      [
        '    this.#records.setUint16(pfn * RECORD_BYTES, Math.min(count, largest), true)\n',
        '    this.#records.setUint16(pfn * RECORD_BYTES, count % (largest + 1), true)\n',
      ],
      [
        '    if (count > largest) this.#overflowed.set(pfn, count - largest)\n    else',
        '    if (count >= 0) this.#overflowed.delete(pfn)\n    else',
      ],
    ],
    undefined,
    TABLE,
  ),
  mutant(
    'count-sticks',
    'frames',
    'What has overflowed once is popular for ever.',
    [['    else this.#overflowed.delete(pfn)\n', '    else if (count === 0) this.#overflowed.delete(pfn)\n']],
    undefined,
    TABLE,
  ),
  mutant('last-sharer-copies', 'frames', 'A frame in the table of shared frames is shared.', [
    [
      '    if (!isZero && this.#table.count(pfn) <= 1) {\n',
      "    if (!isZero && this.#table.kind(pfn) !== 'shared') {\n",
    ],
    ['    this.#letGo(pfn)\n    return true\n', '    if (this.#letGo(pfn)) this.#host.free([pfn])\n    return true\n'],
  ]),
  mutant('frees-while-mapped', 'frames', 'A VM ends, and so do its frames.', [
    ['.filter((pfn) => this.#letGo(pfn)))', '.filter((pfn) => this.#letGo(pfn) || pfn !== this.#zeroFrame))'],
  ]),
  mutant('leaks-shared-frames', 'frames', 'A shared frame stays for whoever comes next.', [
    ['    return left <= 0\n', '    return left < 0\n'],
  ]),
  mutant('hint-outlives-its-vm', 'frames', 'Hints are only hints; they may stay.', [
    [
      '    else this.#table.remove(pfn)\n    return left <= 0\n',
      '    else if (left === 0) this.#table.remove(pfn)\n    return left <= 0\n',
    ],
  ]),
  mutant('stats-count-pages', 'frames', 'What is shared is what has been won.', [
    ['reclaimed: pages - frames + this.#zeroPages', 'reclaimed: pages - alone + this.#zeroPages + 0 * frames'],
  ]),
  mutant(
    'zero-frame-forgotten',
    'frames',
    'The zero frame is the host’s; its pages are none of our business.',
    [['    if (frame === this.#zeroFrame) this.#zeroPages++\n', '    if (frame === this.#zeroFrame) return\n']],
    zeroFrameUsed,
  ),
  mutant('old-contents', 'host', 'A new frame is empty.', [['    this.#host.clear(pfn)\n', '']]),
  mutant('keeps-what-is-given-up', 'host', 'Perhaps the guest wants its page back.', [
    [
      '    if (pfn === NO_FRAME) return\n    this.#host.unmap',
      '    if (pfn !== NO_FRAME) return\n    this.#host.unmap',
    ],
  ]),
  mutant('pins-shared-pages', 'host', 'A device writes to where the page is.', [
    ['    if (on && !this.#makeOwn({ vm, gfn })) return false\n', ''],
  ]),
  mutant('shares-pinned-pages', 'host', 'A pinned page is a page.', [
    [' && !pinned[gfn]', ' && pinned[gfn] !== undefined'],
  ]),
  mutant('gives-up-early', 'host', 'Without a free frame nothing can be written.', [
    [
      '    const isZero = pfn === this.#zeroFrame\n',
      '    const spare = this.#host.allocate()\n    if (spare === NO_FRAME) return false\n    this.#host.free([spare])\n    const isZero = pfn === this.#zeroFrame\n',
    ],
  ]),
  mutant('uses-frame-minus-one', 'host', 'There is always a free frame.', [
    ['    if (own === NO_FRAME) return false\n', ''],
  ]),
  mutant(
    'counts-are-lost',
    'life',
    'A new service finds out for itself what is shared.',
    [['    new Uint8Array(this.#records.buffer).set(bytes.subarray(OWN_BYTES, end))\n', '']],
    undefined,
    TABLE,
  ),
  mutant(
    'chains-are-lost',
    'life',
    'The records are all there is.',
    [
      [
        "      if (this.kind(pfn) !== 'none') this.#link(pfn)\n",
        "      if (this.kind(pfn) === 'hint') this.#link(pfn)\n",
      ],
    ],
    undefined,
    TABLE,
  ),
  mutant('pins-are-lost', 'life', 'Devices will pin again what they use.', [
    ['pinned: [...pinned] })', 'pinned: pinned.map(() => false) })'],
  ]),
  mutant('looks-at-shared-pages', 'efficiency', 'Every page is worth a look.', [
    [
      '    const hashes = this.#host.hash(',
      "    const looked = this.#vms.size > 0 ? chosen.length : 0\n    this.#host.hash([...this.#vms.values()].flatMap(({ pfns }) => pfns.filter((pfn) => pfn >= 0 && this.#table.kind(pfn) === 'shared')).slice(0, 4 + looked))\n    const hashes = this.#host.hash(",
    ],
  ]),
  mutant('flushes-everybody', 'efficiency', 'Better one flush too many.', [
    [FLUSHES, '    for (const vm of this.#vms.keys()) for (let n = 0; n < 3; n++) this.#host.flush(vm)\n'],
  ]),
  mutant('compares-twice', 'efficiency', 'A comparison that counts is made twice.', [
    ['    const answer = question()\n', '    const answer = question() && question()\n'],
  ]),
]
