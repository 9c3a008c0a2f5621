/*
 * VS-stage paging, Sv39 in 4 KiB pages: the kernel's address space, and what other ones are built with. Tables are at
 * their gpa in every space that the kernel uses them from. ASID 0 is the kernel's.
 */
#include "guest.h"

static u64 root[512] __attribute__((aligned(PAGE_BYTES)));
static u64 middle[512] __attribute__((aligned(PAGE_BYTES)));
static u64 leaf[512] __attribute__((aligned(PAGE_BYTES)));

void paging_on(void) {
  for (u64 page = 0; page < guest_ram_bytes / PAGE_BYTES; page++)
    leaf[page] = GPA_TO_PTE(GPA_RAM + page * PAGE_BYTES, PTE_VALID | PTE_READ | PTE_WRITE | PTE_EXECUTE | PTE_AD);
  middle[GPA_RAM >> 21 & 511] = GPA_TO_PTE(leaf, PTE_VALID);
  root[GPA_RAM >> 30 & 511] = GPA_TO_PTE(middle, PTE_VALID);
  root[GUEST_ALIAS >> 30 & 511] = GPA_TO_PTE(middle, PTE_VALID);
  sfence_vma();
  csr_write(SATP, SATP_SV39 | (u64)root >> 12);
  sfence_vma();
}

u64 *paging_root(void) { return root; }

u64 *pte_find(u64 *table, u64 address, int make) {
  for (int level = 2; level > 0; level--) {
    u64 *entry = &table[address >> (12 + 9 * level) & 511];
    if ((*entry & PTE_VALID) == 0) {
      void *fresh = make ? page_alloc() : NULL;
      if (fresh == NULL) return NULL;
      *entry = GPA_TO_PTE(fresh, PTE_VALID);
    }
    table = (u64 *)PTE_TO_GPA(*entry);
  }
  return &table[address >> 12 & 511];
}

int map_range(u64 address, u64 gpa, u64 bytes, u64 flags) {
  for (u64 at = 0; at < bytes; at += PAGE_BYTES) {
    u64 *entry = pte_find(root, address + at, 1);
    if (entry == NULL) return -1;
    *entry = GPA_TO_PTE(gpa + at, flags | PTE_VALID | PTE_AD);
  }
  sfence_vma();
  return 0;
}

void unmap_range(u64 address, u64 bytes) {
  for (u64 at = 0; at < bytes; at += PAGE_BYTES) {
    u64 *entry = pte_find(root, address + at, 0);
    if (entry != NULL) *entry = 0;
  }
  sfence_vma();
}
