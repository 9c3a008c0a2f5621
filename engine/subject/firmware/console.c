/*
 * The UART (16550, polled), one writer at a time. Relies on the reset state: 8N1, FIFOs as the board leaves them.
 */
#include <stdarg.h>

#include "firmware.h"

#define UART_DATA 0
#define UART_STATUS 5
#define STATUS_RECEIVED 0x01
#define STATUS_IDLE 0x20

static volatile u32 busy;

static void lock(void) {
  while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE) != 0)
    ;
}
static void unlock(void) { __atomic_store_n(&busy, 0, __ATOMIC_RELEASE); }

static void put(char byte) {
  while ((mmio_read8(BOARD_UART + UART_STATUS) & STATUS_IDLE) == 0)
    ;
  mmio_write8(BOARD_UART + UART_DATA, (u8)byte);
}

void console_byte(char byte) { console_write(&byte, 1); }

void console_write(const char *text, u64 bytes) {
  lock();
  for (u64 at = 0; at < bytes; at++) put(text[at]);
  unlock();
}

i64 console_read(void) {
  if ((mmio_read8(BOARD_UART + UART_STATUS) & STATUS_RECEIVED) == 0) return -1;
  return mmio_read8(BOARD_UART + UART_DATA);
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

void console_print(const char *format, ...) {
  va_list list;
  va_start(list, format);
  lock();
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
  unlock();
  va_end(list);
}
