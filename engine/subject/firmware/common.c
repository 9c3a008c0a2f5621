/*
 * Memory and text routines for freestanding code, linked into firmware, hypervisor and guests. Memory routines move
 * eight bytes at a time when both ends are aligned: they dominate boot time otherwise.
 */
#include "types.h"

/** Lazarus has its own (lazarus/copy.c). */
__attribute__((weak)) void *memcpy(void *to, const void *from, u64 bytes) {
  u8 *out = to;
  const u8 *in = from;
  if ((((u64)to | (u64)from) & 7) == 0) {
    for (; bytes >= 32; bytes -= 32, out += 32, in += 32) {
      u64 a = ((const u64 *)in)[0], b = ((const u64 *)in)[1], c = ((const u64 *)in)[2], d = ((const u64 *)in)[3];
      ((u64 *)out)[0] = a;
      ((u64 *)out)[1] = b;
      ((u64 *)out)[2] = c;
      ((u64 *)out)[3] = d;
    }
  }
  while (bytes-- > 0) *out++ = *in++;
  return to;
}

void *memset(void *to, int value, u64 bytes) {
  u8 *out = to;
  u64 word = (u8)value * 0x0101010101010101ul;
  for (; bytes > 0 && ((u64)out & 7) != 0; bytes--) *out++ = (u8)value;
  for (; bytes >= 64; bytes -= 64, out += 64) {
    u64 *words = (u64 *)out;
    words[0] = words[1] = words[2] = words[3] = words[4] = words[5] = words[6] = words[7] = word;
  }
  while (bytes-- > 0) *out++ = (u8)value;
  return to;
}

int memcmp(const void *a, const void *b, u64 bytes) {
  const u8 *left = a, *right = b;
  for (u64 at = 0; at < bytes; at++)
    if (left[at] != right[at]) return left[at] - right[at];
  return 0;
}

u64 string_length(const char *text) {
  u64 bytes = 0;
  while (text[bytes] != 0) bytes++;
  return bytes;
}

int string_equal(const char *a, const char *b) { return string_is(a, string_length(a), b); }

int string_is(const char *text, u64 bytes, const char *name) {
  return string_length(name) == bytes && memcmp(text, name, bytes) == 0;
}

const char *option_find(const char *line, const char *name, u64 *bytes) {
  const char *found = NULL;
  u64 name_bytes = string_length(name);
  while (*line != 0) {
    const char *word = line;
    while (*line != 0 && *line != ' ') line++;
    u64 word_bytes = (u64)(line - word);
    if (word_bytes > name_bytes && word[name_bytes] == '=' && memcmp(word, name, name_bytes) == 0) {
      found = word + name_bytes + 1;
      *bytes = word_bytes - name_bytes - 1;
    }
    while (*line == ' ') line++;
  }
  return found;
}

int number_parse(const char *text, u64 bytes, u64 *value) {
  u64 base = 10, sum = 0;
  if (bytes > 2 && text[0] == '0' && text[1] == 'x') base = 16, text += 2, bytes -= 2;
  if (bytes == 0) return 0;
  for (u64 at = 0; at < bytes; at++) {
    u64 digit = (u64)text[at] - '0';
    if (base == 16 && digit > 9) digit = ((u64)text[at] | 0x20) - 'a' + 10;
    if (digit >= base) return 0;
    sum = sum * base + digit;
  }
  *value = sum;
  return 1;
}
