/** Unusual right sharing services, each a whole `src/sharing.ts` or one with edits: the suites must accept all of them. */
import type { AnyLab } from '../../../grader/contract/lab.ts'

const PLAIN_MAPS = 'plain-maps.ts'

export const benign: AnyLab['benign'] = [
  {
    id: 'plain-maps',
    story: 'Everything is in maps, pages know their partners, and the frame table is made only when it is asked for.',
    file: PLAIN_MAPS,
  },
  {
    id: 'protects-first',
    story:
      'Whatever is looked at is read-only before it is hashed, and hints are left behind when the service is replaced.',
    file: PLAIN_MAPS,
    edits: [
      [
        '  #frames = 0\n',
        `  /** Pages that stay read-only until the tick is over. */
  #batch = new Set<Page>()
  #frames = 0
`,
      ],
      [
        `    let left = budget
    for (const page of this.#next(budget)) {
      if (left-- === 0) break
      if (this.#isPrivate(page)) this.#look(page, this.#host.hash([page.pfn])[0]!)
    }
`,
        `    const pages = [...new Set(this.#next(budget))].filter((page) => this.#isPrivate(page))
    this.#batch = new Set(pages)
    this.#freeze(pages)
    const hashes = this.#host.hash(pages.map(({ pfn }) => pfn))
    for (const [i, page] of pages.entries()) if (this.#isPrivate(page)) this.#look(page, hashes[i]!)
    this.#batch.clear()
    this.#thaw(pages.filter((page) => this.#isPrivate(page)))
`,
      ],
      [
        '    const page = this.#page(vm, gfn)\n    if (this.#isPrivate(page)) this.#look(page, this.#host.hash([page.pfn])[0]!)\n',
        `    const page = this.#page(vm, gfn)
    if (this.#isPrivate(page)) {
      this.#freeze([page])
      this.#look(page, this.#host.hash([page.pfn])[0]!)
      if (this.#isPrivate(page)) this.#thaw([page])
    }
`,
      ],
      [
        '  #look(page: Page, hash: number): void {\n',
        '  /** Looks for partners of a page that is read-only while this lasts. */\n  #look(page: Page, hash: number): void {\n',
      ],
      [
        `      this.#freeze([page])
      const isZero = this.#host.compare(page.pfn, this.#zeroFrame)
      if (isZero && SHARING_VARIANT.zeroPages === 'host') {
`,
        "      if (this.#host.compare(page.pfn, this.#zeroFrame)) {\n        if (SHARING_VARIANT.zeroPages === 'private') return\n",
      ],
      ['      this.#thaw([page])\n      if (isZero) return\n', ''],
      [
        `      if (shared.hash !== hash) continue
      this.#freeze([page])
      if (this.#host.compare(page.pfn, pfn)) {
        this.#join(page, pfn)
        return
      }
      this.#thaw([page])
`,
        `      if (shared.hash !== hash || !this.#host.compare(page.pfn, pfn)) continue
      this.#join(page, pfn)
      return
`,
      ],
      [
        `      this.#freeze([page, other])
      const isSame = this.#host.compare(page.pfn, other.pfn) && this.#host.hash([page.pfn])[0] === hash
      if (isSame) {
`,
        '      this.#freeze([other])\n      if (this.#host.compare(page.pfn, other.pfn)) {\n',
      ],
      ['      this.#thaw([page, other])\n', '      if (!this.#batch.has(other)) this.#thaw([other])\n'],
    ],
  },
  {
    id: 'eagerly-private',
    story: 'A page that has lost its last partner is writable again at once, without waiting for a fault.',
    file: PLAIN_MAPS,
    edits: [
      [
        `    this.#zeros.delete(page)
    group?.pages.delete(page)
    return true
  }
`,
        `    this.#zeros.delete(page)
    this.#leave(page, pfn)
    return true
  }

  /** One page less shares a frame; a page that is left alone with it has it for itself. */
  #leave(page: Page, pfn: number): void {
    const group = this.#shared.get(pfn)
    if (group === undefined) return
    group.pages.delete(page)
    if (group.pages.size > 1) return
    this.#shared.delete(pfn)
    for (const last of group.pages) {
      this.#put(last, pfn, true)
      this.#host.flush(last.vm)
    }
  }
`,
      ],
      ['    group?.pages.delete(page)\n    page.pfn = -1\n', '    this.#leave(page, pfn)\n    page.pfn = -1\n'],
      ['    if (group?.pages.size === 0) this.#shared.delete(pfn)\n', ''],
    ],
  },
  {
    id: 'hashes-again',
    story: 'A hinted page is hashed anew before it is compared, and the frame of the page that came last is kept.',
    file: PLAIN_MAPS,
    edits: [
      [
        `      this.#freeze([page, other])
      const isSame = this.#host.compare(page.pfn, other.pfn) && this.#host.hash([page.pfn])[0] === hash
      if (isSame) {
        this.#shared.set(other.pfn, { hash, pages: new Set([other]) })
        this.#join(page, other.pfn)
        return
      }
      this.#thaw([page, other])
`,
        `      this.#freeze([other])
      if (this.#host.hash([other.pfn])[0] === hash) {
        this.#freeze([page])
        if (this.#host.compare(page.pfn, other.pfn)) {
          this.#shared.set(page.pfn, { hash, pages: new Set([page]) })
          this.#join(other, page.pfn)
          return
        }
        this.#thaw([page])
      }
      this.#thaw([other])
`,
      ],
    ],
  },
]
