/* What every section stands on: fixed-width types, ports, a generator of numbers, the map of memory. No C library. */
#ifndef RUNTIME_H
#define RUNTIME_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* Kept out of line, so that a call stays a call. */
#define NOINLINE __attribute__((noinline, noclone))

#define PAGE_BYTES 4096u
/* 128 MiB of memory: the kernel at 1 MiB, page tables, a heap, and 64 MiB that one section touches at random. */
#define TABLES ((u32 *)0x00800000)
#define HEAP ((u8 *)0x01000000)
#define HEAP_BYTES 0x01000000u
#define VAST ((u8 *)0x02000000)
#define VAST_BYTES 0x04000000u
#define MEMORY_BYTES 0x08000000u

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 in8(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

/* xorshift32 (Marsaglia, 2003): the numbers that sections work on. */
static inline u32 next_random(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline u32 rotate_left(u32 value, u32 count) { return value << count | value >> (32 - count); }
static inline u32 rotate_right(u32 value, u32 count) { return value >> count | value << (32 - count); }

/* One step of a checksum over words. */
static inline u32 mix(u32 sum, u32 word) { return rotate_left(sum, 5) * 0x9e3779b1u + word; }

void print(const char *text);
void print_hex(u32 value);
/* Sends one byte over COM1, when the transmitter is empty. */
void send(u8 byte);

/* Sets the handler of one vector; ring 3 may call it when `user` is not 0. */
void set_gate(u32 vector, void (*entry)(void), u32 user);

/* Maps all memory to itself in pages of 4 KiB, for ring 3 too, and turns paging on; what the directory is. */
u32 *start_paging(void);
static inline void load_cr3(u32 *directory) { __asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory"); }
static inline void invalidate_page(u32 address) {
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* Calls `code` in ring 3. */
u32 enter_user(u32 (*code)(u32), u32 argument);

#endif
