/* Code that changes: patched in place, and made anew (Intel SDM vol. 3A §8.1.3). */
#include "runtime.h"
#include "sections.h"

typedef u32 (*function)(u32);

#define ARENA_BYTES 65536u
static u8 arena[ARENA_BYTES] __attribute__((aligned(4096)));

static u8 *emit8(u8 *at, u32 byte) {
  *at = (u8)byte;
  return at + 1;
}

static u8 *emit32(u8 *at, u32 word) {
  *(u32 *)at = word;
  return at + 4;
}

/* mov eax,[esp+4]; then `steps` times: add, xor or sub eax, constant; rol eax,3; at last ret. Where the next may begin. */
static u8 *emit_function(u8 *at, u32 steps, u32 seed) {
  static const u8 operations[3] = {0x05, 0x35, 0x2d};
  at = emit32(at, 0x0424448b);
  for (u32 i = 0; i < steps; i++) {
    at = emit8(at, operations[next_random(&seed) % 3]);
    at = emit32(at, next_random(&seed));
    at = emit8(at, 0xc1);
    at = emit8(at, 0xc0);
    at = emit8(at, 3);
  }
  return emit8(at, 0xc3);
}

/* The constant of an instruction changes every 1,000 runs. */
u32 run_patched(u32 work) {
  function code = (function)arena;
  u32 sum = 0;
  emit_function(arena, 4, 5);
  for (u32 round = 0; round < work * 20; round++) {
    *(volatile u32 *)(arena + 5) = round * 0x10003u;
    for (u32 i = 0; i < 1000; i++) sum = code(sum);
  }
  return sum;
}

/* An opcode changes every 1,000 runs. */
u32 run_repatched(u32 work) {
  static const u8 operations[3] = {0x05, 0x35, 0x2d};
  function code = (function)arena;
  u32 sum = 0;
  emit_function(arena, 4, 5);
  for (u32 round = 0; round < work * 20; round++) {
    *(volatile u8 *)(arena + 12) = operations[round % 3];
    for (u32 i = 0; i < 1000; i++) sum = code(sum);
  }
  return sum;
}

/* Functions made one after the other, round an arena of 64 KiB; each runs 300 times. */
u32 run_generated(u32 work) {
  u8 *at = arena;
  u32 sum = 0;
  for (u32 round = 0; round < work * 20; round++) {
    if (at > arena + ARENA_BYTES - 256) at = arena;
    function code = (function)at;
    at = emit_function(at, 4 + round % 8, round * 2 + 1);
    __asm__ volatile("" : : : "memory");
    for (u32 i = 0; i < 300; i++) sum = code(sum);
  }
  return sum;
}

/* Data written beside code, in its page. */
u32 run_beside(u32 work) {
  function code = (function)arena;
  volatile u32 *data = (volatile u32 *)(arena + 2048);
  u32 sum = 0;
  emit_function(arena, 4, 9);
  for (u32 i = 0; i < work * 2000; i++) {
    sum = code(sum);
    data[i & 255] = sum;
  }
  return mix(sum, data[77]);
}
