/*
 * The first domains, from what the initrd holds: a bundle (bundle.h) makes the PrivVM, which makes the others; one ELF
 * image makes two VMs of it; the rest is vbuild.c's.
 */
#include "bundle.h"
#include "unmodified.h"

#define PRIVVM_BYTES 0x200000ul
#define VIRTIO_FIRST 0x10001000ul
#define VIRTIO_SLOTS 8

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

/** Copies the loadable segments into guest RAM. The entry point, or 0 when the image does not fit or is none. */
static u64 load_elf(const struct domain *domain, const u8 *elf, u64 bytes) {
  const struct elf_header *file = (const struct elf_header *)elf;
  if (bytes < sizeof(*file) || memcmp(file->ident, "\177ELF\2\1", 6) != 0 || file->machine != 243) return 0;
  if (file->phoff > bytes || file->phnum * sizeof(struct elf_segment) > bytes - file->phoff) return 0;
  const struct elf_segment *segments = (const struct elf_segment *)(elf + file->phoff);
  for (u64 n = 0; n < file->phnum; n++) {
    const struct elf_segment *segment = &segments[n];
    if (segment->type != 1) continue;
    if (segment->offset > bytes || segment->filesz > bytes - segment->offset) return 0;
    /* RAM is zero: no bss to clear, but it must be there. */
    if (segment->memsz > 0 && gstage_lookup(domain, segment->paddr + segment->memsz - 1, GSTAGE_WRITE) == 0) return 0;
    if (!guest_write(domain, segment->paddr, elf + segment->offset, segment->filesz)) return 0;
  }
  return file->entry;
}

struct domain *guest_build(u32 vmid, u64 hart, const u8 *elf, u64 elf_bytes, u64 ram_bytes) {
  struct domain_spec spec = {.name = "vm0", .hart = hart, .vcpus = 1, .max_frames = ram_bytes / PAGE_BYTES};
  spec.name[2] = (char)('0' + vmid);
  struct domain *domain = domain_new(vmid, &spec);
  if (domain == NULL || domain_populate(domain, GPA_RAM, ram_bytes / PAGE_BYTES) != ram_bytes / PAGE_BYTES)
    give_up("cannot create the VMs: RAM is too small");
  struct vcpu *vcpu = domain->vcpu;
  u64 arguments = GPA_RAM + ram_bytes - PAGE_BYTES, argument_bytes = string_length(board.bootargs) + 1;
  vcpu->pc = load_elf(domain, elf, elf_bytes);
  if (vcpu->pc == 0 || argument_bytes > PAGE_BYTES || !guest_write(domain, arguments, board.bootargs, argument_bytes))
    give_up("cannot create the VMs: the initrd is no bundle, Linux Image or RV64 ELF image for guest RAM (guest=raw takes any)");
  vcpu->x[11] = arguments;
  return domain;
}

void guest_launch(struct domain *domain) {
  domain->vcpu->state = VCPU_RUNNABLE;
  domain->state = DOMAIN_RUNNING;
  domain_link(domain);
  sched_enqueue(&cpus[domain->vcpu->hart], domain->vcpu);
}

static void map(struct domain *domain, u64 gpa, u64 spa, u64 access) {
  u64 *leaf = gstage_leaf(domain, gpa, 1);
  if (leaf == NULL) give_up("cannot create the PrivVM: RAM is too small");
  *leaf = gstage_entry(spa, access);
}

/** The PrivVM owns the virtio devices, and sees the bundle at GPA_MODULE. */
static void build_privvm(const struct bundle *bundle, u64 bytes) {
  const struct bundle_entry *found = NULL;
  for (u64 n = 0; n < bundle->count && n < BUNDLE_ENTRIES; n++)
    if (memcmp(bundle->entries[n].name, "privvm", 7) == 0) found = &bundle->entries[n];
  if (found == NULL || found->offset > bytes || found->bytes > bytes - found->offset)
    give_up("the bundle has no entry privvm, or is cut off");
  struct domain *domain = guest_build(PRIVVM_VMID, 0, (const u8 *)bundle + found->offset, found->bytes, PRIVVM_BYTES);
  domain->privileged = 1;
  domain->last_vmid = PRIVVM_VMID;
  for (u64 slot = 0; slot < VIRTIO_SLOTS; slot++) {
    u64 page = VIRTIO_FIRST + slot * PAGE_BYTES;
    map(domain, page, page, GSTAGE_READ | GSTAGE_WRITE | GSTAGE_DEVICE);
  }
  for (u64 at = 0; at < bytes; at += PAGE_BYTES) map(domain, GPA_MODULE + at, (u64)bundle + at, GSTAGE_READ);
  domain->vcpu->x[12] = GPA_MODULE;
  domain->vcpu->x[13] = bytes;
  guest_launch(domain);
}

void build_domains(void) {
  const struct bundle *bundle = (const struct bundle *)board.initrd_start;
  u64 bytes = board.initrd_end - board.initrd_start;
  if (bytes == 0) give_up("no guest: give a bundle or an ELF image with -initrd");
  if (unmodified_build(bundle, bytes)) return;
  if (bytes > sizeof(*bundle) && bundle->magic == BUNDLE_MAGIC) {
    if ((board.initrd_start & (PAGE_BYTES - 1)) != 0) give_up("the bundle is not page-aligned");
    build_privvm(bundle, bytes);
    return;
  }
  for (u32 vmid = 1; vmid <= 2; vmid++)
    guest_launch(guest_build(vmid, vmid - 1, (const u8 *)bundle, bytes, APPVM_BYTES));
}
