/*
 * The kernel: one section, so much work, both from the command line (`section=NAME work=N`, and `paging` to have it on
 * from the start); a checksum over COM1; the end through the debug-exit port.
 */
#include "runtime.h"
#include "sections.h"

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define THRE 0x20
#define DEBUG_EXIT 0xf4
#define STATUS_DONE 8
#define STATUS_WRONG 9

#define INFO_COMMAND_LINE 4
struct multiboot_info {
  u32 flags, memory[2], boot_device;
  const char *command_line;
};

#define GATES 256
#define KERNEL_CODE 0x08
#define GATE_INTERRUPT 0x8e00
#define GATE_USER 0x6000
static u64 gates[GATES];

void unexpected_entry(void);

void send(u8 byte) {
  while (!(in8(LINE_STATUS) & THRE)) {
  }
  out8(COM1, byte);
}

void print(const char *text) {
  while (*text) send((u8)*text++);
}

void print_hex(u32 value) {
  for (int shift = 28; shift >= 0; shift -= 4) send((u8) "0123456789abcdef"[value >> shift & 15]);
}

static void end(u8 status) {
  out8(DEBUG_EXIT, status);
  for (;;) __asm__ volatile("cli; hlt");
}

void unexpected_exception(u32 word) {
  print("unexpected exception at or with ");
  print_hex(word);
  print("\n");
  end(STATUS_WRONG);
}

void set_gate(u32 vector, void (*entry)(void), u32 user) {
  u32 address = (u32)entry;
  u32 attributes = GATE_INTERRUPT | (user ? GATE_USER : 0);
  gates[vector] = (u64)((address & 0xffff0000u) | attributes) << 32 | KERNEL_CODE << 16 | (address & 0xffff);
}

static void start_interrupts(void) {
  struct __attribute__((packed)) {
    u16 limit;
    u32 base;
  } pointer = {sizeof gates - 1, (u32)gates};
  for (u32 vector = 0; vector < GATES; vector++) set_gate(vector, unexpected_entry, 0);
  __asm__ volatile("lidt %0" : : "m"(pointer));
}

/* What stands behind `key` in the command line, or 0. */
static const char *option(const char *line, const char *key) {
  for (; *line; line++) {
    u32 length = 0;
    while (key[length] && line[length] == key[length]) length++;
    if (!key[length]) return line + length;
  }
  return 0;
}

static u32 same_word(const char *text, const char *name) {
  while (*name && *text == *name) text++, name++;
  return !*name && (*text == 0 || *text == ' ');
}

static u32 read_number(const char *text) {
  u32 number = 0;
  while (*text >= '0' && *text <= '9') number = number * 10 + (u32)(*text++ - '0');
  return number;
}

static void run(const struct section *section, u32 work) {
  u32 sum = section->run(work);
  print("checksum ");
  print(section->name);
  print(" ");
  print_hex(sum);
  print("\n");
}

void kernel_main(const struct multiboot_info *info) {
  const char *line = info->flags & INFO_COMMAND_LINE ? info->command_line : "";
  const char *name = option(line, "section=");
  const char *work = option(line, "work=");
  u32 amount = work ? read_number(work) : 1;
  u32 done = 0;
  start_interrupts();
  if (option(line, "paging")) start_paging();
  for (u32 i = 0; name && i < SECTION_COUNT; i++) {
    if (!same_word(name, "all") && !same_word(name, SECTIONS[i].name)) continue;
    run(&SECTIONS[i], amount);
    done++;
  }
  if (!done) print("no such section\n");
  end(done ? STATUS_DONE : STATUS_WRONG);
}
