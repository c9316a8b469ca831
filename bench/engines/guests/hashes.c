/* Digests: SHA-256 (FIPS 180-4), MD5 (RFC 1321), CRC-32 (RFC 1952), FNV-1a, and the cipher ChaCha20 (RFC 8439). */
#include "runtime.h"
#include "sections.h"

#define MESSAGE_BYTES 16384u
#define BLOCK_BYTES 64u

static u8 message[MESSAGE_BYTES];

static void fill_message(void) {
  u32 state = 2463534242u;
  for (u32 i = 0; i < MESSAGE_BYTES; i++) message[i] = (u8)(next_random(&state) >> 11);
}

static u32 big_endian(const u8 *bytes) {
  return (u32)bytes[0] << 24 | (u32)bytes[1] << 16 | (u32)bytes[2] << 8 | bytes[3];
}

static const u32 sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static NOINLINE void compress_sha256(u32 *state, const u8 *block) {
  u32 w[64];
  for (u32 i = 0; i < 16; i++) w[i] = big_endian(block + 4 * i);
  for (u32 i = 16; i < 64; i++) {
    u32 s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
    u32 s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  u32 a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (u32 i = 0; i < 64; i++) {
    u32 s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    u32 t1 = h + s1 + ((e & f) ^ (~e & g)) + sha256_constants[i] + w[i];
    u32 s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    u32 t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

u32 run_sha256(u32 work) {
  u32 state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  fill_message();
  for (u32 i = 0; i < work * 256; i++) compress_sha256(state, message + i * BLOCK_BYTES % MESSAGE_BYTES);
  return state[0] ^ state[7];
}

static const u32 md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const u8 md5_rotations[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static NOINLINE void compress_md5(u32 *state, const u32 *block) {
  u32 a = state[0], b = state[1], c = state[2], d = state[3];
  for (u32 i = 0; i < 64; i++) {
    u32 f, word;
    if (i < 16) f = (b & c) | (~b & d), word = i;
    else if (i < 32) f = (d & b) | (~d & c), word = 5 * i + 1;
    else if (i < 48) f = b ^ c ^ d, word = 3 * i + 5;
    else f = c ^ (b | ~d), word = 7 * i;
    f += a + md5_constants[i] + block[word & 15];
    a = d, d = c, c = b;
    b += rotate_left(f, md5_rotations[i >> 4][i & 3]);
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

u32 run_md5(u32 work) {
  u32 state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  fill_message();
  for (u32 i = 0; i < work * 800; i++) compress_md5(state, (const u32 *)(message + i * BLOCK_BYTES % MESSAGE_BYTES));
  return state[0] ^ state[3];
}

u32 run_crc32(u32 work) {
  static u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 entry = i;
    for (u32 bit = 0; bit < 8; bit++) entry = entry & 1 ? 0xedb88320u ^ entry >> 1 : entry >> 1;
    table[i] = entry;
  }
  fill_message();
  u32 crc = ~0u;
  for (u32 round = 0; round < work * 8; round++) {
    for (u32 i = 0; i < MESSAGE_BYTES; i++) crc = table[(crc ^ message[i]) & 255] ^ crc >> 8;
  }
  return ~crc;
}

u32 run_fnv(u32 work) {
  fill_message();
  u32 hash = 2166136261u;
  for (u32 round = 0; round < work * 12; round++) {
    for (u32 i = 0; i < MESSAGE_BYTES; i++) hash = (hash ^ message[i]) * 16777619u;
  }
  return hash;
}

#define QUARTER(a, b, c, d)            \
  a += b, d = rotate_left(d ^ a, 16);  \
  c += d, b = rotate_left(b ^ c, 12);  \
  a += b, d = rotate_left(d ^ a, 8);   \
  c += d, b = rotate_left(b ^ c, 7)

u32 run_chacha(u32 work) {
  u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  u32 sum = 0;
  for (u32 i = 4; i < 16; i++) state[i] = i * 0x01010101u;
  for (u32 block = 0; block < work * 800; block++) {
    u32 x[16];
    for (u32 i = 0; i < 16; i++) x[i] = state[i];
    for (u32 round = 0; round < 10; round++) {
      QUARTER(x[0], x[4], x[8], x[12]);
      QUARTER(x[1], x[5], x[9], x[13]);
      QUARTER(x[2], x[6], x[10], x[14]);
      QUARTER(x[3], x[7], x[11], x[15]);
      QUARTER(x[0], x[5], x[10], x[15]);
      QUARTER(x[1], x[6], x[11], x[12]);
      QUARTER(x[2], x[7], x[8], x[13]);
      QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (u32 i = 0; i < 16; i++) sum = mix(sum, x[i] + state[i]);
    state[12]++;
  }
  return sum;
}
