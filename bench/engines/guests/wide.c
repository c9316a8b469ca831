/* Numbers of 64 bits on a machine of 32 (ADC, SBB, SHLD, MUL), their division in software, and some floating point. */
#include "runtime.h"
#include "sections.h"

/* SplitMix64 and a multiply-with-carry. */
u32 run_wide(u32 work) {
  u64 state = 0x9e3779b97f4a7c15ull;
  u64 carry = 0x123456789abcdefull;
  u64 sum = 0;
  for (u32 i = work * 20000; i != 0; i--) {
    u64 z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    carry = (carry & 0xffffffffu) * 4294957665ull + (carry >> 32);
    sum = (sum << 5 | sum >> 59) + (z ^ z >> 31) - carry;
    if (sum > carry) sum ^= z;
  }
  return (u32)(sum ^ sum >> 32);
}

/* What the compiler calls for a division of 64 bits, under one name or another: bit by bit. */
u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *rest) {
  u64 quotient = 0;
  u64 partial = 0;
  for (u32 bit = 0; bit < 64; bit++) {
    partial = partial << 1 | dividend >> 63;
    dividend <<= 1;
    quotient <<= 1;
    if (partial >= divisor) {
      partial -= divisor;
      quotient |= 1;
    }
  }
  if (rest) *rest = partial;
  return quotient;
}

u64 __udivdi3(u64 dividend, u64 divisor) { return __udivmoddi4(dividend, divisor, 0); }

u64 __umoddi3(u64 dividend, u64 divisor) {
  u64 rest;
  __udivmoddi4(dividend, divisor, &rest);
  return rest;
}

u32 run_wide_division(u32 work) {
  u64 x = 88172645463325252ull;
  u32 sum = 0;
  for (u32 i = work * 800; i != 0; i--) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    u64 by = (x >> 20 & 0xfffffffffull) + 1;
    u64 result = x / by + x % by;
    sum = mix(sum, (u32)(result ^ result >> 32));
  }
  return sum;
}

static u32 bits_of(double value) {
  union {
    double value;
    u32 words[2];
  } both = {value};
  return both.words[0] ^ both.words[1];
}

/* The Mandelbrot set's edge. */
u32 run_mandelbrot(u32 work) {
  u32 sum = 0;
  for (u32 row = 0; row < work * 2; row++) {
    double y = (double)(row * 29 % 64) / 32.0 - 1.0;
    for (u32 column = 0; column < 64; column++) {
      double x = (double)column / 28.0 - 1.7;
      double a = 0, b = 0;
      u32 steps = 0;
      for (; steps < 200; steps++) {
        double aa = a * a, bb = b * b;
        if (aa + bb > 4.0) break;
        b = 2 * a * b + y;
        a = aa - bb + x;
      }
      sum = mix(sum, steps);
    }
  }
  return sum;
}

struct body {
  double x, y, z, vx, vy, vz, mass;
};

static double root(double value) {
  double result;
  __asm__("fsqrt" : "=t"(result) : "0"(value));
  return result;
}

/* Five bodies that draw each other. */
u32 run_bodies(u32 work) {
  struct body bodies[5];
  for (u32 i = 0; i < 5; i++) {
    bodies[i] = (struct body){i * 1.5, i * i * 0.25 - 1, 0.5 * i, 0.01 * i, -0.02 * i, 0.005, 1.0 + i};
  }
  for (u32 step = 0; step < work * 1000; step++) {
    for (u32 i = 0; i < 5; i++) {
      for (u32 j = i + 1; j < 5; j++) {
        double dx = bodies[i].x - bodies[j].x, dy = bodies[i].y - bodies[j].y, dz = bodies[i].z - bodies[j].z;
        double squared = dx * dx + dy * dy + dz * dz + 0.125;
        double pull = 0.0009765625 / (squared * root(squared));
        bodies[i].vx -= dx * bodies[j].mass * pull;
        bodies[i].vy -= dy * bodies[j].mass * pull;
        bodies[i].vz -= dz * bodies[j].mass * pull;
        bodies[j].vx += dx * bodies[i].mass * pull;
        bodies[j].vy += dy * bodies[i].mass * pull;
        bodies[j].vz += dz * bodies[i].mass * pull;
      }
    }
    for (u32 i = 0; i < 5; i++) {
      bodies[i].x += 0.0009765625 * bodies[i].vx;
      bodies[i].y += 0.0009765625 * bodies[i].vy;
      bodies[i].z += 0.0009765625 * bodies[i].vz;
    }
  }
  u32 sum = 0;
  for (u32 i = 0; i < 5; i++) sum = mix(mix(sum, bits_of(bodies[i].x)), bits_of(bodies[i].vy));
  return sum;
}
