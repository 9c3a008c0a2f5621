/*
 * Lazarus's own memcpy: the hottest loop of the hypervisor, and the one that does most harm when a register or an
 * instruction of it is hit. It never writes more than it was asked to, whatever its counter becomes, and it says so
 * when its three registers do not agree in the end. What a guest will see is compared with its source besides, by other
 * instructions.
 */
#include "lazarus.h"

void *memcpy(void *to, const void *from, u64 bytes) {
  u8 *out = to;
  const u8 *in = from;
  u64 left = bytes;
  if ((((u64)to | (u64)from) & 7) == 0) {
    /* left - 32 < bytes: one comparison for "32 are left" and "not more than there were". */
    for (; left - 32 < bytes; left -= 32, out += 32, in += 32) {
      u64 a = ((const u64 *)in)[0], b = ((const u64 *)in)[1], c = ((const u64 *)in)[2], d = ((const u64 *)in)[3];
      ((u64 *)out)[0] = a;
      ((u64 *)out)[1] = b;
      ((u64 *)out)[2] = c;
      ((u64 *)out)[3] = d;
    }
  }
  for (; left - 1 < bytes; left--) *out++ = *in++;
  CHECK(memcpy, left == 0 && out == (u8 *)to + bytes && in == (const u8 *)from + bytes);
  return to;
}

static int same(const void *one, const void *other, u64 bytes) {
  const u8 *a = one, *b = other, *end = a + bytes;
  if ((((u64)a | (u64)b) & 7) == 0) {
    for (; end - a >= 32; a += 32, b += 32) {
      const u64 *x = (const u64 *)a, *y = (const u64 *)b;
      if (((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) != 0) return 0;
    }
  }
  for (; a < end; a++, b++)
    if (*a != *b) return 0;
  return 1;
}

/** A guest may change the source while it is copied, so a difference proves nothing by itself. */
void copy_compared(void *to, const void *from, u64 bytes) {
  memcpy(to, from, bytes);
  if (!CHECKED(copies) || same(to, from, bytes)) return;
  memcpy(to, from, bytes);
  if (!same(to, from, bytes)) suspect_sometimes();
}
