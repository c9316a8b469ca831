/* What only the kernel may do: interrupts of software, ports, the interrupt flag, ring 3 and back. */
#include "runtime.h"
#include "sections.h"

#define SYSTEM_CALL 0x80
#define LEAVE_USER 0x81
#define LINE_STATUS 0x3fd
#define PIC_MASK 0x21
#define POST_CODE 0x80

void system_call_entry(void);
void leave_user_entry(void);

static u32 calls;

u32 system_call(u32 number, u32 argument) {
  calls++;
  switch (number & 3) {
    case 0: return argument + calls;
    case 1: return argument ^ 0x5a5a5a5a;
    case 2: return rotate_left(argument, 7);
    default: return calls;
  }
}

static inline u32 call_system(u32 number, u32 argument) {
  __asm__ volatile("int $0x80" : "+a"(number) : "b"(argument) : "memory", "cc");
  return number;
}

static u32 make_calls(u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; i++) sum = mix(sum, call_system(i, sum));
  return sum;
}

u32 run_int80(u32 work) {
  calls = 0;
  set_gate(SYSTEM_CALL, system_call_entry, 1);
  return make_calls(work * 2000);
}

/* The same from ring 3. */
u32 run_user(u32 work) {
  calls = 0;
  start_paging();
  set_gate(SYSTEM_CALL, system_call_entry, 1);
  set_gate(LEAVE_USER, leave_user_entry, 1);
  return enter_user(make_calls, work * 2000);
}

u32 run_port_in(u32 work) {
  u32 sum = 0;
  for (u32 i = work * 5000; i != 0; i--) sum = rotate_left(sum, 1) + (in8(LINE_STATUS) & 0x60);
  return sum;
}

u32 run_port_out(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work * 3000; i++) {
    out8(POST_CODE, (u8)i);
    out8(PIC_MASK, (u8)(i * 7));
    sum = mix(sum, in8(PIC_MASK));
  }
  out8(PIC_MASK, 0xff);
  return sum;
}

/* Bytes sent over COM1, each when the transmitter is empty. */
u32 run_serial(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work * 300; i++) {
    u8 byte = i % 64 == 63 ? '\n' : (u8)('a' + i % 26);
    send(byte);
    sum = mix(sum, byte);
  }
  send('\n');
  return sum;
}

/* PUSHF, CLI, POPF, and EFLAGS read back: how a kernel takes a lock. */
u32 run_flags(u32 work) {
  u32 sum = 0;
  for (u32 i = 0; i < work * 10000; i++) {
    u32 flags;
    __asm__ volatile("pushf\n\tcli\n\tpop %0" : "=r"(flags) : : "memory");
    sum = mix(sum, (flags & 0x200) + i);
    __asm__ volatile("push %0\n\tpopf" : : "r"(flags) : "memory", "cc");
  }
  return sum;
}
