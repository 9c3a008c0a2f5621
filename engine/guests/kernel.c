/*
 * The tiny kernel under a bare-metal guest. Runs in VS-mode with Sv39 on: guest RAM at its physical addresses and,
 * again, at GUEST_ALIAS, in 4 KiB pages. Any exception is a failure of the guest (status 2).
 */
#include "guest.h"

#include <stdarg.h>

/* Sv39: valid, all access, accessed and dirty (Svade: nobody sets them for us). */
#define PTE_LEAF 0xcful
#define PTE_TABLE 0x01ul
#define SATP_SV39 (8ul << 60)
/** 100 us at 10 MHz. */
#define TICK 1000

static u64 root[512] __attribute__((aligned(PAGE_BYTES)));
static u64 middle[512] __attribute__((aligned(PAGE_BYTES)));
static u64 leaf[512] __attribute__((aligned(PAGE_BYTES)));
volatile u64 guest_ticks;

static void paging_on(void) {
  for (u64 page = 0; page < GUEST_RAM_BYTES / PAGE_BYTES; page++)
    leaf[page] = (GUEST_RAM + page * PAGE_BYTES) >> 12 << 10 | PTE_LEAF;
  middle[GUEST_RAM >> 21 & 511] = (u64)leaf >> 12 << 10 | PTE_TABLE;
  root[GUEST_RAM >> 30 & 511] = (u64)middle >> 12 << 10 | PTE_TABLE;
  root[GUEST_ALIAS >> 30 & 511] = (u64)middle >> 12 << 10 | PTE_TABLE;
  sfence_vma();
  csr_write(SATP, SATP_SV39 | (u64)root >> 12);
  sfence_vma();
}

__attribute__((interrupt("supervisor"), aligned(4))) static void trap(void) {
  u64 cause = csr_read(SCAUSE);
  if (cause == (CAUSE_INTERRUPT | IRQ_STI)) {
    guest_ticks++;
    csr_write(STIMECMP, csr_read(TIME) + TICK);
    return;
  }
  print_line("exception %d at %x, value %x", cause, csr_read(SEPC), csr_read(STVAL));
  for (;;) hypercall(CALL_SHUTDOWN, 2, 0);
}

void guest_start(u64 vcpu, const char *arguments) {
  (void)vcpu;
  csr_write(STVEC, (u64)trap);
  paging_on();
  csr_write(STIMECMP, csr_read(TIME) + TICK);
  csr_write(SIE, 1ul << IRQ_STI);
  csr_set(SSTATUS, STATUS_SIE);
  u64 status = guest_main(arguments);
  for (;;) hypercall(CALL_SHUTDOWN, status, 0);
}

void guest_wait_tick(void) {
  u64 before = guest_ticks;
  while (guest_ticks == before) wait_for_interrupt();
}

u64 hypercall(u64 function, u64 p0, u64 p1) {
  register u64 a0 __asm__("a0") = p0;
  register u64 a1 __asm__("a1") = p1;
  register u64 a7 __asm__("a7") = function;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
  return a0;
}

static char line[CALL_TEXT_BYTES];
static u64 length;

static void put(char byte) {
  if (length < sizeof(line)) line[length++] = byte;
}
static void put_number(u64 value, u64 base) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) put(digits[--count]);
}

void print_line(const char *format, ...) {
  va_list list;
  va_start(list, format);
  length = 0;
  for (; *format != 0; format++) {
    if (*format != '%') {
      put(*format);
    } else if (*++format == 's') {
      for (const char *text = va_arg(list, const char *); *text != 0; text++) put(*text);
    } else if (*format == 'd') {
      put_number(va_arg(list, u64), 10);
    } else {
      put('0'), put('x');
      put_number(va_arg(list, u64), 16);
    }
  }
  va_end(list);
  put('\n');
  hypercall(CALL_CONSOLE_WRITE, (u64)line, length);
}
