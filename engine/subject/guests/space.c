/*
 * Address spaces of processes: their own root table, the kernel's part shared by entry, user pages below 1 GiB with use
 * counts (fork shares them until one side writes). Relies on the kernel's identity mapping to reach any page.
 */
#include "guest.h"
#include "process.h"

/** In PTE bits that are the software's: written to by all, but shared for now. */
#define PTE_COPY 0x100ul
/** All of a process lies below 2 MiB, under one table; the stack is its last page. */
#define USER_PAGES 512ul
_Static_assert(USER_STACK == (USER_PAGES - 1) * PAGE_BYTES, "the stack is the last page");
#define MAX_PAGES 512

extern u8 user_start[], user_end[];
static u8 uses[MAX_PAGES];

static u8 *uses_of(u64 pte) { return &uses[(PTE_TO_GPA(pte) - GPA_RAM) / PAGE_BYTES]; }
static int is_text(u64 pte) { return (pte & PTE_EXECUTE) != 0; }

/** The table of all user pages; NULL without one. */
static u64 *user_table(u64 *root) { return pte_find(root, 0, 0); }

static void fence_page(u64 address, u64 asid) {
  __asm__ volatile("sfence.vma %0, %1" : : "r"(address), "r"(asid) : "memory");
}
static void fence_space(u64 asid) { __asm__ volatile("sfence.vma x0, %0" : : "r"(asid) : "memory"); }

u64 *space_make(void) {
  u64 *root = page_alloc();
  if (root == NULL) return NULL;
  root[GPA_RAM >> 30] = paging_root()[GPA_RAM >> 30];
  for (u64 at = 0; at < (u64)(user_end - user_start); at += PAGE_BYTES) {
    u64 *entry = pte_find(root, USER_TEXT + at, 1);
    if (entry == NULL) return space_free(root, 0), NULL;
    *entry = GPA_TO_PTE(user_start + at, PTE_VALID | PTE_READ | PTE_EXECUTE | PTE_USER | PTE_AD);
  }
  return root;
}

static void drop(u64 *entry) {
  u64 pte = *entry;
  *entry = 0;
  if ((pte & PTE_VALID) == 0 || is_text(pte)) return;
  if (--*uses_of(pte) == 0) page_free((void *)PTE_TO_GPA(pte));
}

void space_free(u64 *root, u64 asid) {
  u64 *table = user_table(root);
  for (u64 page = 0; table != NULL && page < USER_PAGES; page++)
    if (table[page] != 0) drop(&table[page]);
  u64 *middle = (root[0] & PTE_VALID) == 0 ? NULL : (u64 *)PTE_TO_GPA(root[0]);
  for (u64 n = 0; middle != NULL && n < 512; n++)
    if ((middle[n] & PTE_VALID) != 0) page_free((void *)PTE_TO_GPA(middle[n]));
  if (middle != NULL) page_free(middle);
  csr_write(SATP, SATP_SV39 | (u64)paging_root() >> 12); /* the hart may be using what goes now */
  page_free(root);
  fence_space(asid);
}

u64 *space_fork(u64 *root, u64 asid) {
  u64 *copy = space_make();
  if (copy == NULL) return NULL;
  u64 *from = user_table(root), *to = user_table(copy);
  for (u64 page = 0; page < USER_PAGES; page++) {
    if ((from[page] & PTE_VALID) == 0 || is_text(from[page])) continue;
    if ((from[page] & PTE_WRITE) != 0) from[page] = (from[page] & ~PTE_WRITE) | PTE_COPY;
    to[page] = from[page];
    ++*uses_of(from[page]);
  }
  fence_space(asid); /* the parent may no longer write */
  return copy;
}

int space_map(u64 *root, u64 address, u64 pages) {
  for (u64 at = address; at < address + pages * PAGE_BYTES; at += PAGE_BYTES) {
    u64 *entry = pte_find(root, at, 1);
    if (entry == NULL || (*entry & PTE_VALID) != 0) return -1;
    void *page = page_alloc();
    if (page == NULL) return -1;
    *entry = GPA_TO_PTE(page, PTE_VALID | PTE_READ | PTE_WRITE | PTE_USER | PTE_AD);
    *uses_of(*entry) = 1;
  }
  sfence_vma(); /* a hart may remember that there was nothing (privileged manual, 4.2.1) */
  return 0;
}

int space_unmap(u64 *root, u64 asid, u64 address, u64 pages) {
  for (u64 at = address; at < address + pages * PAGE_BYTES; at += PAGE_BYTES) {
    u64 *entry = pte_find(root, at, 0);
    if (entry == NULL || (*entry & PTE_VALID) == 0) return -1;
    drop(entry);
    fence_page(at, asid);
  }
  return 0;
}

int space_protect(u64 *root, u64 asid, u64 address, u64 pages, int writable) {
  for (u64 at = address; at < address + pages * PAGE_BYTES; at += PAGE_BYTES) {
    u64 *entry = pte_find(root, at, 0);
    if (entry == NULL || (*entry & PTE_VALID) == 0 || is_text(*entry)) return -1;
    *entry &= ~(PTE_WRITE | PTE_COPY);
    if (writable) *entry |= *uses_of(*entry) == 1 ? PTE_WRITE : PTE_COPY;
    fence_page(at, asid);
  }
  return 0;
}

int space_store_fault(u64 *root, u64 asid, u64 address) {
  if (address >= USER_PAGES * PAGE_BYTES) return 0;
  u64 *entry = user_table(root) + address / PAGE_BYTES;
  if ((*entry & PTE_VALID) == 0 || (*entry & PTE_COPY) == 0) return 0;
  if (*uses_of(*entry) > 1) {
    void *page = page_alloc();
    if (page == NULL) return -1;
    memcpy(page, (void *)PTE_TO_GPA(*entry), PAGE_BYTES);
    --*uses_of(*entry);
    *entry = GPA_TO_PTE(page, *entry & 0x3ff);
    *uses_of(*entry) = 1;
  }
  *entry = (*entry & ~PTE_COPY) | PTE_WRITE;
  fence_page(address, asid);
  return 1;
}

u64 *space_word(u64 *root, u64 asid, u64 address, int write) {
  if (address % 8 != 0 || address >= USER_PAGES * PAGE_BYTES) return NULL;
  if (write && space_store_fault(root, asid, address) < 0) return NULL;
  u64 entry = user_table(root)[address / PAGE_BYTES];
  u64 needed = PTE_VALID | PTE_USER | (write ? PTE_WRITE : PTE_READ);
  return (entry & needed) == needed ? (u64 *)(PTE_TO_GPA(entry) + address % PAGE_BYTES) : NULL;
}
