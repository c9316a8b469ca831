/** Unusual right shadow MMUs, each the solution with a few edits: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'flushes-more',
    story: 'INVLPG flushes the whole TLB, and each fault the page that it was about.',
    edits: [
      [
        '    if (leaf?.direct === true || this.#isLarge(gva)) cache.flushAll()\n    else cache.flushPage(gva)\n',
        '    cache.flushAll()\n',
      ],
      [
        '    this.#prefetch(leaf, index, start, around, pde)\n    this.#cache.done()\n',
        '    this.#prefetch(leaf, index, start, around, pde)\n    this.#cache.flushPage(gva)\n',
      ],
    ],
  },
  {
    id: 'emulates-first',
    story: 'The first write to a table is done for the guest; after it the guest writes unseen until it flushes.',
    edits: [
      [
        '    const [frame = -1] = this.#machine.frames([gfn])\n    if (frame < 0)',
        '    const wasTraced = this.#cache.isTraced(gfn)\n    const [frame = -1] = this.#machine.frames([gfn])\n    if (frame < 0)',
      ],
      [
        '    return canWrite && !(access.write && this.#cache.isTraced(gfn)) ? RETRY',
        '    const seen = access.write && (wasTraced || this.#cache.isTraced(gfn))\n    return canWrite && !seen ? RETRY',
      ],
    ],
  },
  {
    id: 'compares-more',
    story: 'Whole tables are compared where one entry would do.',
    edits: [
      [
        '      const index = (gva >>> FRAME_SHIFT) & INDEX_MASK\n      const [now = 0] = this.#machine.readGuest(leaf.gfn * 4096 + 4 * index, 1)\n      cache.follow(leaf, index, now)\n',
        '      cache.compare(leaf)\n',
      ],
      [
        '      if (shadow !== cache.root && ++shadow.writes > FLOOD)',
        '      if (!dropped) cache.compare(shadow)\n      if (shadow !== cache.root && ++shadow.writes > FLOOD)',
      ],
    ],
  },
  {
    id: 'wp-by-emulation',
    story: 'With CR0.WP = 0 the kernel’s writes to read-only pages are done for it, one by one.',
    edits: [
      [
        '    this.#cache.done()\n    return canWrite',
        "    this.#cache.done()\n    if (access.write && (rights & WRITABLE) === 0) return { do: 'emulate', gpa }\n    return canWrite",
      ],
      [
        '      cache.done()\n      return RETRY\n',
        "      cache.done()\n      return access.write && (pde & WRITABLE) === 0 ? { do: 'emulate', gpa } : RETRY\n",
      ],
      [
        '    cache.done()\n    return canWrite && !(access.write && cache.isTraced(gfn))',
        "    cache.done()\n    if (access.write && (pde & WRITABLE) === 0) return { do: 'emulate', gpa }\n    return canWrite && !(access.write && cache.isTraced(gfn))",
      ],
      [
        '    if (this.#paging.writeProtect) return base | (rights & USER)\n    if (!isUser || (access.write && !access.user)) return base | writable\n    return base | USER\n',
        '    return base | (rights & USER)\n',
      ],
    ],
  },
]
