/*
 * The devicetree of the unmodified guest (Devicetree Specification 0.4, ch. 5, version 17), written straight into its
 * RAM, which is zero: padding needs no store. All property names are known, so the strings block is a constant.
 */
#include "unmodified.h"

#define FDT_MAGIC 0xd00dfeedu
#define HEADER_BYTES 40
#define RESERVATIONS_BYTES 16
enum { FDT_BEGIN_NODE = 1, FDT_END_NODE, FDT_PROP, FDT_END = 9 };

static const char names[] =
    "#address-cells\0#size-cells\0#interrupt-cells\0compatible\0model\0device_type\0reg\0status\0riscv,isa\0mmu-type\0"
    "timebase-frequency\0interrupt-controller\0phandle\0ranges\0clock-frequency\0bootargs\0stdout-path\0"
    "linux,initrd-start\0linux,initrd-end";

struct writer {
  const struct domain *domain;
  u64 gpa, at, limit;
  int fits;
};

static u32 big(u32 value) {
  return value >> 24 | (value >> 8 & 0xff00) | (value & 0xff00) << 8 | value << 24;
}
static u64 big64(u64 value) { return (u64)big((u32)value) << 32 | big((u32)(value >> 32)); }

static void put(struct writer *out, const void *bytes, u64 count) {
  if (count > out->limit - out->at || !guest_write(out->domain, out->gpa + out->at, bytes, count)) out->fits = 0;
  if (out->fits) out->at = ALIGN_UP(out->at + count, 4);
}
static void put_word(struct writer *out, u32 value) {
  value = big(value);
  put(out, &value, sizeof(value));
}
static void begin(struct writer *out, const char *name) {
  put_word(out, FDT_BEGIN_NODE);
  put(out, name, string_length(name) + 1);
}
static void end(struct writer *out) { put_word(out, FDT_END_NODE); }

static void property(struct writer *out, const char *name, const void *value, u64 bytes) {
  u64 offset = 0;
  while (!string_equal(names + offset, name)) {
    offset += string_length(names + offset) + 1;
    ASSERT(offset < sizeof(names));
  }
  put_word(out, FDT_PROP);
  put_word(out, (u32)bytes);
  put_word(out, (u32)offset);
  put(out, value, bytes);
}
static void text(struct writer *out, const char *name, const char *value) {
  property(out, name, value, string_length(value) + 1);
}
static void cell(struct writer *out, const char *name, u32 value) {
  value = big(value);
  property(out, name, &value, sizeof(value));
}
/** 64-bit numbers, two cells each. */
static void pairs(struct writer *out, const char *name, u64 first, u64 second, u64 count) {
  u64 values[2] = {big64(first), big64(second)};
  property(out, name, values, count * sizeof(u64));
}
static void cells_of(struct writer *out, u32 address, u32 size) {
  cell(out, "#address-cells", address);
  cell(out, "#size-cells", size);
}

static void harts(struct writer *out, u64 count) {
  begin(out, "cpus");
  cells_of(out, 1, 0);
  cell(out, "timebase-frequency", BOARD_TIME_PER_US * 1000000);
  for (u64 index = 0; index < count; index++) {
    char name[] = "cpu@0";
    name[4] = (char)('0' + index);
    begin(out, name);
    text(out, "device_type", "cpu");
    cell(out, "reg", (u32)index);
    text(out, "status", "okay");
    text(out, "compatible", "riscv");
    /* What henvcfg and hcounteren let the guest use; no h. */
    text(out, "riscv,isa", "rv64imafdc_zicntr_zicsr_zifencei_sstc");
    text(out, "mmu-type", "riscv,sv39");
    begin(out, "interrupt-controller");
    text(out, "compatible", "riscv,cpu-intc");
    cell(out, "#interrupt-cells", 1);
    property(out, "interrupt-controller", NULL, 0);
    cell(out, "phandle", (u32)index + 1);
    end(out);
    end(out);
  }
  end(out);
}

/** No interrupt: drivers poll it. */
static void uart(struct writer *out) {
  begin(out, "soc");
  cells_of(out, 2, 2);
  text(out, "compatible", "simple-bus");
  property(out, "ranges", NULL, 0);
  begin(out, "serial@10000000");
  text(out, "compatible", "ns16550a");
  pairs(out, "reg", GUEST_UART, GUEST_UART_BYTES, 2);
  cell(out, "clock-frequency", 3686400);
  end(out);
  end(out);
}

static void root(struct writer *out, const struct guest_board *guest) {
  begin(out, "");
  cells_of(out, 2, 2);
  text(out, "compatible", "lazarus,guest");
  text(out, "model", "Lazarus guest");
  begin(out, "chosen");
  text(out, "bootargs", guest->bootargs);
  text(out, "stdout-path", "/soc/serial@10000000");
  if (guest->initrd_end != 0) {
    pairs(out, "linux,initrd-start", guest->initrd_start, 0, 1);
    pairs(out, "linux,initrd-end", guest->initrd_end, 0, 1);
  }
  end(out);
  begin(out, "memory@80000000");
  text(out, "device_type", "memory");
  pairs(out, "reg", GPA_RAM, guest->ram_bytes, 2);
  end(out);
  harts(out, guest->vcpus);
  uart(out);
  end(out);
  put_word(out, FDT_END);
}

int vfdt_write(const struct domain *domain, u64 gpa, u64 limit, const struct guest_board *guest) {
  struct writer out = {.domain = domain, .gpa = gpa, .limit = limit, .fits = 1};
  u64 structure = HEADER_BYTES + RESERVATIONS_BYTES;
  out.at = structure;
  root(&out, guest);
  u64 strings = out.at;
  put(&out, names, sizeof(names));
  u64 total = out.at;
  const u32 header[] = {FDT_MAGIC, (u32)total, (u32)structure, (u32)strings, HEADER_BYTES, 17, 16, 0, sizeof(names),
                        (u32)(strings - structure)};
  _Static_assert(sizeof(header) == HEADER_BYTES, "FDT header");
  out.at = 0;
  for (u64 n = 0; n < ARRAY_LENGTH(header); n++) put_word(&out, header[n]);
  return out.fits;
}
