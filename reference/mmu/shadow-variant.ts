/** The parameters of the shadow MMU: what one variant of the lab asks for, and what the reference machine uses. */

export interface ShadowVariant {
  /** How many shadow pages there may be, the root among them. */
  readonly maxShadowPages: number
  /** What `guestWrote` does with translations in the TLB: `eager` flushes those that are wrong now, `lazy` leaves all to the guest's own flush. */
  readonly flush: 'eager' | 'lazy'
  /** Shadow tables may hold entries of 4 MiB. */
  readonly largeEntries: boolean
  /** Shadow entries have a G bit, and the TLB keeps global pages over `setRoot`. */
  readonly globalEntries: boolean
  /** A fault fills in as many neighbours as stand in one aligned block of so many entries. */
  readonly prefetch: number
}

export const SHADOW_VARIANT: ShadowVariant = {
  maxShadowPages: 1024,
  flush: 'lazy',
  largeEntries: false,
  globalEntries: true,
  prefetch: 16,
}
