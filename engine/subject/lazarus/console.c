/*
 * The console: whole lines out, through the recovery block, which makes "printed" and "known to be printed" one step;
 * bytes in, by the UART's interrupt through the PLIC, to VM 1.
 */
#include <stdarg.h>

#include "lazarus.h"

#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_STATUS 5

STATIC_LOCK(console_lock, "console");
/** Orders notes of output that no hypercall is behind. */
static u64 print_ledger;

void console_init(void) { mmio_write8(BOARD_UART + UART_INTERRUPTS, 1); }

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

/** The same part of the same hypercall, made again, finds that its output is out. */
static void emit_once(struct vcpu *vcpu, const struct text *text) {
  struct inflight *call = &vcpu->call;
  u64 part = call->id * (2 * MULTICALL_MAX) + (call->step - call->first_step);
  if (call->emitted != part) emit(text, &call->emitted, part);
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

i64 console_write(struct vcpu *vcpu, const u64 *arguments) {
  u64 bytes = arguments[1];
  u8 from[CALL_TEXT_BYTES];
  if (bytes > CALL_TEXT_BYTES || !guest_read(vcpu->domain, arguments[0], from, bytes)) return CALL_BAD_ARGUMENT;
  struct text text = {.length = 0};
  call_lock(&console_lock);
  for (u64 at = 0; at < bytes; at++) {
    if (at == 0 || from[at - 1] == '\n') put_text(&text, vcpu->domain->name), put_text(&text, ": ");
    put(&text, (char)from[at]);
  }
  emit_once(vcpu, &text);
  return (i64)bytes;
}

i64 console_read(struct vcpu *vcpu, const u64 *arguments) {
  (void)arguments;
  struct domain *domain = vcpu->domain;
  call_lock_domains(domain, NULL);
  if (domain->input_tail == domain->input_head) return -1;
  u8 byte = domain->input[domain->input_tail % INPUT_BYTES];
  undo_write(vcpu, &domain->input_tail, domain->input_tail + 1);
  return byte;
}

/**
 * Reading the UART takes the byte away, so the recovery block reads, and stores, in one step. Bytes that do not fit are
 * dropped, as a UART would.
 */
void console_receive(void) {
  struct domain *domain = domain_list;
  while ((mmio_read8(BOARD_UART + UART_STATUS) & 1) != 0) {
    if (domain == NULL || domain->input_head - domain->input_tail >= INPUT_BYTES) {
      mmio_read8(BOARD_UART + UART_DATA);
      continue;
    }
    lock_acquire(&domain->lock);
    u64 head = domain->input_head, place = (u64)&domain->input[head % INPUT_BYTES];
    sbi(SBI_RECOVERY, SBI_RECOVERY_RECEIVE, place, (u64)&domain->input_head, head + 1, 0);
    lock_release(&domain->lock);
  }
}

void console_put(struct vcpu *vcpu, char byte) {
  struct text text = {.length = 0};
  put(&text, byte);
  emit_once(vcpu, &text);
}

int console_put_all(struct vcpu *vcpu, u64 gpa, u64 bytes) {
  struct text text = {.length = bytes};
  if (!guest_read(vcpu->domain, gpa, text.bytes, bytes)) return 0;
  emit_once(vcpu, &text);
  return 1;
}
