/*
 * The few questions that firmware and hypervisor ask of a flattened devicetree (Devicetree Specification 0.4, ch. 5).
 */
#ifndef FDT_H
#define FDT_H

#include "types.h"

struct board_info {
  u64 memory_base, memory_bytes;
  /** Enabled /cpus/cpu@N nodes. */
  u32 hart_count;
  /** /chosen/linux,initrd-start and -end; both 0 without an initrd. */
  u64 initrd_start, initrd_end;
  /** /chosen/bootargs, or "". Points into the tree. */
  const char *bootargs;
};

/** Total bytes of the tree at `fdt`, or 0 when there is none. */
u64 fdt_bytes(const void *fdt);
/** Reads a tree. Returns 0 when it is not one (bad magic or structure). */
int fdt_read(const void *fdt, struct board_info *info);

#endif
