/**
 * Bits of the control registers (Intel SDM vol. 3A §2.5) that this processor knows.
 */
export const CR0_PE = 1
export const CR0_MP = 2
export const CR0_EM = 4
export const CR0_TS = 8
/** Always 1 since the 486DX. */
export const CR0_ET = 0x10
export const CR0_NE = 0x20
export const CR0_WP = 0x1_0000
export const CR0_AM = 0x4_0000
export const CR0_NW = 0x2000_0000
export const CR0_CD = 0x4000_0000
export const CR0_PG = 0x8000_0000 | 0

export const CR4_TSD = 4
export const CR4_DE = 8
export const CR4_PSE = 0x10
export const CR4_MCE = 0x40
export const CR4_PGE = 0x80
export const CR4_PCE = 0x100

/** Bits that MOV to CR0 can set; the others stay 0. */
export const CR0_WRITABLE = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG
