/*
 * The grant table: one page of entries, shared with the hypervisor, and which of them are free. Reference 0 is never
 * given out. An entry's flags are written last, so that no half-made grant is ever valid.
 */
#include "front.h"

static struct grant_entry table[GRANT_ENTRIES] __attribute__((aligned(PAGE_BYTES)));
static u64 taken[GRANT_ENTRIES / 64] = {1};
static int on;

i64 grants_on(void) {
  if (on) return 0;
  i64 result = hypercall(CALL_GRANT_SETUP, table);
  if (result >= 0) on = 1;
  return result;
}

i64 grant_allow(u64 vmid, u64 gpa, u64 flags) {
  for (u64 ref = 1; ref < GRANT_ENTRIES; ref++) {
    if ((taken[ref / 64] >> ref % 64 & 1) != 0) continue;
    taken[ref / 64] |= 1ul << ref % 64;
    table[ref].vmid = (u16)vmid;
    table[ref].frame = (u32)(gpa >> 12);
    __atomic_store_n(&table[ref].flags, (u16)flags, __ATOMIC_RELEASE);
    return (i64)ref;
  }
  return CALL_NO_MEMORY;
}

i64 grant_end(u64 ref) {
  u32 *word = (u32 *)&table[ref]; /* flags and vmid: nothing narrower can be exchanged atomically */
  u32 old = __atomic_load_n(word, __ATOMIC_ACQUIRE);
  do {
    if ((old & (GRANT_READING | GRANT_WRITING)) != 0) return CALL_BUSY;
  } while (!__atomic_compare_exchange_n(word, &old, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  taken[ref / 64] &= ~(1ul << ref % 64);
  return 0;
}

u64 grant_flags(u64 ref) { return table[ref].flags; }
u64 grant_gpa(u64 ref) { return (u64)table[ref].frame << 12; }
