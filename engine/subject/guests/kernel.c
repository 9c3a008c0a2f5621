/*
 * The tiny kernel under a bare-metal guest: start, traps, hypercalls, failures. Runs in VS-mode. Any exception is a
 * failure of the guest (status 2).
 */
#include "guest.h"

__attribute__((weak)) const u64 guest_ram_bytes = 0x100000;
u64 guest_module, guest_module_bytes;
u64 guest_failures;

__attribute__((interrupt("supervisor"), aligned(4))) static void trap(void) {
  u64 cause = csr_read(SCAUSE);
  if (cause == (CAUSE_INTERRUPT | IRQ_STI)) {
    timer_interrupt();
    return;
  }
  if (cause == (CAUSE_INTERRUPT | IRQ_SEI)) {
    events_interrupt();
    return;
  }
  print_line("exception %d at %x, value %x", cause, csr_read(SEPC), csr_read(STVAL));
  guest_shutdown(2);
}

void guest_start(u64 vcpu, const char *arguments, u64 module, u64 module_bytes) {
  (void)vcpu;
  guest_module = module;
  guest_module_bytes = module_bytes;
  csr_write(STVEC, (u64)trap);
  pages_init(arguments);
  paging_on();
  timer_tick(0);
  csr_write(SIE, 1ul << IRQ_STI);
  interrupts_on();
  u64 status = guest_main(arguments);
  guest_shutdown(status == 0 && guest_failures != 0 ? 1 : status);
}

void guest_shutdown(u64 status) {
  for (;;) hypercall(CALL_SHUTDOWN, status);
}

i64 hypercall_raw(u64 function, u64 p0, u64 p1, u64 p2, u64 p3, u64 p4, u64 p5) {
  register u64 a0 __asm__("a0") = p0;
  register u64 a1 __asm__("a1") = p1;
  register u64 a2 __asm__("a2") = p2;
  register u64 a3 __asm__("a3") = p3;
  register u64 a4 __asm__("a4") = p4;
  register u64 a5 __asm__("a5") = p5;
  register u64 a7 __asm__("a7") = function;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
  return (i64)a0;
}

i64 checked(const char *what, i64 result) {
  if (result < 0) {
    guest_failures++;
    print_line("%s failed: -%d", what, (u64)-result);
  }
  return result;
}

void failed(const char *what) {
  guest_failures++;
  print_line("failed: %s", what);
}

u64 option_number(const char *arguments, const char *name, u64 otherwise) {
  u64 bytes, value;
  const char *text = option_find(arguments, name, &bytes);
  if (text == NULL) return otherwise;
  if (number_parse(text, bytes, &value)) return value;
  guest_failures++;
  print_line("%s= needs a number", name);
  return otherwise;
}
