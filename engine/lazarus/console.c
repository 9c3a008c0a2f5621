/*
 * The console: whole lines out, through the recovery block, which makes "printed" and "known to be printed" one step;
 * bytes in, by the UART's interrupt through the PLIC, to VM 1.
 */
#include <stdarg.h>

#include "lazarus.h"

#define PLIC_PRIORITY(source) (BOARD_PLIC + 4ul * (source))
#define PLIC_ENABLE(context) (BOARD_PLIC + 0x2000 + 0x80ul * (context))
#define PLIC_THRESHOLD(context) (BOARD_PLIC + 0x200000 + 0x1000ul * (context))
#define PLIC_CLAIM(context) (PLIC_THRESHOLD(context) + 4)
/** Each hart has an M and an S context. */
#define PLIC_CONTEXT(hart) (2 * (hart) + 1)
#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_STATUS 5

static struct spinlock console_lock;
/** Orders notes of output that no hypercall is behind. */
static u64 print_ledger;

/** Routes the UART's interrupt to the boot hart, and to no other. */
void console_init(void) {
  lock_init(&console_lock, "console");
  mmio_write32(PLIC_PRIORITY(BOARD_UART_IRQ), 1);
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    mmio_write32(PLIC_ENABLE(PLIC_CONTEXT(hart)), hart == boot_hart ? 1u << BOARD_UART_IRQ : 0);
    mmio_write32(PLIC_THRESHOLD(PLIC_CONTEXT(hart)), 0);
  }
  mmio_write8(BOARD_UART + UART_INTERRUPTS, 1);
}

struct text {
  char bytes[2 * CALL_TEXT_BYTES];
  u64 length;
};

static void put(struct text *text, char byte) {
  if (text->length < sizeof(text->bytes)) text->bytes[text->length++] = byte;
}
static void put_text(struct text *text, const char *from) {
  while (*from != 0) put(text, *from++);
}
static void put_number(struct text *text, u64 value, u64 base) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) put(text, digits[--count]);
}

static void emit(const struct text *text, u64 *ledger, u64 value) {
  struct sbi_result result =
      sbi(SBI_RECOVERY, SBI_RECOVERY_EMIT, (u64)text->bytes, text->length, (u64)ledger, value);
  ASSERT(result.error == SBI_OK);
}

void print(const char *format, ...) {
  struct text text = {.length = 0};
  va_list list;
  va_start(list, format);
  for (; *format != 0; format++) {
    if (*format != '%') {
      put(&text, *format);
    } else if (*++format == 's') {
      put_text(&text, va_arg(list, const char *));
    } else if (*format == 'd') {
      put_number(&text, va_arg(list, u64), 10);
    } else {
      put_text(&text, "0x");
      put_number(&text, va_arg(list, u64), 16);
    }
  }
  va_end(list);
  emit(&text, &print_ledger, 1);
}

void console_write(struct vcpu *vcpu, u64 gpa, u64 bytes) {
  const u8 *from = bytes <= CALL_TEXT_BYTES ? domain_memory(vcpu->domain, gpa, bytes) : NULL;
  if (from == NULL) {
    hypercall_complete(vcpu, (u64)CALL_BAD_ARGUMENT);
    return;
  }
  struct text text = {.length = 0};
  lock_acquire(&console_lock);
  for (u64 at = 0; at < bytes; at++) {
    if (at == 0 || from[at - 1] == '\n') put_text(&text, vcpu->domain->name), put_text(&text, ": ");
    put(&text, (char)from[at]);
  }
  if (vcpu->call.emitted != vcpu->call.id) emit(&text, &vcpu->call.emitted, vcpu->call.id);
  lock_release(&console_lock);
  hypercall_complete(vcpu, bytes);
}

void console_read(struct vcpu *vcpu) {
  struct domain *domain = vcpu->domain;
  u64 result = ~0ul;
  lock_acquire(&domain->lock);
  if (domain->input_tail != domain->input_head) {
    result = domain->input[domain->input_tail % INPUT_BYTES];
    hypercall_undo_log(vcpu, &domain->input_tail);
    domain->input_tail++;
  }
  hypercall_complete(vcpu, result);
  lock_release(&domain->lock);
}

/** Bytes that do not fit are dropped, as a UART would. */
void console_interrupt(void) {
  u64 context = PLIC_CONTEXT(this_cpu()->id);
  u32 source = mmio_read32(PLIC_CLAIM(context));
  if (source == 0) return;
  plant_in_irq();
  struct domain *domain = domain_find(1);
  while (source == BOARD_UART_IRQ && (mmio_read8(BOARD_UART + UART_STATUS) & 1) != 0) {
    u8 byte = mmio_read8(BOARD_UART + UART_DATA);
    if (domain == NULL) continue;
    lock_acquire(&domain->lock);
    if (domain->input_head - domain->input_tail < INPUT_BYTES) {
      domain->input[domain->input_head % INPUT_BYTES] = byte;
      domain->input_head++;
    }
    lock_release(&domain->lock);
  }
  mmio_write32(PLIC_CLAIM(context), source); /* complete */
}

/** Completes what any hart may have claimed: while its context still has the source enabled, else it is ignored. */
void console_complete_all(void) {
  for (u64 hart = 0; hart < board.hart_count; hart++) {
    u64 context = PLIC_CONTEXT(hart);
    mmio_write32(PLIC_ENABLE(context), 1u << BOARD_UART_IRQ);
    mmio_write32(PLIC_CLAIM(context), BOARD_UART_IRQ);
    if (hart != boot_hart) mmio_write32(PLIC_ENABLE(context), 0);
  }
}
