/*
 * Tells the next stage which memory it must leave alone: a child of /reserved-memory (Devicetree Specification 0.4,
 * 3.5) for what PMP closes, as OpenSBI does. Kernels that use all RAM would else run into it. The tree is changed in
 * place: its blocks move up into the RAM behind it.
 * Relies on what fdt.c relies on (two address and size cells at the root), and on strings lying behind the structure,
 * as dtc, libfdt and our own machine write them. A tree in which that is not so is left as it is.
 */
#include "firmware.h"

#define FDT_BEGIN_NODE 1
#define FDT_END_NODE 2
#define FDT_PROP 3
#define FDT_NOP 4

/* Offsets in the header of the tree. */
#define TOTAL_BYTES 4
#define STRUCT_AT 8
#define STRINGS_AT 12
#define STRINGS_BYTES 32
#define STRUCT_BYTES 36

/** The names of the new properties, put behind all others, and where each begins. */
static const char names[] = "#address-cells\0#size-cells\0ranges\0reg\0no-map";
enum { ADDRESS_CELLS = 0, SIZE_CELLS = 15, RANGES = 27, REG = 34, NO_MAP = 38 };

static u32 read32(const u8 *at) { return (u32)at[0] << 24 | (u32)at[1] << 16 | (u32)at[2] << 8 | at[3]; }
static void write32(u8 *at, u32 value) {
  for (int n = 0; n < 4; n++) at[n] = (u8)(value >> (24 - 8 * n));
}

/** A piece of structure that is being written. */
struct piece {
  u8 bytes[256];
  u32 length;
  /** Offset of `names` among the tree's strings. */
  u32 names_at;
};

static void put(struct piece *piece, u32 token) {
  write32(piece->bytes + piece->length, token);
  piece->length += 4;
}

static void begin(struct piece *piece, const char *name) {
  put(piece, FDT_BEGIN_NODE);
  u64 bytes = string_length(name) + 1;
  memset(piece->bytes + piece->length, 0, ALIGN_UP(bytes, 4));
  memcpy(piece->bytes + piece->length, name, bytes);
  piece->length += ALIGN_UP(bytes, 4);
}

static void property(struct piece *piece, u32 name, const u32 *cells, u32 count) {
  put(piece, FDT_PROP);
  put(piece, 4 * count);
  put(piece, piece->names_at + name);
  for (u32 n = 0; n < count; n++) put(piece, cells[n]);
}

static void child(struct piece *piece) {
  const u32 range[] = {(u32)(FIRMWARE_BASE >> 32), (u32)FIRMWARE_BASE, 0, (u32)firmware_bytes()};
  begin(piece, "mmode_resv0@80000000"); /* FIRMWARE_BASE */
  property(piece, REG, range, 4);
  property(piece, NO_MAP, NULL, 0);
  put(piece, FDT_END_NODE);
}

static void whole_node(struct piece *piece) {
  const u32 two = 2;
  begin(piece, "reserved-memory");
  property(piece, ADDRESS_CELLS, &two, 1);
  property(piece, SIZE_CELLS, &two, 1);
  property(piece, RANGES, NULL, 0);
  child(piece);
  put(piece, FDT_END_NODE);
}

/**
 * Where the node ends into which the new one goes: /reserved-memory, or the root (then *depth is 1). NULL: no such
 * tree.
 */
static u8 *place_of(u8 *fdt, int *depth) {
  u8 *at = fdt + read32(fdt + STRUCT_AT), *end = at + read32(fdt + STRUCT_BYTES);
  int reserved = 0;
  *depth = 0;
  while (at < end) {
    u32 token = read32(at);
    if (token == FDT_BEGIN_NODE) {
      const char *name = (const char *)at + 4;
      if (++*depth == 2) reserved = string_equal(name, "reserved-memory");
      at += 4 + ALIGN_UP(string_length(name) + 1, 4);
    } else if (token == FDT_END_NODE) {
      if (*depth == 1 || (*depth == 2 && reserved)) return at;
      --*depth;
      at += 4;
    } else if (token == FDT_PROP) {
      at += 12 + ALIGN_UP(read32(at + 4), 4);
    } else if (token == FDT_NOP) {
      at += 4;
    } else {
      break;
    }
  }
  return NULL;
}

/** Moves bytes to a higher address; the ranges may overlap. */
static void move_up(u8 *from, u64 bytes, u64 by) {
  while (bytes-- > 0) from[bytes + by] = from[bytes];
}

void reserve_firmware(void *tree) {
  u8 *fdt = tree;
  u64 total = fdt_bytes(fdt), strings_at = read32(fdt + STRINGS_AT), strings_bytes = read32(fdt + STRINGS_BYTES);
  u64 struct_end = read32(fdt + STRUCT_AT) + read32(fdt + STRUCT_BYTES);
  struct piece piece = {.length = 0, .names_at = (u32)strings_bytes};
  int depth;
  u8 *place = place_of(fdt, &depth);
  if (place == NULL || struct_end > strings_at) {
    console_print("firmware: cannot add its memory to a devicetree like this one\n");
    return;
  }
  if (depth == 1) whole_node(&piece);
  else child(&piece);
  u64 now = strings_at + strings_bytes + piece.length + sizeof(names);
  u64 room = board.memory_base + board.memory_bytes - (u64)fdt;
  if ((u64)fdt < board.memory_base || now > room) {
    console_print("firmware: no room to add its memory to the devicetree\n");
    return;
  }
  move_up(fdt + strings_at, strings_bytes, piece.length);
  memcpy(fdt + strings_at + piece.length + strings_bytes, names, sizeof(names));
  move_up(place, (u64)(fdt + struct_end - place), piece.length);
  memcpy(place, piece.bytes, piece.length);
  write32(fdt + STRINGS_AT, (u32)(strings_at + piece.length));
  write32(fdt + STRINGS_BYTES, (u32)(strings_bytes + sizeof(names)));
  write32(fdt + STRUCT_BYTES, read32(fdt + STRUCT_BYTES) + piece.length);
  write32(fdt + TOTAL_BYTES, (u32)(now > total ? now : total));
}
