/* Integer loops: no memory, or hardly any. */
#include "runtime.h"
#include "sections.h"

u32 run_xorshift(u32 work) {
  u32 x = 2463534242u;
  u32 sum = 0;
  for (u32 i = work * 100000; i != 0; i--) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    sum += x;
  }
  return sum;
}

/* How long Collatz sequences are: branches that nobody can foretell. */
u32 run_collatz(u32 work) {
  u32 sum = 0;
  for (u32 n = 1; n < work * 1500; n++) {
    u32 steps = 0;
    for (u32 x = n; x != 1; steps++) x = x & 1 ? 3 * x + 1 : x >> 1;
    sum = mix(sum, steps);
  }
  return sum;
}

/* Ones in a word, four ways. */
u32 run_bits(u32 work) {
  u32 state = 88172645u;
  u32 sum = 0;
  for (u32 i = 0; i < work * 8000; i++) {
    u32 x = next_random(&state);
    u32 count = 0;
    for (u32 y = x; y != 0; y &= y - 1) count++;
    u32 z = x - (x >> 1 & 0x55555555u);
    z = (z & 0x33333333u) + (z >> 2 & 0x33333333u);
    z = ((z + (z >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
    u32 top = 0;
    __asm__("bsr %1, %0" : "+r"(top) : "r"(x) : "cc");
    u32 low = 0;
    __asm__("bsf %1, %0" : "+r"(low) : "r"(x) : "cc");
    u32 swapped = x;
    __asm__("bswap %0" : "+r"(swapped));
    sum = mix(sum, count * 3 + z + top * 7 + low + swapped);
  }
  return sum;
}

/* Signed and unsigned division and remainder, by what is no constant. */
u32 run_division(u32 work) {
  u32 state = 362436069u;
  u32 sum = 0;
  for (u32 i = 0; i < work * 40000; i++) {
    u32 x = next_random(&state);
    u32 by = (x & 0xfff) + 1;
    s32 y = (s32)rotate_left(x, 9);
    s32 signed_by = (s32)(x >> 20) - 5000;
    sum = mix(sum, x / by + x % by + (u32)(y / signed_by) + (u32)(y % signed_by));
  }
  return sum;
}

/* Operands of 16 bits, in registers and memory (prefix 66h). */
u32 run_words(u32 work) {
  u32 a = 0x1234, b = 0x8421, c = 7;
  u16 cell = 0xbeef;
  for (u32 i = work * 60000; i != 0; i--) {
    __asm__ volatile(
        "addw %w1, %w0\n\t"
        "rolw $3, %w0\n\t"
        "adcw %w2, %w1\n\t"
        "xorw %3, %w1\n\t"
        "addw %w0, %3\n\t"
        "imulw %w0, %w2\n\t"
        "incw %w2\n\t"
        "sarw $1, %w1\n\t"
        "notw %w1\n\t"
        "subw $0x1357, %w0"
        : "+r"(a), "+r"(b), "+r"(c), "+m"(cell)
        :
        : "cc");
  }
  return (a ^ b << 8) + c * 31 + cell;
}

/* Operands of 8 bits, low and high halves. */
u32 run_bytes(u32 work) {
  u32 a = 0x1234, b = 0x8421, c = 0x77aa;
  u8 cell = 0x5a;
  for (u32 i = work * 60000; i != 0; i--) {
    __asm__ volatile(
        "addb %b1, %h0\n\t"
        "adcb %h1, %b0\n\t"
        "xorb %3, %b1\n\t"
        "addb %h0, %3\n\t"
        "rolb $3, %h1\n\t"
        "subb %b2, %h1\n\t"
        "sbbb $1, %b2\n\t"
        "incb %h2\n\t"
        "movb %h2, %b1\n\t"
        "negb %b0"
        : "+a"(a), "+b"(b), "+c"(c), "+m"(cell)
        :
        : "cc");
  }
  return a + b * 3 + c * 5 + cell;
}
