/* String operations: repeated MOVS, STOS, CMPS and SCAS (Intel SDM vol. 1 §7.3.9), and the same by loops of bytes. */
#include "runtime.h"
#include "sections.h"

#define BLOCK_BYTES 65536u
#define FROM HEAP
#define TO (HEAP + 0x100000)

static void fill(u8 *bytes, u32 count, u32 state) {
  for (u32 i = 0; i < count; i++) bytes[i] = (u8)(next_random(&state) % 255 + 1);
}

static inline void copy_words(void *to, const void *from, u32 count) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
static inline void copy_bytes(void *to, const void *from, u32 count) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
static inline void store_words(void *to, u32 value, u32 count) {
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

u32 run_rep_movs(u32 work) {
  u32 sum = 0;
  fill(FROM, BLOCK_BYTES, 1);
  for (u32 round = 0; round < work * 40; round++) {
    FROM[round % BLOCK_BYTES] ^= (u8)round;
    copy_words(TO, FROM, BLOCK_BYTES / 4);
    copy_bytes(TO + BLOCK_BYTES + (round & 7), FROM + (round & 3), BLOCK_BYTES / 2);
    sum = mix(sum, *(u32 *)(TO + (round * 4092) % BLOCK_BYTES / 4 * 4));
    sum += TO[BLOCK_BYTES + round % 999];
  }
  return sum;
}

u32 run_rep_stos(u32 work) {
  u32 sum = 0;
  for (u32 round = 0; round < work * 60; round++) {
    store_words(TO, round * 0x01010101u + sum, BLOCK_BYTES / 4);
    sum = mix(sum, *(u32 *)(TO + (round * 4092) % BLOCK_BYTES / 4 * 4));
  }
  return sum;
}

/* Copies of 8 to 70 bytes: what most of a program's copies are. */
u32 run_rep_short(u32 work) {
  u32 state = 3u;
  u32 sum = 0;
  fill(FROM, 4096, 1);
  for (u32 i = 0; i < work * 8000; i++) {
    u32 x = next_random(&state);
    u32 at = x & 0xfff;
    copy_words(TO + (at & ~3u), FROM + (x >> 12 & 0xffc), 2 + (x >> 28));
    copy_bytes(TO + (x >> 8 & 0x7ff), FROM + (x & 0x7ff), (x >> 24 & 3) + 1);
    sum += *(u32 *)(TO + at);
  }
  return sum;
}

/* REPE CMPSB and REPNE SCASB. */
u32 run_rep_compare(u32 work) {
  u32 sum = 0;
  fill(FROM, BLOCK_BYTES, 7);
  copy_words(TO, FROM, BLOCK_BYTES / 4);
  for (u32 round = 0; round < work * 100; round++) {
    u32 place = (round * 977) & 4095;
    TO[place] ^= 0x55;
    const u8 *a = FROM, *b = TO;
    u32 left = 4096;
    __asm__ volatile("repe cmpsb" : "+S"(a), "+D"(b), "+c"(left) : : "memory", "cc");
    TO[place] ^= 0x55;
    FROM[4096 + place] = 0;
    const u8 *text = FROM + 4096;
    u32 rest = 8192;
    __asm__ volatile("repne scasb" : "+D"(text), "+c"(rest) : "a"(0) : "memory", "cc");
    FROM[4096 + place] = (u8)(place | 1);
    sum = mix(sum, left * 3 + rest);
  }
  return sum;
}

static NOINLINE u32 length_of(const u8 *text) {
  const u8 *end = text;
  while (*end) end++;
  return (u32)(end - text);
}
static NOINLINE s32 compare(const u8 *a, const u8 *b, u32 count) {
  for (; count != 0; count--, a++, b++) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}
static NOINLINE void copy(u8 *to, const u8 *from) {
  while ((*to++ = *from++)) {
  }
}

/* strlen, memcmp and strcpy as loops over bytes. */
u32 run_byte_loops(u32 work) {
  u32 sum = 0;
  u32 state = 17;
  fill(FROM, 4096, 9);
  for (u32 i = 0; i < work * 2000; i++) {
    u32 x = next_random(&state);
    u8 *text = FROM + (x & 0x7ff);
    u32 end = x >> 12 & 127;
    u8 kept = text[end];
    text[end] = 0;
    copy(TO, text);
    sum = mix(sum, length_of(text) + (u32)compare(text, TO, end));
    text[end] = kept;
  }
  return sum;
}
