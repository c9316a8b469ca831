/*
 * Entry, descriptor tables and interrupt stubs: what C cannot say. A flat 32-bit machine with a ring 3 of its own
 * (Intel SDM vol. 3A §3.4.5, §6.11, §7.2).
 */
.set MULTIBOOT_MAGIC, 0x1badb002
.set MULTIBOOT_FLAGS, 2
.set KERNEL_CODE, 0x08
.set KERNEL_DATA, 0x10
.set USER_CODE, 0x1b
.set USER_DATA, 0x23
.set TASK_STATE, 0x28

.section .multiboot, "a"
.align 4
.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

.bss
.align 16
stack: .skip 1 << 20
stack_top:
interrupt_stack: .skip 1 << 14
interrupt_stack_top:
user_stack: .skip 1 << 14
user_stack_top:
kernel_esp: .skip 4

.data
.align 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff  /* kernel code */
  .quad 0x00cf93000000ffff  /* kernel data */
  .quad 0x00cffb000000ffff  /* user code */
  .quad 0x00cff3000000ffff  /* user data */
gdt_task_state:
  .quad 0x0000890000000067
gdt_pointer:
  .word gdt_pointer - gdt - 1
  .long gdt
.align 8
task_state:
  .long 0, interrupt_stack_top, KERNEL_DATA
  .skip 104 - 12

.text
.global start
start:
  movl $stack_top, %esp
  movl $task_state, %eax
  movw %ax, gdt_task_state + 2
  shrl $16, %eax
  movb %al, gdt_task_state + 4
  movb %ah, gdt_task_state + 7
  lgdt gdt_pointer
  ljmp $KERNEL_CODE, $1f
1:
  movl $KERNEL_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %fs
  movl %eax, %gs
  movl %eax, %ss
  movl $TASK_STATE, %eax
  ltr %ax
  fninit
  pushl %ebx
  call kernel_main
halt:
  cli
  hlt
  jmp halt

/* INT 80h: EAX = system_call(EAX, EBX). */
.global system_call_entry
system_call_entry:
  pushl %ecx
  pushl %edx
  pushl %ebx
  pushl %eax
  call system_call
  addl $8, %esp
  popl %edx
  popl %ecx
  iret

/* Back from ring 3: the stack that enter_user left. */
.global leave_user_entry
leave_user_entry:
  movl $KERNEL_DATA, %ecx
  movl %ecx, %ds
  movl %ecx, %es
  movl kernel_esp, %esp
  popl %ebp
  popl %edi
  popl %esi
  popl %ebx
  ret

/* #PF: page_fault(CR2). */
.global page_fault_entry
page_fault_entry:
  pushl %eax
  pushl %ecx
  pushl %edx
  movl %cr2, %eax
  pushl %eax
  call page_fault
  addl $4, %esp
  popl %edx
  popl %ecx
  popl %eax
  addl $4, %esp
  iret

/* Any other exception: unexpected_exception(EIP or error code). */
.global unexpected_entry
unexpected_entry:
  call unexpected_exception

/* u32 enter_user(u32 (*code)(u32), u32 argument): calls code in ring 3, which ends by INT 81h with its result in EAX. */
.global enter_user
enter_user:
  movl 4(%esp), %ecx
  movl 8(%esp), %edx
  pushl %ebx
  pushl %esi
  pushl %edi
  pushl %ebp
  movl %esp, kernel_esp
  movl $user_stack_top - 8, %eax
  movl $user_return, (%eax)
  movl %edx, 4(%eax)
  movl $USER_DATA, %edx
  movl %edx, %ds
  movl %edx, %es
  pushl %edx
  pushl %eax
  pushl $2
  pushl $USER_CODE
  pushl %ecx
  iret
user_return:
  int $0x81

.section .note.GNU-stack, "", @progbits
