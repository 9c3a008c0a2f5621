/*
 * The recovery block. Detects nothing itself; trap.c, watchdog.c and SBI_RECOVERY_FAIL call in.
 *
 * Freezes all harts and keeps a copy of the failed instance's static data. ReHype (microreboot): copies the pristine
 * image over it, clears its bss, and enters the new instance in place. NiLiHype (microreset): drops the stacks only,
 * and enters the same instance at the same place. Everything it relies on lies in memory that HS-mode cannot write:
 * stacks, the pristine image and its header, options. It does not judge preserved state; the new instance re-integrates
 * that.
 */
#include "firmware.h"

/* Closed to HS, once the recovery block is armed. */
static u8 pristine[PRISTINE_BYTES] __attribute__((section(".recovery"), aligned(PAGE_BYTES)));
static struct image_header header;
static int armed;
static volatile u32 recovering; /* a hart is at it: all others just freeze */
static int unfinished;          /* between detection and SBI_RECOVERY_DONE */
static u64 recoveries;
/** Recoveries tried since the last one that was done; from the second on, the contexts of the first are kept. */
static u64 tries;
#define ENHANCED(name) ((options.enhance >> FIXUP_##name & 1) != 0)

/* Readable by HS. */
#define HANDOVER __attribute__((section(".handover"), aligned(PAGE_BYTES)))
static struct recovery_descriptor descriptor HANDOVER;
static u8 statics[STATICS_BYTES] HANDOVER;
/** What CHECKS_WORD names; it is found by this name too (dejavm inject). */
u64 lazarus_checks __attribute__((section(".handover.checks"), used));
static u8 fdt_copy[FDT_COPY_BYTES] HANDOVER;

static int header_is_sane(const struct image_header *h) {
  return h->version == IMAGE_VERSION && h->image_start >= FIRMWARE_BASE + FIRMWARE_BYTES &&
         range_is_lent(h->image_start, h->bss_end - h->image_start) && h->image_start <= h->image_end &&
         h->image_end <= h->bss_end && h->image_end - h->image_start <= PRISTINE_BYTES && h->image_start <= h->statics_start &&
         h->statics_start <= h->statics_end && h->statics_end <= h->bss_end &&
         h->statics_end - h->statics_start <= STATICS_BYTES && h->recovery_entry >= h->image_start &&
         h->recovery_entry < h->image_end && h->heartbeats >= h->statics_start &&
         h->heartbeats + 8 * BOARD_MAX_HARTS <= h->statics_end && (h->heartbeats & 7) == 0;
}

void recovery_arm(u64 image) {
  const struct image_header *found = (const struct image_header *)image;
  if (!range_is_lent(image, sizeof(header)) || found->magic != IMAGE_MAGIC) return;
  if (found->image_start != image || !header_is_sane(found)) {
    console_print("firmware: the recovery header at %x is not for this firmware\n", image);
    system_fail(2);
  }
  header = *found;
  memcpy(pristine, (const void *)header.image_start, header.image_end - header.image_start);
  u64 bytes = fdt_bytes(next_fdt);
  if (bytes <= FDT_COPY_BYTES) {
    memcpy(fdt_copy, next_fdt, bytes);
    next_fdt = fdt_copy;
  }
  lazarus_checks = options.checks;
  armed = 1;
}

int recovery_armed(void) { return armed; }

u64 recovery_count(void) { return recoveries; }

u64 recovery_heartbeat(u64 hart) { return header.heartbeats + 8 * hart; }

static void report(struct hart *self, enum detection how, u64 cause, const char *message, u64 pc);
static void give_up(u64 reason) __attribute__((noreturn));
static void save_context(struct hart *hart);
static u64 freeze_others(struct hart *self);
static void reboot_in_place(void);
static void reset_in_place(void);

