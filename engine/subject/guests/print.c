/*
 * Line output through the hypervisor's console. Not for interrupt handlers: there is one line buffer.
 */
#include "guest.h"

#include <stdarg.h>

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
  hypercall(CALL_CONSOLE_WRITE, line, length);
}
