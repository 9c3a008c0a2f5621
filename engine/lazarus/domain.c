/*
 * Domains: creation from an ELF image, guest RAM, and G-stage tables (Sv39x4 with 4 KiB pages; hypervisor extension
 * 1.0, 8.5.1). All of a domain lies in the heap. Relies on one range of guest RAM at BOARD_RAM_BASE.
 */
#include "lazarus.h"

#define RAM_BYTES 0x100000ul
/* Valid, all access, user (G-stage accesses count as user), accessed and dirty: nobody sets A and D for us (Svade). */
#define PTE_LEAF 0xdful
#define PTE_TABLE 0x01ul
#define PTE_TO_ADDRESS(pte) (((pte) >> 10 & 0xffffffffffful) << 12)
#define ADDRESS_TO_PTE(address, flags) ((address) >> 12 << 10 | (flags))
#define ROOT_BYTES (4 * PAGE_BYTES)
#define HGATP_SV39X4 (8ul << 60)
#define HGATP_ADDRESS(hgatp) (((hgatp)&0xffffffffffful) << 12)

struct domain *domain_list;
struct spinlock domain_list_lock;

/** Root, one level-1 and one level-0 table: enough for 2 MiB of guest RAM at a 2 MiB boundary. Returns hgatp or 0. */
static u64 build_tables(u32 vmid, const u8 *ram) {
  u64 *root = heap_alloc(BLOCK_GSTAGE, vmid, ROOT_BYTES + 2 * PAGE_BYTES, ROOT_BYTES);
  if (root == NULL) return 0;
  u64 *middle = root + ROOT_BYTES / 8, *leaf = middle + PAGE_BYTES / 8;
  root[BOARD_RAM_BASE >> 30] = ADDRESS_TO_PTE((u64)middle, PTE_TABLE);
  middle[BOARD_RAM_BASE >> 21 & 511] = ADDRESS_TO_PTE((u64)leaf, PTE_TABLE);
  for (u64 page = 0; page < RAM_BYTES / PAGE_BYTES; page++)
    leaf[(BOARD_RAM_BASE >> 12 & 511) + page] = ADDRESS_TO_PTE((u64)ram + page * PAGE_BYTES, PTE_LEAF);
  return HGATP_SV39X4 | (u64)vmid << 44 | (u64)root >> 12;
}

struct elf_header {
  u8 ident[16];
  u16 type, machine;
  u32 version;
  u64 entry, phoff, shoff;
  u32 flags;
  u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
  u32 type, flags;
  u64 offset, vaddr, paddr, filesz, memsz, align;
};

/** Copies the loadable segments into guest RAM. Returns the entry point, or 0 when the image does not fit or is none. */
static u64 load_elf(const struct domain *domain, const u8 *elf, u64 bytes) {
  const struct elf_header *file = (const struct elf_header *)elf;
  if (bytes < sizeof(*file) || memcmp(file->ident, "\177ELF\2\1", 6) != 0 || file->machine != 243) return 0;
  if (file->phoff > bytes || file->phnum * sizeof(struct elf_segment) > bytes - file->phoff) return 0;
  const struct elf_segment *segments = (const struct elf_segment *)(elf + file->phoff);
  for (u64 n = 0; n < file->phnum; n++) {
    const struct elf_segment *segment = &segments[n];
    if (segment->type != 1) continue;
    u64 at = segment->paddr - BOARD_RAM_BASE;
    if (segment->offset > bytes || segment->filesz > bytes - segment->offset) return 0;
    if (at > domain->ram_bytes || segment->memsz > domain->ram_bytes - at || segment->filesz > segment->memsz) return 0;
    memcpy(domain->ram + at, elf + segment->offset, segment->filesz); /* RAM is zero: no bss to clear */
  }
  return file->entry;
}

struct domain *domain_create(u32 vmid, u32 hart, const u8 *elf, u64 elf_bytes, const char *arguments) {
  struct domain *domain = heap_alloc(BLOCK_DOMAIN, vmid, sizeof(*domain), 32);
  struct vcpu *vcpu = heap_alloc(BLOCK_VCPU, vmid, sizeof(*vcpu), 32);
  u8 *ram = heap_alloc(BLOCK_GUEST_RAM, vmid, RAM_BYTES, PAGE_BYTES);
  u64 hgatp = ram == NULL ? 0 : build_tables(vmid, ram);
  if (domain == NULL || vcpu == NULL || hgatp == 0) return NULL;
  domain->vmid = vmid;
  domain->state = DOMAIN_RUNNING;
  memcpy(domain->name, "vm0", 4);
  domain->name[2] = (char)('0' + vmid);
  domain->hgatp = hgatp;
  domain->ram = ram;
  domain->ram_bytes = RAM_BYTES;
  domain->vcpu = vcpu;
  lock_init(&domain->lock, "domain");
  u64 entry = load_elf(domain, elf, elf_bytes);
  u64 argument_bytes = string_length(arguments) + 1;
  if (entry == 0 || argument_bytes > PAGE_BYTES) return NULL;
  memcpy(ram + RAM_BYTES - PAGE_BYTES, arguments, argument_bytes);
  vcpu->domain = domain;
  vcpu->hart = hart;
  vcpu->state = VCPU_RUNNABLE;
  vcpu->pc = entry;
  vcpu->sstatus = STATUS_SPP; /* VS-mode */
  vcpu->x[11] = BOARD_RAM_BASE + RAM_BYTES - PAGE_BYTES;
  vcpu->vs.vstimecmp = ~0ul;
  lock_acquire(&domain_list_lock);
  struct domain **link = &domain_list;
  while (*link != NULL) link = &(*link)->next;
  *link = domain; /* critical write: visible when whole */
  lock_release(&domain_list_lock);
  return domain;
}

struct domain *domain_find(u64 vmid) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    if (domain->vmid == vmid) return domain;
  return NULL;
}

u8 *domain_memory(const struct domain *domain, u64 gpa, u64 bytes) {
  u8 *first = NULL;
  if (bytes == 0 || gpa + bytes < gpa || gpa + bytes > 1ul << 39) return NULL;
  for (u64 page = gpa & ~(PAGE_BYTES - 1); page < gpa + bytes; page += PAGE_BYTES) {
    u64 *table = (u64 *)HGATP_ADDRESS(domain->hgatp);
    u64 pte = table[page >> 30];
    for (int level = 1; level >= 0 && (pte & PTE_LEAF) == PTE_TABLE; level--)
      pte = ((u64 *)PTE_TO_ADDRESS(pte))[page >> (12 + 9 * level) & 511];
    if ((pte & PTE_LEAF) != PTE_LEAF) return NULL;
    u8 *host = (u8 *)PTE_TO_ADDRESS(pte);
    if (first == NULL) first = host;
    if (host - first != (i64)(page - (gpa & ~(PAGE_BYTES - 1)))) return NULL; /* callers want one piece */
  }
  return first + (gpa & (PAGE_BYTES - 1));
}

int domain_all_done(void) {
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    if (domain->state == DOMAIN_RUNNING) return 0;
  return 1;
}

int domain_tables_sane(const struct domain *domain) {
  return domain->hgatp >> 60 == 8 && (domain->hgatp >> 44 & 0x3fff) == domain->vmid &&
         heap_is(BLOCK_GSTAGE, (void *)HGATP_ADDRESS(domain->hgatp)) && heap_is(BLOCK_GUEST_RAM, domain->ram) &&
         domain_memory(domain, BOARD_RAM_BASE, domain->ram_bytes) == domain->ram;
}
