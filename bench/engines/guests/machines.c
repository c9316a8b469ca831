/* An interpreter of byte code, twice: by a switch, and by labels as values. */
#include "runtime.h"
#include "sections.h"

enum { PUSH, ADD, SUB, MUL, XOR, DUP, SWAP, LOAD, STORE, DECREMENT, JUMP_IF, HALT };

/* counter = 1000; do { a = a * 13 ^ b; b = b + a - 7; } while (--counter); */
static const u8 program[] = {
    LOAD, 0, PUSH, 13, MUL, LOAD, 1, SWAP, XOR, DUP, STORE, 0,
    LOAD, 1, ADD, PUSH, 7, SUB, STORE, 1, DECREMENT, 2, JUMP_IF, 0, HALT,
};

u32 run_switch(u32 work) {
  u32 cells[3] = {1, 2, 0};
  for (u32 round = 0; round < work * 8; round++) {
    u32 stack[16];
    u32 *top = stack;
    const u8 *at = program;
    cells[2] = 1000;
    u32 flag = 0;
    for (u32 running = 1; running;) {
      switch (*at++) {
        case PUSH: *++top = *at++; break;
        case ADD: top--; *top += top[1]; break;
        case SUB: top--; *top -= top[1]; break;
        case MUL: top--; *top *= top[1]; break;
        case XOR: top--; *top ^= top[1]; break;
        case DUP: top[1] = *top; top++; break;
        case SWAP: { u32 kept = *top; *top = top[-1]; top[-1] = kept; break; }
        case LOAD: *++top = cells[*at++]; break;
        case STORE: cells[*at++] = *top--; break;
        case DECREMENT: flag = --cells[*at++]; break;
        case JUMP_IF: at = flag ? program + *at : at + 1; break;
        default: running = 0;
      }
    }
  }
  return cells[0] ^ cells[1];
}

u32 run_labels(u32 work) {
  static const void *const labels[] = {&&push, &&add, &&sub, &&mul, &&xor, &&dup, &&swap, &&load, &&store, &&decrement,
                                       &&jump_if, &&halt};
  u32 cells[3] = {1, 2, 0};
#define NEXT goto *labels[*at++]
  for (u32 round = 0; round < work * 8; round++) {
    u32 stack[16];
    u32 *top = stack;
    const u8 *at = program;
    u32 flag = 0;
    cells[2] = 1000;
    NEXT;
  push: *++top = *at++; NEXT;
  add: top--; *top += top[1]; NEXT;
  sub: top--; *top -= top[1]; NEXT;
  mul: top--; *top *= top[1]; NEXT;
  xor: top--; *top ^= top[1]; NEXT;
  dup: top[1] = *top; top++; NEXT;
  swap: { u32 kept = *top; *top = top[-1]; top[-1] = kept; NEXT; }
  load: *++top = cells[*at++]; NEXT;
  store: cells[*at++] = *top--; NEXT;
  decrement: flag = --cells[*at++]; NEXT;
  jump_if: at = flag ? program + *at : at + 1; NEXT;
  halt:;
  }
  return cells[0] ^ cells[1];
}
