/*
 * Reads a flattened devicetree in one pass (Devicetree Specification 0.4, ch. 5). Relies on the layout that QEMU's
 * `virt` and our machine write: two address and size cells at the root, memory and chosen directly below it.
 * Does not check offsets against the tree's size: the tree comes from the board.
 */
#include "fdt.h"

#define FDT_MAGIC 0xd00dfeed
enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END = 9 };

static u32 big32(const void *at) {
  const u8 *b = at;
  return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}
static u64 big64(const void *at) { return (u64)big32(at) << 32 | big32((const u8 *)at + 4); }
/** A value of one or two cells: both are in use for initrd addresses. */
static u64 cells(const void *at, u32 bytes) { return bytes >= 8 ? big64(at) : big32(at); }
static int starts_with(const char *text, const char *prefix) {
  return memcmp(text, prefix, string_length(prefix)) == 0;
}

u64 fdt_bytes(const void *fdt) {
  if (fdt == NULL || ((u64)fdt & 3) != 0 || big32(fdt) != FDT_MAGIC) return 0;
  return big32((const u8 *)fdt + 4);
}

struct place {
  int depth;
  int in_chosen, in_memory, in_cpus;
};

static void property(struct board_info *info, const struct place *at, const char *name, const u8 *data, u32 bytes) {
  if (at->depth == 2 && at->in_memory && string_equal(name, "reg") && bytes >= 16) {
    info->memory_base = big64(data);
    info->memory_bytes = big64(data + 8);
  } else if (at->depth == 2 && at->in_chosen) {
    if (string_equal(name, "bootargs")) info->bootargs = (const char *)data;
    if (string_equal(name, "linux,initrd-start")) info->initrd_start = cells(data, bytes);
    if (string_equal(name, "linux,initrd-end")) info->initrd_end = cells(data, bytes);
  }
}

static void enter(struct board_info *info, struct place *at, const char *name) {
  at->depth++;
  if (at->depth == 2) {
    at->in_chosen = string_equal(name, "chosen");
    at->in_memory = starts_with(name, "memory");
    at->in_cpus = string_equal(name, "cpus");
  } else if (at->depth == 3 && at->in_cpus && starts_with(name, "cpu@")) {
    info->hart_count++;
  }
}

int fdt_read(const void *fdt, struct board_info *info) {
  *info = (struct board_info){.bootargs = ""};
  if (fdt_bytes(fdt) == 0) return 0;
  const u8 *next = (const u8 *)fdt + big32((const u8 *)fdt + 8);
  const char *names = (const char *)fdt + big32((const u8 *)fdt + 12);
  struct place at = {0};
  for (;;) {
    u32 token = big32(next);
    next += 4;
    if (token == FDT_BEGIN_NODE) {
      enter(info, &at, (const char *)next);
      next += ALIGN_UP(string_length((const char *)next) + 1, 4);
    } else if (token == FDT_PROP) {
      u32 bytes = big32(next);
      property(info, &at, names + big32(next + 4), next + 8, bytes);
      next += 8 + ALIGN_UP(bytes, 4);
    } else if (token == FDT_END_NODE) {
      at.depth--;
    } else if (token == FDT_END) {
      return info->hart_count > 0 && info->memory_bytes > 0;
    } else if (token != FDT_NOP) {
      return 0;
    }
  }
}
