/* Paging (Intel SDM vol. 3A §4.3, §4.10): many pages, few pages, and none. */
#include "runtime.h"
#include "sections.h"

#define WINDOW 0x40000000u
#define WINDOW_PAGES 1024u
#define PRESENT_WRITE_USER 7u
#define PAGE_FAULT 14

void page_fault_entry(void);

/* The table behind the window, above the tables of all memory. */
static u32 *const window_table = TABLES + 1024 * 64;

static u32 *start_window(void) {
  u32 *directory = start_paging();
  for (u32 i = 0; i < WINDOW_PAGES; i++) window_table[i] = 0;
  directory[WINDOW >> 22] = (u32)window_table | PRESENT_WRITE_USER;
  load_cr3(directory);
  return directory;
}

/* Words of 64 MiB, at random. */
u32 run_touches(u32 work) {
  start_paging();
  u32 *words = (u32 *)VAST;
  u32 state = 2463534242u;
  u32 sum = 0;
  for (u32 i = work * 20000; i != 0; i--) {
    u32 x = next_random(&state);
    u32 *word = &words[x & (VAST_BYTES / 4 - 1)];
    sum += *word ^ x;
    *word = sum;
  }
  return sum;
}

/* Sixteen pages touched after each load of CR3. */
u32 run_cr3(u32 work) {
  u32 *directory = start_paging();
  u32 sum = 0;
  for (u32 round = 0; round < work * 1000; round++) {
    load_cr3(directory);
    for (u32 page = 0; page < 16; page++) {
      u32 *word = (u32 *)(HEAP + page * PAGE_BYTES + (round & 255) * 4);
      sum += *word += page ^ round;
    }
  }
  return sum;
}

/* Two address spaces, in turn. */
u32 run_spaces(u32 work) {
  u32 *directory = start_window();
  u32 *other = window_table + 1024;
  u32 *other_table = window_table + 2048;
  for (u32 i = 0; i < 1024; i++) {
    other[i] = directory[i];
    other_table[i] = ((u32)HEAP + 0x400000 + i * PAGE_BYTES) | PRESENT_WRITE_USER;
    window_table[i] = ((u32)HEAP + i * PAGE_BYTES) | PRESENT_WRITE_USER;
  }
  other[WINDOW >> 22] = (u32)other_table | PRESENT_WRITE_USER;
  u32 sum = 0;
  for (u32 round = 0; round < work * 500; round++) {
    load_cr3(round & 1 ? other : directory);
    for (u32 i = 0; i < 32; i++) {
      u32 *word = (u32 *)(WINDOW + (i * 37 & 63) * PAGE_BYTES + (round & 127) * 8);
      sum = mix(sum, *word += round + i);
    }
  }
  load_cr3(directory);
  return sum;
}

static u32 faults;

void page_fault(u32 address) {
  u32 page = (address - WINDOW) / PAGE_BYTES;
  if (page >= WINDOW_PAGES) {
    print("page fault at ");
    print_hex(address);
    print("\n");
    for (;;) __asm__ volatile("cli; hlt");
  }
  window_table[page] = ((u32)VAST + (page * 5 & 4095) * PAGE_BYTES) | PRESENT_WRITE_USER;
  faults++;
}

/* Each page of a window is mapped when it is touched. */
u32 run_faults(u32 work) {
  u32 *directory = start_window();
  u32 sum = 0;
  faults = 0;
  set_gate(PAGE_FAULT, page_fault_entry, 0);
  for (u32 round = 0; round < work * 2; round++) {
    for (u32 page = 0; page < WINDOW_PAGES; page++) {
      u32 *word = (u32 *)(WINDOW + page * PAGE_BYTES + (round & 1023) * 4);
      sum += *word += page + round;
    }
    for (u32 page = 0; page < WINDOW_PAGES; page++) window_table[page] = 0;
    load_cr3(directory);
  }
  return mix(sum, faults);
}

/* One page of a window mapped elsewhere, INVLPG, a touch. */
u32 run_invlpg(u32 work) {
  start_window();
  u32 sum = 0;
  for (u32 i = 0; i < work * 4000; i++) {
    u32 page = i & 7;
    window_table[page] = ((u32)VAST + (i * 13 & 1023) * PAGE_BYTES) | PRESENT_WRITE_USER;
    invalidate_page(WINDOW + page * PAGE_BYTES);
    u32 *word = (u32 *)(WINDOW + page * PAGE_BYTES + (i & 1023) * 4);
    sum += *word += i;
  }
  return sum;
}
