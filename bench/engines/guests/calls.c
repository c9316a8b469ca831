/* Calls and returns: recursion, and calls through pointers. The compiler must not make loops of them. */
#pragma GCC optimize("no-optimize-sibling-calls")
#include "runtime.h"
#include "sections.h"

static NOINLINE u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

u32 run_fib(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work; i++) sum = mix(sum, fib(24 + (i & 1)));
  return sum;
}

static NOINLINE u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

u32 run_ackermann(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work * 2; i++) sum = mix(sum, ackermann(3, 4 + (i & 1)));
  return sum;
}

static NOINLINE s32 tak(s32 x, s32 y, s32 z) {
  return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

u32 run_tak(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work; i++) sum = mix(sum, (u32)tak(15, 10, 5 + (s32)(i & 1)));
  return sum;
}

struct shape {
  u32 (*const *methods)(struct shape *, u32);
  u32 a, b;
};

static NOINLINE u32 area_of_square(struct shape *shape, u32 scale) { return shape->a * shape->a * scale; }
static NOINLINE u32 area_of_box(struct shape *shape, u32 scale) { return shape->a * shape->b + scale; }
static NOINLINE u32 area_of_half(struct shape *shape, u32 scale) { return (shape->a * shape->b >> 1) ^ scale; }
static NOINLINE u32 grow(struct shape *shape, u32 by) { return shape->a += by & 7; }
static NOINLINE u32 turn(struct shape *shape, u32 by) {
  u32 kept = shape->a;
  shape->a = shape->b + (by & 3);
  return shape->b = kept;
}

static u32 (*const square_methods[])(struct shape *, u32) = {area_of_square, grow};
static u32 (*const box_methods[])(struct shape *, u32) = {area_of_box, turn};
static u32 (*const half_methods[])(struct shape *, u32) = {area_of_half, turn};

/* Methods through tables, as C++ calls them. */
u32 run_methods(u32 work) {
  static struct shape shapes[64];
  static u32 (*const *const kinds[])(struct shape *, u32) = {square_methods, box_methods, half_methods};
  u32 state = 88675123u;
  for (u32 i = 0; i < 64; i++) shapes[i] = (struct shape){kinds[next_random(&state) % 3], i + 1, 2 * i + 1};
  u32 sum = 0;
  for (u32 round = 0; round < work * 700; round++) {
    for (u32 i = 0; i < 64; i++) {
      struct shape *shape = &shapes[i];
      sum += shape->methods[0](shape, round);
      sum ^= shape->methods[1](shape, round + i);
    }
  }
  return sum;
}
