/* What the compiler calls by itself, and what paging needs (Intel SDM vol. 3A §4.3). */
#include "runtime.h"

#define ENTRIES 1024u
#define PRESENT_WRITE_USER 7u
#define CR0_PAGING 0x80010000u

void *memcpy(void *to, const void *from, unsigned long count) {
  void *start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return start;
}

void *memset(void *to, int value, unsigned long count) {
  void *start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  return start;
}

static u32 paging_is_on;

u32 *start_paging(void) {
  u32 *directory = TABLES;
  if (paging_is_on) return directory;
  paging_is_on = 1;
  for (u32 i = 0; i < ENTRIES; i++) directory[i] = 0;
  for (u32 page = 0; page < MEMORY_BYTES / PAGE_BYTES; page++) {
    u32 *table = TABLES + ENTRIES * (1 + page / ENTRIES);
    table[page % ENTRIES] = page * PAGE_BYTES | PRESENT_WRITE_USER;
    directory[page / ENTRIES] = (u32)table | PRESENT_WRITE_USER;
  }
  load_cr3(directory);
  u32 cr0;
  __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PAGING) : "memory");
  return directory;
}
