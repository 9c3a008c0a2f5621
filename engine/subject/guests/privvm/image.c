/*
 * The bundle of guest images and the ELF executables in it. Checks all that it reads: bounds, names, alignment. Does
 * not copy: segments point into the bundle.
 */
#include "privvm.h"

static const struct bundle *bundle;

int bundle_open(u64 gpa, u64 bytes) {
  const struct bundle *found = (const struct bundle *)gpa;
  if (gpa == 0 || bytes < sizeof(*found) || found->magic != BUNDLE_MAGIC || found->count > BUNDLE_ENTRIES) return 0;
  for (u64 n = 0; n < found->count; n++) {
    const struct bundle_entry *entry = &found->entries[n];
    if (entry->offset % PAGE_BYTES != 0 || entry->offset > bytes || entry->bytes > bytes - entry->offset) return 0;
    if (entry->name[sizeof(entry->name) - 1] != 0) return 0;
  }
  bundle = found;
  return 1;
}

const u8 *bundle_find(const char *name, u64 *bytes) {
  for (u64 n = 0; n < bundle->count; n++) {
    if (!string_equal(bundle->entries[n].name, name)) continue;
    *bytes = bundle->entries[n].bytes;
    return (const u8 *)bundle + bundle->entries[n].offset;
  }
  return NULL;
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
#define ELF_MACHINE_RISCV 243
#define ELF_LOAD 1

int program_read(const u8 *elf, u64 bytes, u64 ram_bytes, struct program *program) {
  const struct elf_header *header = (const struct elf_header *)elf;
  if (bytes < sizeof(*header) || memcmp(header->ident, "\177ELF\2\1", 6) != 0) return 0;
  if (header->machine != ELF_MACHINE_RISCV || header->phoff % 8 != 0) return 0;
  if (header->phoff > bytes || header->phnum * sizeof(struct elf_segment) > bytes - header->phoff) return 0;
  const struct elf_segment *segments = (const struct elf_segment *)(elf + header->phoff);
  program->entry = header->entry;
  program->count = 0;
  for (u64 n = 0; n < header->phnum; n++) {
    const struct elf_segment *segment = &segments[n];
    if (segment->type != ELF_LOAD || segment->filesz == 0) continue; /* fresh frames are zero: no bss to clear */
    u64 at = segment->paddr - GPA_RAM;
    if (segment->offset > bytes || segment->filesz > bytes - segment->offset) return 0;
    if (at > ram_bytes || segment->memsz > ram_bytes - at || segment->filesz > segment->memsz) return 0;
    if (program->count == SEGMENTS_MAX) return 0;
    program->segments[program->count++] = (struct segment){elf + segment->offset, segment->paddr, segment->filesz};
  }
  return program->entry >= GPA_RAM && program->entry - GPA_RAM < ram_bytes;
}
