/*
 * Builds the unmodified guest. What makes the initrd one: a bundle with an entry `kernel` (and perhaps `initrd`, and
 * `beside`: the ELF image of a VM of ours that runs beside it, on the last hart), a Linux Image by its header, or any
 * file when the boot argument guest=raw says so. `guestmem=` is its RAM in MiB. `htinst=ignore` has accesses
 * decoded without htinst, as on harts that do not supply it.
 */
#include "bundle.h"
#include "unmodified.h"

#define MIB 0x100000ul
/** Frames that stay ours, besides those of the guest's G-stage tables. */
#define RESERVE_FRAMES 256

/** Documentation/arch/riscv/boot-image-header.rst */
struct linux_header {
  u32 code[2];
  u64 text_offset, image_bytes, flags;
  u32 version, reserved;
  u64 reserved2, magic;
  u32 magic2, reserved3;
};
#define LINUX_MAGIC2 0x05435352 /* "RSC\5" */

struct piece {
  const u8 *start;
  u64 bytes;
};

/** 1 when the option is given with its one value, 0 when it is not given. */
static int option_is(const char *name, const char *value) {
  u64 bytes;
  const char *text = option_find(board.bootargs, name, &bytes);
  if (text == NULL) return 0;
  if (string_is(text, bytes, value)) return 1;
  print("lazarus: %s= takes %s\n", name, value);
  system_shutdown(1);
}

static struct piece entry_of(const struct bundle *bundle, u64 bytes, const char *name) {
  for (u64 n = 0; n < bundle->count && n < BUNDLE_ENTRIES; n++) {
    const struct bundle_entry *entry = &bundle->entries[n];
    if (memcmp(entry->name, name, string_length(name) + 1) != 0) continue;
    if (entry->offset > bytes || entry->bytes > bytes - entry->offset) give_up("the bundle is cut off");
    return (struct piece){(const u8 *)bundle + entry->offset, entry->bytes};
  }
  return (struct piece){NULL, 0};
}

static int is_linux(struct piece image) {
  return image.bytes >= sizeof(struct linux_header) && ((const struct linux_header *)image.start)->magic2 == LINUX_MAGIC2;
}

/** Bytes of RAM that the guest gets. */
static u64 ram_bytes(void) {
  u64 bytes, mib, free = frames_free(), most = free < RESERVE_FRAMES ? 0 : (free - RESERVE_FRAMES) / 514 * 512;
  most = most * PAGE_BYTES / MIB;
  const char *text = option_find(board.bootargs, "guestmem", &bytes);
  if (text == NULL) return most * MIB;
  if (!number_parse(text, bytes, &mib) || mib == 0 || mib > most) {
    print("lazarus: guestmem= takes MiB, at most %d here\n", most);
    system_shutdown(1);
  }
  return mib * MIB;
}

static void load(const struct domain *domain, u64 gpa, struct piece piece) {
  for (u64 at = 0; at < piece.bytes; at += MIB) {
    u64 bytes = piece.bytes - at < MIB ? piece.bytes - at : MIB;
    if (!guest_write(domain, gpa + at, piece.start + at, bytes)) give_up("cannot load the guest's images");
    timer_beat();
  }
}

static void build(struct piece kernel, struct piece initrd, struct piece beside) {
  struct domain *second = NULL;
  u64 vcpus = board.hart_count;
  if (beside.bytes > 0) {
    if (vcpus-- < 2) give_up("a VM beside the unmodified guest needs a second hart");
    second = guest_build(2, vcpus, beside.start, beside.bytes, APPVM_BYTES);
  }
  struct guest_board guest = {.ram_bytes = ram_bytes(), .vcpus = vcpus, .bootargs = board.bootargs};
  u64 kernel_offset = GUEST_KERNEL_OFFSET, kernel_bytes = kernel.bytes;
  if (is_linux(kernel)) {
    const struct linux_header *header = (const struct linux_header *)kernel.start;
    if (header->text_offset != 0) kernel_offset = header->text_offset;
    if (header->image_bytes > kernel_bytes) kernel_bytes = header->image_bytes;
  }
  if (kernel_offset < GUEST_KERNEL_OFFSET || (kernel_offset & (PAGE_BYTES - 1)) != 0)
    give_up("the Linux Image wants to lie where its devicetree does");
  u64 frames = guest.ram_bytes / PAGE_BYTES, initrd_bytes = ALIGN_UP(initrd.bytes, PAGE_BYTES);
  if (kernel_offset > guest.ram_bytes || kernel_bytes > guest.ram_bytes - kernel_offset ||
      initrd_bytes > guest.ram_bytes - kernel_offset - kernel_bytes)
    give_up("the guest's RAM is too small for its images: more guestmem=, or more RAM");
  if (initrd.bytes > 0) {
    guest.initrd_start = GPA_RAM + guest.ram_bytes - initrd_bytes;
    guest.initrd_end = guest.initrd_start + initrd.bytes;
  }
  struct domain_spec spec = {.name = "guest", .vcpus = guest.vcpus, .max_frames = frames};
  struct domain *domain = domain_new(1, &spec);
  if (domain == NULL || domain_populate(domain, GPA_RAM, frames) != frames)
    give_up("cannot create the guest: RAM is too small");
  domain->unmodified = option_is("htinst", "ignore") ? UNMODIFIED_NO_HTINST : UNMODIFIED;
  load(domain, GPA_RAM + kernel_offset, kernel);
  load(domain, guest.initrd_start, initrd);
  if (!vfdt_write(domain, GPA_RAM, GUEST_KERNEL_OFFSET / 2, &guest)) give_up("the guest's devicetree is too large");
  /* It has the harts to itself, so its floating-point registers stay in them. */
  for (struct vcpu *vcpu = domain->vcpu; vcpu != NULL; vcpu = vcpu->next) vcpu->sstatus |= STATUS_FS;
  struct vcpu *first = domain->vcpu;
  first->pc = GPA_RAM + kernel_offset;
  first->x[11] = GPA_RAM;
  first->state = VCPU_RUNNABLE;
  domain->state = DOMAIN_RUNNING;
  domain_link(domain);
  sched_enqueue(&cpus[first->hart], first);
  if (second != NULL) guest_launch(second);
}

int unmodified_build(const void *initrd, u64 bytes) {
  struct piece kernel = {initrd, bytes}, none = {NULL, 0};
  int raw = option_is("guest", "raw");
  const struct bundle *bundle = initrd;
  if (bytes > sizeof(*bundle) && bundle->magic == BUNDLE_MAGIC) {
    kernel = entry_of(bundle, bytes, "kernel");
    if (kernel.start != NULL)
      build(kernel, entry_of(bundle, bytes, "initrd"), entry_of(bundle, bytes, "beside"));
    return kernel.start != NULL;
  }
  if (!raw && !is_linux(kernel)) return 0;
  build(kernel, none, none);
  return 1;
}
