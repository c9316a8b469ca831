/* Arrays and lists: what programs do with memory. */
#include "runtime.h"
#include "sections.h"

#define SIDE 48u

u32 run_matrix(u32 work) {
  static u32 a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
  u32 state = 1812433253u;
  for (u32 i = 0; i < SIDE; i++) {
    for (u32 j = 0; j < SIDE; j++) {
      a[i][j] = next_random(&state);
      b[i][j] = next_random(&state);
    }
  }
  for (u32 round = 0; round < work; round++) {
    for (u32 i = 0; i < SIDE; i++) {
      for (u32 j = 0; j < SIDE; j++) {
        u32 sum = 0;
        for (u32 k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    }
    for (u32 i = 0; i < SIDE; i++) a[round % SIDE][i] ^= c[i][round % SIDE];
  }
  u32 sum = 0;
  for (u32 i = 0; i < SIDE; i++) {
    for (u32 j = 0; j < SIDE; j++) sum = mix(sum, c[i][j]);
  }
  return sum;
}

#define SIEVE_BYTES 65536u

u32 run_sieve(u32 work) {
  u8 *composite = HEAP;
  u32 sum = 0;
  for (u32 round = 0; round < work; round++) {
    for (u32 i = 0; i < SIEVE_BYTES; i++) composite[i] = 0;
    for (u32 i = 2; i * i < SIEVE_BYTES; i++) {
      if (composite[i]) continue;
      for (u32 j = i * i; j < SIEVE_BYTES; j += i) composite[j] = 1;
    }
    for (u32 i = 2; i < SIEVE_BYTES; i++) sum += !composite[i] * (i + round);
  }
  return sum;
}

struct link {
  struct link *next;
  u32 value;
};
#define LINKS 4096u

/* A list of 4,096, turned round and summed up again and again. */
u32 run_list(u32 work) {
  static struct link links[LINKS];
  u32 state = 3141592653u;
  struct link *first = 0;
  for (u32 i = 0; i < LINKS; i++) {
    struct link *link = &links[i * 1021 % LINKS];
    *link = (struct link){first, next_random(&state)};
    first = link;
  }
  u32 sum = 0;
  for (u32 round = 0; round < work * 30; round++) {
    struct link *turned = 0;
    while (first) {
      struct link *next = first->next;
      first->next = turned;
      turned = first;
      first = next;
    }
    first = turned;
    for (struct link *link = first; link; link = link->next) sum += link->value ^ sum << 1;
  }
  return sum;
}

#define CHASE_WORDS (HEAP_BYTES / 4)

/* One cycle through 16 MiB: each load needs the one before it. */
u32 run_chase(u32 work) {
  u32 *words = (u32 *)HEAP;
  for (u32 i = 0; i < CHASE_WORDS; i += 16) words[i] = (i * 5 + 16 * 7919) & (CHASE_WORDS - 1);
  u32 at = 0;
  u32 sum = 0;
  for (u32 i = work * 50000; i != 0; i--) {
    at = words[at];
    sum += at;
  }
  return sum;
}

#define TEXT_BYTES 16384u
#define WINDOW 4096u

/* LZ77 with a hash of three bytes, and its inverse. */
u32 run_compress(u32 work) {
  static u8 text[TEXT_BYTES], packed[TEXT_BYTES * 2], unpacked[TEXT_BYTES];
  static u16 latest[1024];
  u32 state = 69069u;
  u32 sum = 0;
  for (u32 i = 0; i < TEXT_BYTES; i++) {
    u32 random = next_random(&state);
    text[i] = i > 64 && (random & 0xc0000) ? text[i - 1 - (random >> 20 & 31)] : (u8)('a' + (random & 15));
  }
  for (u32 round = 0; round < work * 2; round++) {
    u32 to = 0;
    for (u32 i = 0; i < 1024; i++) latest[i] = 0;
    for (u32 at = 0; at < TEXT_BYTES;) {
      u32 length = 0, distance = 0;
      if (at + 3 < TEXT_BYTES) {
        u32 hash = (text[at] * 33u + text[at + 1] * 65u + text[at + 2] * 7u) & 1023;
        distance = at - latest[hash];
        latest[hash] = (u16)at;
        if (distance > 0 && distance < WINDOW) {
          while (length < 255 && at + length < TEXT_BYTES && text[at + length] == text[at + length - distance]) length++;
        }
      }
      if (length >= 4) {
        packed[to++] = 0;
        packed[to++] = (u8)length;
        packed[to++] = (u8)distance;
        packed[to++] = (u8)(distance >> 8);
        at += length;
      } else {
        packed[to++] = text[at++];
      }
    }
    u32 out = 0;
    for (u32 at = 0; at < to;) {
      u8 byte = packed[at++];
      if (byte) {
        unpacked[out++] = byte;
        continue;
      }
      u32 length = packed[at];
      u32 distance = packed[at + 1] | packed[at + 2] << 8;
      for (at += 3; length != 0; length--, out++) unpacked[out] = unpacked[out - distance];
    }
    for (u32 i = 0; i < out; i += 61) sum = mix(sum, unpacked[i] + to);
    text[round % TEXT_BYTES] = (u8)('a' + (round & 15));
  }
  return sum;
}
