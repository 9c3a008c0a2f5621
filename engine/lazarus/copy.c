/*
 * Lazarus's own memcpy: the hottest loop of the hypervisor, and the one that does most harm when a register in it is hit. It
 * never writes more than it was asked to, whatever its counter becomes, and it says so when its three registers do not
 * agree in the end.
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
  ASSERT(left == 0 && out == (u8 *)to + bytes && in == (const u8 *)from + bytes);
  return to;
}