void recovery_run(struct hart *self, enum detection how, u64 cause, const char *message, u64 pc) {
  u64 detected_at = time_now();
  if (__atomic_exchange_n(&recovering, 1, __ATOMIC_ACQUIRE) != 0) {
    recovery_freeze(self); /* another hart was first */
    return;
  }
  report(self, how, cause, message, pc);
  if (options.recovery == RECOVERY_NONE) give_up(FAILED_NO_MECHANISM);
  if (unfinished && (!ENHANCED(again) || tries >= 2)) give_up(FAILED_IN_RECOVERY);
  if (!unfinished && recoveries >= options.max_recoveries) give_up(FAILED_TOO_OFTEN);
  tries = unfinished ? tries + 1 : 1;
  recoveries += tries == 1;
  unfinished = 1;

  if (tries == 1)
    for (u64 id = 0; id < BOARD_MAX_HARTS; id++) descriptor.harts[id].valid = 0;
  save_context(self);
  note(NOTE_FROZEN, 1 + freeze_others(self));
  if (tries == 1) {
    descriptor.detecting_hart = self->id;
    descriptor.detected_at = detected_at;
    memcpy(statics, (const void *)header.statics_start, header.statics_end - header.statics_start);
  }
  descriptor.magic = DESCRIPTOR_MAGIC;
  descriptor.instance = recoveries;
  descriptor.enhance = options.enhance;
  /* A second try is a reboot whatever the first was: what the first one changed in place is not trusted. */
  descriptor.mechanism = tries == 1 ? options.recovery : RECOVERY_REHYPE;
  if (descriptor.mechanism == RECOVERY_REHYPE)
    reboot_in_place();
  else
    reset_in_place();

  const struct frozen_hart *frozen = &descriptor.harts[self->id];
  hsm_enter(self, header.recovery_entry, (u64)next_fdt);
  self->x[12] = (u64)&descriptor;
  /* stacks: a stack pointer that the failure has hit must not be trusted; a fresh stack needs no trust. */
  self->x[13] = ENHANCED(stacks) || frozen->virtual ? 0 : frozen->x[2];
  watchdog_start(self);
  __atomic_store_n(&recovering, 0, __ATOMIC_RELEASE);
}

void recovery_done(void) { unfinished = 0; }

int recovery_text_intact(void) {
  const u64 *now = (const u64 *)header.image_start, *kept = (const u64 *)pristine;
  const u64 *end = (const u64 *)(header.statics_start & ~63ul);
  u64 difference = 0;
  for (; now < end; now += 8, kept += 8)
    difference |= (now[0] ^ kept[0]) | (now[1] ^ kept[1]) | (now[2] ^ kept[2]) | (now[3] ^ kept[3]) |
                  (now[4] ^ kept[4]) | (now[5] ^ kept[5]) | (now[6] ^ kept[6]) | (now[7] ^ kept[7]);
  return difference == 0;
}

/** The message is read from the pristine image: what a corrupt hypervisor points to is not printed. */
static const char *pristine_text(const char *message) {
  u64 at = (u64)message - header.image_start;
  u64 bytes = header.image_end - header.image_start;
  if ((u64)message < header.image_start || at >= bytes) return "";
  for (u64 end = at; end < bytes && end < at + 120; end++)
    if (pristine[end] == 0) return (const char *)&pristine[at];
  return "";
}

static void report(struct hart *self, enum detection how, u64 cause, const char *message, u64 pc) {
  if (how == DETECTED_BY_WATCHDOG) {
    note(NOTE_DETECTED_HANG, self->id);
    console_print("recovery: hart %d hangs at %x\n", self->id, pc);
  } else {
    note(NOTE_DETECTED_TRAP, cause & 0xffff);
    console_print("recovery: hart %d failed: cause %d at %x %s\n", self->id, cause, pc, pristine_text(message));
  }
}

static void give_up(u64 reason) {
  static const char *const why[] = {
      [FAILED_NO_MECHANISM] = "recovery=none",
      [FAILED_IN_RECOVERY] = "the new instance failed before it resumed its VMs",
      [FAILED_TOO_OFTEN] = "too many recoveries (recoveries=)",
      [FAILED_NOT_STOPPED] = "a hart with interrupts off does not stop",
  };
  note(NOTE_RECOVERY_FAILED, reason);
  console_print("recovery: given up: %s\n", why[reason]);
  system_fail(1);
}

