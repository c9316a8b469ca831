/**
 * Where everything lies in the machine's one linear memory: first a block for each vcpu, then the machine's frames.
 *
 * A vcpu's block begins with its registers as 32-bit words and ends with its TLB. Interpreter and translated code work
 * on the same bytes, so this file is the only place that knows an offset. Byte order is little-endian.
 */

/** A frame, and a page of 4 KiB. */
export const FRAME_BYTES = 4096
export const FRAME_SHIFT = 12

/** Bytes of a vcpu's registers, at the start of its block; the TLB's entries follow. */
export const REGISTER_BYTES = 576

/** Word offsets in a vcpu's block. The eight general registers come first, numbered as the instruction set does. */
export const EAX = 0
export const ECX = 1
export const EDX = 2
export const EBX = 3
export const ESP = 4
export const EBP = 5
export const ESI = 6
export const EDI = 7
/** Always 0: stands for an absent base or index register, so that an address needs no branch. */
export const ZERO = 8
export const EIP = 9

/** EFLAGS. Bits that are set in `LAZY_MASK` are stale here and follow from the words behind it (see `flags.ts`). */
export const FLAGS = 10
export const LAZY_MASK = 11
export const LAZY_A = 12
export const LAZY_B = 13
export const LAZY_RESULT = 14
/** Left shift that brings the result's sign bit to bit 31; bit 31 of this word: it was a subtraction. */
export const LAZY_SHIFT = 15

/** Segment registers as arrays of eight: ES CS SS DS FS GS LDTR TR, one array for each part. */
export const SELECTOR = 16
export const BASE = 24
/** In bytes, the granularity bit already applied. */
export const LIMIT = 32
/** Bits 8–23 of the descriptor's second word: access byte in bits 0–7, AVL, D/B and G in bits 12, 14 and 15. */
export const ATTRIBUTES = 40
/** `FLAT_READ` | `FLAT_WRITE`: base 0, limit 4 GiB and access allowed, so that an access needs no check at all. */
export const FLAT = 48
export const FLAT_READ = 1
export const FLAT_WRITE = 2

export const LDTR = 6
export const TR = 7

export const GDTR_BASE = 56
export const GDTR_LIMIT = 57
export const IDTR_BASE = 58
export const IDTR_LIMIT = 59
export const CR0 = 60
export const CR2 = 61
export const CR3 = 62
export const CR4 = 63
/** DR0–DR7. */
export const DR = 64
/** The current privilege level. */
export const CPL = 72
/** The page that instructions are fetched from: its linear address (−1: none) and its byte offset in machine memory. */
export const FETCH_PAGE = 73
export const FETCH_FRAME = 74
/** That page's guest physical address. */
export const FETCH_GPA = 77
/** `TSC` = cycles + this, 64 bits. */
export const TSC_OFFSET_LOW = 75
export const TSC_OFFSET_HIGH = 76

/** The FPU's physical registers R0–R7, four words each: significand (low, high), sign and exponent, unused. */
export const FPU_REGISTER = 80
export const FPU_REGISTER_WORDS = 4
export const FPU_CONTROL = 112
/** With TOP in bits 11–13. */
export const FPU_STATUS = 113
/** A bit for each physical register that is empty; the other tags follow from what a register holds. */
export const FPU_EMPTY = 114
/** The last instruction that was no control instruction: its address, its operand's, and 11 bits of its opcode. */
export const FPU_IP = 115
export const FPU_CS = 116
export const FPU_DP = 117
export const FPU_DS = 118
export const FPU_OPCODE = 119

/** Registers that end here; what a save takes. */
export const REGISTER_WORDS = 120

/** What a region of translated code leaves behind besides registers: instructions that it had left, where an indirect branch goes, and what the flags follow from (`engine/flag-state.ts`). */
export const ENGINE_FUEL = 120
export const ENGINE_TARGET = 121
export const ENGINE_FLAGS = 122

/** Entries of each half of the TLB, supervisor and user: a power of two, as many as the machine has frames but within these. */
export const FEWEST_TLB_ENTRIES = 256
export const MOST_TLB_ENTRIES = 32_768

/** The words of a TLB entry that every access reads. */
export const TLB_ENTRY_WORDS = 4
/** A tag is the linear address of the page, or −1: no access of this kind by this entry. */
export const TLB_READ = 0
/** −1 also while the page is not dirty yet, and while the frame holds decoded code or is traced. */
export const TLB_WRITE = 1
/** Linear address + addend = byte offset in machine memory (mod 2^32). */
export const TLB_ADDEND = 2
/** The page's linear address whatever the kinds of access; −1: the entry is empty. */
export const TLB_PAGE = 3

/** Flags of the word that stands behind all entries for each of them: the low bits of the page's guest physical address. */
/** Writes are allowed and the dirty bit is set. */
export const TLB_WRITABLE = 1
export const TLB_GLOBAL = 2
/** A fragment of a 4 MiB page. */
export const TLB_LARGE = 4
/** No memory there: each access is an exit. */
export const TLB_MMIO = 8

/** Bytes of one vcpu's block: registers and both halves of the TLB; a whole number of frames. */
export function vcpuBlockBytes(tlbEntries: number): number {
  const bytes = REGISTER_BYTES + 2 * tlbEntries * (TLB_ENTRY_WORDS + 1) * 4
  return Math.ceil(bytes / FRAME_BYTES) * FRAME_BYTES
}
