/*
 * Boot. Hart 0 reads the devicetree, arms the recovery block and enters the next stage in HS-mode; every other hart
 * waits in the state HSM calls STOPPED. Relies on a zeroed bss (the loader's job) and on a board like QEMU's `virt`.
 */
#include "firmware.h"

struct hart harts[BOARD_MAX_HARTS];
struct board_info board;
const void *next_fdt;

/** What the loader says about the next stage: struct fw_dynamic_info of OpenSBI, as QEMU's boot ROM passes it. */
struct dynamic_info {
  u64 magic, version, next_address, next_mode, options, boot_hart;
};
#define DYNAMIC_INFO_MAGIC 0x4942534ful

static void protect(void);
static void delegate(void);

u64 firmware_bytes(void) { return recovery_armed() ? FIRMWARE_BYTES : FIRMWARE_CORE_BYTES; }

static u64 next_stage(const struct dynamic_info *info) {
  if (info == NULL || info->magic != DYNAMIC_INFO_MAGIC || info->next_address == 0) {
    console_print("firmware: no next stage: give a hypervisor or kernel with -kernel\n");
    system_fail(2);
  }
  return info->next_address;
}

void boot(struct hart *self, u64 id, const void *fdt, const struct dynamic_info *info) {
  self->id = id;
  trap_init();
  watchdog_stop(self);
  if (id != 0) {
    hsm_wait(self); /* the sender of START has seen to it that the rest of boot is done */
    protect();
    delegate();
    return;
  }
  for (u64 other = 1; other < BOARD_MAX_HARTS; other++) harts[other].state = SBI_HSM_STOPPED;
  u64 next = next_stage(info);
  if (!fdt_read(fdt, &board) || board.hart_count > BOARD_MAX_HARTS) {
    console_print("firmware: the devicetree at %x is missing or names more than %d harts\n", fdt, BOARD_MAX_HARTS);
    system_fail(2);
  }
  if (!options_read(board.bootargs)) system_fail(2);
  next_fdt = fdt;
  recovery_arm(next);
  if (!recovery_armed()) reserve_firmware((void *)fdt);
  protect();
  delegate();
  static const char *const mechanisms[] = {"none", "rehype", "nilihype"};
  console_print("firmware: %d harts, recovery %s, watchdog %d us\n", board.hart_count,
                recovery_armed() ? mechanisms[options.recovery] : "not armed",
                recovery_armed() ? options.watchdog_period / BOARD_TIME_PER_US : 0);
  note(NOTE_FIRMWARE_UP, board.hart_count);
  self->state = SBI_HSM_STARTED;
  hsm_enter(self, next, (u64)next_fdt);
  watchdog_start(self);
}

/*
 * PMP (manual II, 3.7): HS may read the handover area if there is one, may not touch the rest of the firmware nor the
 * ACLINT (whose mtimecmp is the watchdog), and may do anything elsewhere. Lowest-numbered match wins.
 */
#define NAPOT(base, bytes) (((base) >> 2) | (((bytes) >> 3) - 1))
#define PMP_NAPOT 0x18ul
#define PMP_RWX 0x07ul
#define PMP_R 0x01ul
static void protect(void) {
  u64 handover = recovery_armed() ? PMP_NAPOT | PMP_R : 0;
  csr_write(0x3b0, NAPOT(HANDOVER_BASE, HANDOVER_BYTES));
  csr_write(0x3b1, NAPOT(FIRMWARE_BASE, firmware_bytes()));
  csr_write(0x3b2, NAPOT(BOARD_ACLINT, BOARD_ACLINT_BYTES));
  csr_write(0x3b3, ~0ul >> 10); /* everything */
  csr_write(PMPCFG0, handover | PMP_NAPOT << 8 | PMP_NAPOT << 16 | (PMP_NAPOT | PMP_RWX) << 24);
  sfence_vma();
}

/*
 * With the recovery block armed, exceptions that a sane hypervisor never takes in HS-mode are not delegated, so they
 * reach recovery without a single instruction of the hypervisor. Those that came from a VM are passed on (trap.c).
 */
static void delegate(void) {
  u64 always = 1ul << EXC_ECALL_U | 1ul << EXC_FETCH_PAGE | 1ul << EXC_LOAD_PAGE | 1ul << EXC_STORE_PAGE;
  u64 hypervisor = 1ul << EXC_ECALL_VS | 1ul << EXC_FETCH_GUEST_PAGE | 1ul << EXC_LOAD_GUEST_PAGE |
                   1ul << EXC_VIRTUAL | 1ul << EXC_STORE_GUEST_PAGE;
  u64 faults = 1ul << EXC_FETCH_MISALIGNED | 1ul << EXC_FETCH_ACCESS | 1ul << EXC_ILLEGAL | 1ul << EXC_BREAKPOINT |
               1ul << EXC_LOAD_MISALIGNED | 1ul << EXC_LOAD_ACCESS | 1ul << EXC_STORE_MISALIGNED |
               1ul << EXC_STORE_ACCESS;
  csr_write(MEDELEG, always | hypervisor | (recovery_armed() ? 0 : faults));
  csr_write(MIDELEG, 1ul << IRQ_SSI | 1ul << IRQ_STI | 1ul << IRQ_SEI);
  csr_write(MCOUNTEREN, COUNTEREN_ALL);
  /*
   * What the devicetree's ISA string promises to the next stage; bits of missing extensions are ignored. Lazarus knows
   * no memory types: there those bits of a table entry stay reserved, and a damaged entry is found.
   */
  csr_set(MENVCFG, ENVCFG_STCE | ENVCFG_CBIE_INVALIDATE | ENVCFG_CBCFE | ENVCFG_CBZE);
  if (!recovery_armed()) csr_set(MENVCFG, ENVCFG_PBMTE);
  csr_write(STIMECMP, ~0ul);
}
