/*
 * G-stage tables: Sv39x4 with 4 KiB pages (hypervisor extension 1.0, 8.5.1). The root (16 KiB) is a block of the heap,
 * the tables below are frames. An entry changes by one store. Tables are added, never taken away before the domain is.
 */
#include "lazarus.h"

#define PTE_V 0x01ul
#define PTE_R 0x02ul
#define PTE_W 0x04ul
#define PTE_X 0x08ul
/* User (G-stage accesses count as user), accessed and dirty: nobody sets A and D for us (Svade). */
#define PTE_UAD 0xd0ul
#define PTE_ADDRESS(pte) (((pte) >> 10 & 0xffffffffffful) << 12)
#define ADDRESS_PTE(address, flags) ((address) >> 12 << 10 | (flags))
#define ROOT_BYTES (4 * PAGE_BYTES)
#define ROOT_ENTRIES (ROOT_BYTES / 8)
#define TABLE_ENTRIES (PAGE_BYTES / 8)
#define HGATP_SV39X4 (8ul << 60)
#define HGATP_ADDRESS(hgatp) (((hgatp)&0xffffffffffful) << 12)

u64 gstage_hgatp(u32 vmid, const void *root) { return HGATP_SV39X4 | (u64)vmid << 44 | (u64)root >> 12; }

u64 gstage_create(u32 vmid) {
  u64 *root = heap_alloc(BLOCK_GSTAGE, vmid, ROOT_BYTES, ROOT_BYTES);
  return root == NULL ? 0 : gstage_hgatp(vmid, root);
}

static int is_table(u64 pte) { return (pte & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V; }

u64 *gstage_leaf(struct domain *domain, u64 gpa, int make) {
  if (gpa >> 30 >= ROOT_ENTRIES) return NULL;
  u64 *entry = (u64 *)HGATP_ADDRESS(domain->hgatp) + (gpa >> 30);
  for (int level = 1; level >= 0; level--) {
    if (*entry == 0) {
      u64 table = make ? frame_alloc(FRAME_GSTAGE, domain->vmid) : 0;
      if (table == 0) return NULL;
      __atomic_store_n(entry, ADDRESS_PTE(table, PTE_V), __ATOMIC_RELEASE);
    }
    ASSERT(is_table(*entry) && frame_of(PTE_ADDRESS(*entry)) != NULL);
    entry = (u64 *)PTE_ADDRESS(*entry) + (gpa >> (12 + 9 * level) & (TABLE_ENTRIES - 1));
  }
  return entry;
}

u64 gstage_lookup(const struct domain *domain, u64 gpa, u64 access) {
  u64 *entry = gstage_leaf((struct domain *)domain, gpa, 0);
  u64 need = PTE_V | PTE_R | ((access & GSTAGE_WRITE) != 0 ? PTE_W : 0);
  if (entry == NULL || (*entry & need) != need) return 0;
  if ((access & GSTAGE_DEVICE) == 0 && !gstage_entry_maps_ram(*entry)) return 0;
  return PTE_ADDRESS(*entry) + (gpa & (PAGE_BYTES - 1));
}

u64 gstage_entry(u64 spa, u64 access) {
  u64 flags = PTE_V | PTE_UAD | PTE_R | ((access & GSTAGE_WRITE) != 0 ? PTE_W : 0) |
              ((access & GSTAGE_DEVICE) != 0 ? 0 : PTE_X);
  return ADDRESS_PTE(spa, flags);
}

u64 gstage_entry_spa(u64 entry) { return PTE_ADDRESS(entry); }

int gstage_entry_maps_ram(u64 entry) { return (entry & PTE_V) != 0 && frame_of(PTE_ADDRESS(entry)) != NULL; }

void gstage_walk(const struct domain *domain, void (*visit)(u64 *entry, u64 gpa, void *), void (*table)(u64 spa, void *),
                 void *context) {
  u64 *root = (u64 *)HGATP_ADDRESS(domain->hgatp);
  for (u64 first = 0; first < ROOT_ENTRIES; first++) {
    if (!is_table(root[first])) continue;
    u64 *middle = (u64 *)PTE_ADDRESS(root[first]);
    ASSERT(frame_of((u64)middle) != NULL);
    for (u64 second = 0; second < TABLE_ENTRIES; second++) {
      if (!is_table(middle[second])) continue;
      u64 *leaves = (u64 *)PTE_ADDRESS(middle[second]);
      timer_beat();
      ASSERT(frame_of((u64)leaves) != NULL);
      for (u64 third = 0; visit != NULL && third < TABLE_ENTRIES; third++)
        if (leaves[third] != 0) visit(&leaves[third], first << 30 | second << 21 | third << 12, context);
      if (table != NULL) table((u64)leaves, context);
    }
    if (table != NULL) table((u64)middle, context);
  }
}

void gstage_fence(const struct domain *domain) {
  u64 others = 0;
  __atomic_fetch_add(&((struct domain *)domain)->fences, 1, __ATOMIC_SEQ_CST); /* who loads it later sees this */
  for (u64 id = 0; id < board.hart_count; id++)
    if (id != this_cpu()->id && cpus[id].loaded != NULL && cpus[id].loaded->domain == domain) others |= 1ul << id;
  hfence_gvma();
  if (others != 0) sbi(SBI_RFENCE, SBI_RFENCE_HFENCE_GVMA, others, 0, 0, ~0ul);
}

/** gstage_lookup once more, in other words and without questions: two ways to one answer. */
static u64 walk(const struct domain *domain, u64 gpa) {
  const u64 *table = (const u64 *)HGATP_ADDRESS(domain->hgatp);
  u64 first = table[gpa >> 30];
  table = (const u64 *)(first >> 10 << 12);
  u64 second = table[gpa << 34 >> 55];
  table = (const u64 *)(second >> 10 << 12);
  return (table[gpa << 43 >> 55] >> 10 << 12) + (gpa << 52 >> 52);
}

static int copy(const struct domain *domain, u64 gpa, u8 *bytes, u64 count, int write) {
  while (count > 0) {
    u64 part = PAGE_BYTES - (gpa & (PAGE_BYTES - 1));
    if (part > count) part = count;
    u8 *host = (u8 *)gstage_lookup(domain, gpa, write ? GSTAGE_WRITE : GSTAGE_READ);
    if (host == NULL) return 0;
    if (CHECKED(walks) && walk(domain, gpa) != (u64)host) suspect_sometimes(); /* or the guest changed its tables in between */
    copy_compared(write ? host : bytes, write ? bytes : host, part);
    gpa += part, bytes += part, count -= part;
  }
  return 1;
}
int guest_read(const struct domain *domain, u64 gpa, void *to, u64 bytes) { return copy(domain, gpa, to, bytes, 0); }
int guest_write(const struct domain *domain, u64 gpa, const void *from, u64 bytes) {
  return copy(domain, gpa, (u8 *)from, bytes, 1);
}
