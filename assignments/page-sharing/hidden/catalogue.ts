/**
 * VMs with as many equal pages as those of the paper had (Waldspurger, OSDI 2002, §4.4), a page for each megabyte or
 * each hundredth of a VM. That ten identical VMs give back what they do follows from the mechanism; of the three real
 * mixes only the accounting can be repeated here, since what stood in their pages is not known.
 */

/** A mix as the paper's table has it, in megabytes. */
export interface Mix {
  readonly vms: number
  readonly total: number
  readonly shared: number
  readonly reclaimed: number
  /** Of what was reclaimed, pages of zeros. */
  readonly zeros: number
}

const PAGES_OF_A_VM = 100
/** Of each VM's pages: common to all VMs, and among them twice in each. */
const COMMON = 67

/** Ten VMs, 67 % of whose pages are equal to one in each of the others. */
export function identicalVms(vms: number): number[][] {
  return Array.from({ length: vms }, (_, vm) =>
    Array.from({ length: PAGES_OF_A_VM }, (_, gfn) => (gfn < COMMON ? 1 + gfn : 1000 * (vm + 1) + gfn)),
  )
}

/**
 * Pages with the multiplicities of a mix: `shared` pages stand in `shared − reclaimed` frames, the others are each one of a
 * kind. Zeros are one of the contents; the rest is spread as evenly as it goes.
 */
export function catalogue({ vms, total, shared, reclaimed, zeros }: Mix): number[][] {
  const contents: number[] = []
  const zeroPages = zeros > 0 ? zeros + 1 : 0
  for (let n = 0; n < zeroPages; n++) contents.push(0)
  const classes = shared - reclaimed - (zeros > 0 ? 1 : 0)
  for (let n = 0; n < shared - zeroPages; n++) contents.push(1 + (n % classes))
  for (let n = contents.length; n < total; n++) contents.push(100_000 + n)
  return Array.from({ length: vms }, (_, vm) => contents.filter((_, n) => n % vms === vm))
}
