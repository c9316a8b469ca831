/* The sections: each does so much work and answers with a checksum of it. */
#ifndef SECTIONS_H
#define SECTIONS_H

#include "runtime.h"

struct section {
  const char *name;
  u32 (*run)(u32 work);
};

#define SECTION_COUNT 48u
extern const struct section SECTIONS[SECTION_COUNT];

/* integers.c */
u32 run_xorshift(u32 work);
u32 run_collatz(u32 work);
u32 run_bits(u32 work);
u32 run_division(u32 work);
u32 run_words(u32 work);
u32 run_bytes(u32 work);

/* wide.c */
u32 run_wide(u32 work);
u32 run_wide_division(u32 work);
u32 run_mandelbrot(u32 work);
u32 run_bodies(u32 work);

/* hashes.c */
u32 run_sha256(u32 work);
u32 run_md5(u32 work);
u32 run_crc32(u32 work);
u32 run_fnv(u32 work);
u32 run_chacha(u32 work);

/* sorts.c */
u32 run_quicksort(u32 work);
u32 run_tree(u32 work);

/* calls.c */
u32 run_fib(u32 work);
u32 run_ackermann(u32 work);
u32 run_tak(u32 work);
u32 run_methods(u32 work);

/* machines.c */
u32 run_switch(u32 work);
u32 run_labels(u32 work);

/* data.c */
u32 run_matrix(u32 work);
u32 run_sieve(u32 work);
u32 run_list(u32 work);
u32 run_chase(u32 work);
u32 run_compress(u32 work);

/* strings.c */
u32 run_rep_movs(u32 work);
u32 run_rep_stos(u32 work);
u32 run_rep_short(u32 work);
u32 run_rep_compare(u32 work);
u32 run_byte_loops(u32 work);

/* paging.c */
u32 run_touches(u32 work);
u32 run_cr3(u32 work);
u32 run_spaces(u32 work);
u32 run_faults(u32 work);
u32 run_invlpg(u32 work);

/* privileged.c */
u32 run_int80(u32 work);
u32 run_user(u32 work);
u32 run_port_in(u32 work);
u32 run_port_out(u32 work);
u32 run_serial(u32 work);
u32 run_flags(u32 work);

/* patch.c */
u32 run_patched(u32 work);
u32 run_repatched(u32 work);
u32 run_generated(u32 work);
u32 run_beside(u32 work);

#endif