/** Publishes the context that the trap saved, with the CSRs that belong to a VM or to the interrupted hypervisor. */
static void save_context(struct hart *hart) {
  struct frozen_hart *frozen = &descriptor.harts[hart->id];
  if (tries > 1) return;
  memcpy(frozen->x, hart->x, sizeof(frozen->x));
  frozen->x[0] = 0;
  frozen->pc = hart->pc;
  frozen->privilege = (hart->mstatus & STATUS_MPP) != 0;
  frozen->virtual = (hart->mstatus & STATUS_MPV) != 0;
  frozen->sstatus = csr_read(SSTATUS);
  frozen->sepc = csr_read(SEPC);
  frozen->scause = csr_read(SCAUSE);
  frozen->sscratch = csr_read(SSCRATCH);
  frozen->hstatus = csr_read(HSTATUS);
  frozen->hgatp = csr_read(HGATP);
  /* vsie is seen through hideleg: a damaged one must not hide what the VM had enabled. */
  csr_set(HIDELEG, 1ul << IRQ_VSSI | 1ul << IRQ_VSTI | 1ul << IRQ_VSEI);
  frozen->vs = (struct vs_csrs){
      .vsstatus = csr_read(VSSTATUS), .vsie = csr_read(VSIE), .vstvec = csr_read(VSTVEC),
      .vsscratch = csr_read(VSSCRATCH), .vsepc = csr_read(VSEPC), .vscause = csr_read(VSCAUSE),
      .vstval = csr_read(VSTVAL), .vsatp = csr_read(VSATP), .vstimecmp = csr_read(VSTIMECMP),
      .hvip = csr_read(HVIP)};
  frozen->valid = 1;
}

void recovery_freeze(struct hart *self) {
  save_context(self);
  fence();
  self->frozen = 1;
  hsm_stop(self);
}

/*
 * stop: Lazarus runs with interrupts off, and a hart that spins there for a lock of the dead takes no interrupt that it
 * could be asked with. The M-mode interrupt stops it anyway. Without this enhancement only harts that run a VM, or wait
 * in wfi, can be stopped.
 */
int recovery_may_freeze(const struct hart *self) {
  if (ENHANCED(stop) || (self->mstatus & STATUS_MPV) != 0) return 1;
  u64 before = self->pc - 4;
  if (!range_is_lent(before, 4) || (before & 1) != 0) return 0;
  return ((const u16 *)before)[0] == 0x0073 && ((const u16 *)before)[1] == 0x1050; /* wfi */
}

/** A hart is asked every microsecond; how long it may take goes with the watchdog's period, as all patience here. */
#define STOP_PERIODS 2
#define STOP_TIME (2000 * BOARD_TIME_PER_US)

/** Returns how many harts froze. Harts that the hypervisor never started, or stopped, are STOPPED and stay so. */
static u64 freeze_others(struct hart *self) {
  u64 count = 0, patience = STOP_PERIODS * options.watchdog_period;
  if (patience == 0) patience = STOP_TIME;
  for (u64 id = 0; id < board.hart_count; id++) {
    struct hart *hart = &harts[id];
    if (id == self->id || hart->state == SBI_HSM_STOPPED) continue;
    u64 first = time_now(), next = first;
    while (!hart->frozen || hart->state != SBI_HSM_STOPPED) {
      ipi_poll(self);
      u64 now = time_now();
      if (now < next) continue;
      if (now - first > patience) give_up(FAILED_NOT_STOPPED);
      next = now + BOARD_TIME_PER_US;
      if (!hart->frozen) ipi_send(id, IPI_FREEZE);
    }
    count++;
  }
  fence();
  return count;
}

static void reboot_in_place(void) {
  descriptor.statics = (u64)statics;
  memcpy((void *)header.image_start, pristine, header.image_end - header.image_start);
  memset((void *)header.image_end, 0, header.bss_end - header.image_end);
  fence();
  fence_i();
  note(NOTE_REBOOTED, recoveries);
}

/*
 * text: a microreset goes on with the code it has, and a flipped bit in it would strike again. Code and constants never
 * change, so they are taken from the pristine image. (A reboot has them fresh anyway.)
 */
static void reset_in_place(void) {
  descriptor.statics = header.statics_start;
  if (ENHANCED(text)) {
    memcpy((void *)header.image_start, pristine, header.statics_start - header.image_start);
    fence();
    fence_i();
  }
  note(NOTE_RESET, recoveries);
}
